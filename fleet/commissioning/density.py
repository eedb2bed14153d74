"""Pixel density: how many pixels a metre has at the distance that matters, and what that suffices for.

Both ladders are kept, since contracts name either: EN 62676-4:2015 (monitor to inspect) and its revision of 2025
(overview to scrutinise).
"""

from dataclasses import dataclass
from typing import Literal

from fleet.errors import Invalid

Edition = Literal["2015", "2025"]


@dataclass(frozen=True, slots=True)
class Level:
    """A task and the pixels per metre that it needs."""

    name: str
    px_per_m: float
    edition: Edition


LEVELS = (
    Level("monitor", 12.5, "2015"),
    Level("detect", 25, "2015"),
    Level("observe", 62.5, "2015"),
    Level("recognise", 125, "2015"),
    Level("identify", 250, "2015"),
    Level("inspect", 1000, "2015"),
    Level("overview", 20, "2025"),
    Level("outline", 40, "2025"),
    Level("discern", 80, "2025"),
    Level("perceive", 125, "2025"),
    Level("characterise", 250, "2025"),
    Level("validate", 500, "2025"),
    Level("scrutinise", 1500, "2025"),
)


@dataclass(frozen=True, slots=True)
class Density:
    """What was measured on a still. `reaches_…`: the highest level of that ladder, `None` below the lowest."""

    px_per_m: float
    reaches_2015: str | None
    reaches_2025: str | None


def measure(top_px: float, bottom_px: float, height_m: float) -> Density:
    """Of something that is `height_m` metres high and spans from row `top_px` to row `bottom_px`. Raises Invalid."""
    if not 0.05 <= height_m <= 50:  # noqa: PLR2004 - from a brick to a house
        raise Invalid("give the height of the object in metres, between 0.05 and 50")
    pixels = abs(bottom_px - top_px)
    if pixels < 2:  # noqa: PLR2004 - one row is no measurement
        raise Invalid("top and bottom of the object are the same place; mark both")
    return rated(pixels / height_m)


def rated(px_per_m: float) -> Density:
    def highest(edition: Edition) -> str | None:
        reached = [level for level in LEVELS if level.edition == edition and px_per_m >= level.px_per_m]
        return max(reached, key=lambda level: level.px_per_m).name if reached else None

    return Density(round(px_per_m, 1), highest("2015"), highest("2025"))


def suffices(density: Density, target: str) -> bool:
    """Whether the level called `target`, of either ladder, is reached. Raises Invalid."""
    wanted = next((level for level in LEVELS if level.name == target), None)
    if wanted is None:
        raise Invalid(f"no level of pixel density is called {target!r}")
    return density.px_per_m >= wanted.px_per_m
