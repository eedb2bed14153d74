"""What a view of a scene holds and what may be wrong with it. Needs neither numpy nor OpenCV."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

Light = Literal["day", "dusk", "night-ir"]
Kind = Literal["person", "vehicle"]
Box = tuple[float, float, float, float]

HOUR_S = 3600
DAY_S = 24 * HOUR_S

FAULTS: "Mapping[str, tuple[str, ...]]" = MappingProxyType(
    {
        "covered": ("dark", "bright", "textured"),
        "moved": ("shift", "rotate", "zoom"),
        "defocused": ("",),
        "dark": ("",),
        "bright": ("",),
        "ir-cut-stuck": ("",),
        "frozen": ("still", "stopped"),
        "noise": ("",),
        "colour-cast": ("",),
        "dirt": ("",),
        "no-picture": ("",),
    }
)
"""The name of every fault of a picture, with its variants."""

BENIGN = ("clouds", "shadows", "rain", "headlights", "jpeg", "vibration", "parked-vehicle", "light")
"""What changes a picture and is no fault."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A person or vehicle in the picture. `box` is x1, y1, x2, y2 in pixels of the picture, cut at its edges.

    `track` is the same in every view of the scene. `visible` is the share of its outline that nothing hides.
    """

    kind: Kind
    box: Box
    track: int
    visible: float


@dataclass(frozen=True, slots=True)
class PictureFault:
    """A fault of the picture; severity from 0, nothing, to 1, as bad as it gets.

    covered: share of the picture; moved: up to 1/8 of the width, 8 degrees, or a zoom of 1.24; defocused: a blur of up
    to sigma 4 at 640 pixels; dark: up to 95 % of the light gone; noise: up to sigma 30. `variant` "" is chosen by the
    scene. A frozen picture looks the same in both variants, but a "stopped" one is no longer streamed either. `since_s`
    is when a frozen picture stood still; by default the start of the hour.
    """

    name: str
    severity: float
    variant: str = ""
    since_s: float | None = None

    def __post_init__(self) -> None:
        if self.name not in FAULTS or (self.variant and self.variant not in FAULTS[self.name]):
            raise ValueError(f"no such fault of a picture: {self.name} {self.variant}".rstrip())
        if not 0 <= self.severity <= 1:
            raise ValueError(f"a severity lies between 0 and 1, not at {self.severity}")


@dataclass(frozen=True, slots=True)
class Benign:
    """A change that is no fault; severity from 0, nothing, to 1, the strongest that still is none."""

    name: str
    severity: float

    def __post_init__(self) -> None:
        if self.name not in BENIGN:
            raise ValueError(f"no such change of a picture: {self.name}")
        if not 0 <= self.severity <= 1:
            raise ValueError(f"a severity lies between 0 and 1, not at {self.severity}")


@dataclass(frozen=True, slots=True)
class View:
    """One picture, BGR, and the truth about it. Things of which less than 35 % can be seen are not in it."""

    picture: "npt.NDArray[np.uint8]"
    things: tuple[Thing, ...]


def light_at(t_s: float) -> Light:
    """The light of an hour of the day, the same all year."""
    hour = t_s % DAY_S / HOUR_S
    if 7 <= hour < 18:  # noqa: PLR2004 - hours
        return "day"
    return "dusk" if 6 <= hour < 7 or 18 <= hour < 19.5 else "night-ir"  # noqa: PLR2004 - hours
