"""What happens in front of a camera and to it over a week: episodes of faults and of harmless changes, from a seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Literal

from simulator.scenes.dice import chance, dice
from simulator.scenes.model import BENIGN, DAY_S, FAULTS, HOUR_S, Benign, PictureFault

WEEK_S = 7 * DAY_S
FAULTY_SHARE = 0.2
BENIGN_A_DAY = 3
WEIGHTS: Mapping[str, int] = MappingProxyType(
    {
        "covered": 20,
        "moved": 20,
        "defocused": 20,
        "dirt": 10,
        "dark": 6,
        "bright": 4,
        "ir-cut-stuck": 6,
        "frozen": 6,
        "noise": 4,
        "colour-cast": 2,
        "no-picture": 2,
    }
)
SEVERITY: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "covered": (0.3, 1.0),
        "moved": (0.12, 1.0),
        "defocused": (0.3, 1.0),
        "dark": (0.75, 0.95),
        "bright": (0.5, 1.0),
    }
)
"""How bad a fault is when it is there at all; from 0.4 to 1 where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Something that lasts a while, in seconds of the estate's week, as `Scene.view` counts them."""

    kind: Literal["fault", "benign"]
    name: str
    severity: float
    from_s: float
    to_s: float
    variant: str = ""

    def covers(self, t_s: float) -> bool:
        return self.from_s <= t_s < self.to_s


@dataclass(frozen=True, slots=True)
class PicturePlan:
    """The seed of the scene before a camera, and its week."""

    scene: int
    episodes: tuple[Episode, ...]

    def faults_at(self, t_s: float) -> tuple[PictureFault, ...]:
        return tuple(
            PictureFault(e.name, e.severity, e.variant, e.from_s if e.name == "frozen" else None)
            for e in self.episodes
            if e.kind == "fault" and e.covers(t_s)
        )

    def benign_at(self, t_s: float) -> tuple[Benign, ...]:
        return tuple(Benign(e.name, e.severity) for e in self.episodes if e.kind == "benign" and e.covers(t_s))


def picture_plan(
    scene: int, start_s: float, *, fault: str | None, believable: bool, begin_s: float | None = None
) -> PicturePlan:
    """The week of one camera: with this fault, on from `begin_s` or the start, or where it is `believable` now and then
    with one.
    """
    rng = dice(scene * 104_729 + 3)
    episodes = list(_harmless(rng, start_s))
    if fault is not None:
        episodes.append(_fault(rng, fault, scene, start_s if begin_s is None else begin_s, start_s + WEEK_S))
    elif believable and chance(rng, FAULTY_SHARE):
        name = rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
        begins = start_s + rng.uniform(0.5 * HOUR_S, 4 * DAY_S)
        episodes.append(_fault(rng, name, scene, begins, begins + rng.uniform(2 * HOUR_S, 3 * DAY_S)))
    return PicturePlan(scene, tuple(sorted(episodes, key=lambda episode: episode.from_s)))


def _fault(rng: Random, name: str, scene: int, from_s: float, to_s: float) -> Episode:
    low, high = SEVERITY.get(name, (0.4, 1.0))
    variants = FAULTS[name]
    variant = variants[scene % len(variants)]
    return Episode("fault", name, round(rng.uniform(low, high), 3), round(from_s), round(to_s), variant)


def _harmless(rng: Random, start_s: float) -> Iterator[Episode]:
    names: Sequence[str] = BENIGN
    for day in range(7):
        for _ in range(rng.randint(0, 2 * BENIGN_A_DAY)):
            begins = start_s + day * DAY_S + rng.uniform(0, DAY_S)
            lasts = rng.uniform(0.1, 3) * HOUR_S
            severity = round(rng.uniform(0.2, 1.0), 3)
            yield Episode("benign", rng.choice(names), severity, round(begins), round(begins + lasts))
