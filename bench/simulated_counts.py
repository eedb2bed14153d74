"""Cameras that only count, simulated: what judgement of accuracy and drift is measured with.

Weeks have a rhythm, days differ and resemble their neighbours (weather), counts are Poisson round all that. Nothing
here draws a picture: a camera-year is seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics_qa.drift import Agreement, Cause, Evidence, Picture, State, Trend, drift, site_factors, trend
from analytics_qa.expectation import Expectation, HourCount, learned
from analytics_qa.intervals import share, share_of_clusters

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
LEARNED_DAYS = 28
CAMERAS_OF_A_SITE = 8
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Site:
    """Hourly counts of several cameras over the same days: cameras x days x 24."""

    counts: NDArray[np.int64]

    def hours(self, camera: int, first: int, last: int) -> list[HourCount]:
        days = range(first, min(last, self.counts.shape[1]))
        return [
            HourCount(MONDAY + timedelta(days=day, hours=hour), int(self.counts[camera, day, hour]))
            for day in days
            for hour in range(24)
        ]


def site(
    chance: np.random.Generator, days: int, cameras: int = CAMERAS_OF_A_SITE, factors: Sequence[float] | None = None
) -> Site:
    """`factors` by day multiply what the first camera sees."""
    weather = _alike(chance, days, spread=0.15, memory=0.7)
    counts = np.empty((cameras, days, 24), np.int64)
    for camera in range(cameras):
        busy = chance.uniform(3, 30)
        rhythm = 0.1 + np.exp(-((np.arange(24) - chance.uniform(11, 15)) ** 2) / (2 * chance.uniform(2.5, 4) ** 2))
        weekend = chance.uniform(0.3, 1.2)
        own = _alike(chance, days, spread=0.08, memory=0.5)
        week = np.array([weekend if day % 7 >= _SATURDAY else 1.0 for day in range(days)])
        mean = busy * rhythm[None, :] * (week * weather * own)[:, None]
        if camera == 0 and factors is not None:
            mean = mean * np.asarray(factors)[:, None]
        counts[camera] = chance.poisson(mean * chance.gamma(10, 0.1, mean.shape))
    return Site(counts)


def _alike(chance: np.random.Generator, days: int, spread: float, memory: float) -> NDArray[np.float64]:
    """Factors round 1 that resemble their neighbours."""
    steps = chance.normal(0, spread * np.sqrt(1 - memory * memory), days)
    level, levels = chance.normal(0, spread), []
    for step in steps:
        level = memory * level + step
        levels.append(level)
    return np.asarray(np.exp(np.array(levels)))


def watched(scene: Site, camera: int, until: int) -> Trend:
    """The trend of one camera after the days that the expectation was learned from, beside the rest of its site."""
    expectations = {one: learned(scene.hours(one, 0, LEARNED_DAYS)) for one in range(len(scene.counts))}
    own = expectations[camera]
    if own is None:
        raise AssertionError("four weeks are enough to learn from")
    others = [_by_day(scene, one, until, known) for one, known in expectations.items() if one != camera and known]
    return trend(scene.hours(camera, LEARNED_DAYS, until), own, site_factors(others))


def _by_day(scene: Site, camera: int, until: int, expectation: Expectation) -> dict[date, tuple[int, float]]:
    days = trend(scene.hours(camera, LEARNED_DAYS, until), expectation).days
    return {one.day: (one.count, one.expected) for one in days}


# --- why ---


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to a camera, and what must be said of it. `sees` and `there`: shares of what was before."""

    name: str
    state: State
    causes: frozenset[Cause | None]
    there: float = 1.0
    sees: float = 1.0
    reference_sees: float = 1.0
    picture: Picture = "good"
    version_changed: bool = False


STORIES = (
    Story("nothing", State.STEADY, frozenset({None})),
    Story("a new version that is as good", State.STEADY, frozenset({None}), version_changed=True),
    Story("a new version misses a third", State.DRIFTED, frozenset({Cause.MODEL}), sees=0.66, version_changed=True),
    Story("somebody raised the threshold", State.DRIFTED, frozenset({Cause.MODEL}), sees=0.6),
    Story("a shop closed", State.DRIFTED, frozenset({Cause.SCENE}), there=0.5),
    Story("a shop closed while a version came that is as good", State.DRIFTED, frozenset({Cause.SCENE}), there=0.5,
          version_changed=True),
    Story("a street was opened", State.DRIFTED, frozenset({Cause.SCENE}), there=1.6),
    Story(
        "the lens is dirty: both see less, and agree better than before",
        State.DRIFTED, frozenset({Cause.PICTURE}), sees=0.6, reference_sees=0.65, picture="bad",
    ),
    Story("nobody has judged the picture", State.NOT_ASSESSABLE, frozenset({None}), picture="unknown"),
)  # fmt: skip


def told(story: Story, chance: np.random.Generator, days_after: int = 21) -> tuple[State, Cause | None]:
    """What we say of it three weeks later."""
    factors = [1.0] * LEARNED_DAYS + [story.there * story.sees] * days_after
    scene = site(chance, LEARNED_DAYS + days_after, factors=factors)
    reference = 0.9 * story.reference_sees
    evidence = Evidence(
        picture=story.picture,
        trend=watched(scene, 0, LEARNED_DAYS + days_after),
        agreement=_agreement(story, chance),
        version_changed=story.version_changed,
        reference_ratio=chance.poisson(400 * story.there * reference) / 360,
    )
    said = drift(evidence)
    return said.state, said.cause


def _agreement(story: Story, chance: np.random.Generator) -> Agreement:
    """Of what the reference saw, what the camera saw: both miss the same hard objects, so a bad picture raises it."""
    before = 0.86
    now = min(0.97, before * story.sees / story.reference_sees)
    if story.picture == "bad":
        now = 0.88
    return Agreement(share(int(chance.binomial(200, before)), 200), share(int(chance.binomial(150, now)), 150))


# --- intervals ---


def covered(chance: np.random.Generator) -> tuple[bool, bool]:
    """Whether the interval of one simulated camera holds the truth, and whether one that takes objects for independent
    would have. Minutes are alike within: a person whom the camera sees badly it sees badly in every frame."""
    truth = chance.uniform(0.6, 0.98)
    alike = chance.uniform(0.02, 0.35)
    minutes = int(chance.integers(15, 80))
    sizes = 1 + chance.poisson(chance.uniform(1, 8), minutes)
    strength = (1 - alike) / alike
    each = chance.beta(truth * strength, (1 - truth) * strength, minutes)
    hits = chance.binomial(sizes, each)
    ours = share_of_clusters(list(zip(hits.tolist(), sizes.tolist(), strict=True)))
    plain = share(int(hits.sum()), int(sizes.sum()))
    return ours.low <= truth <= ours.high, plain.low <= truth <= plain.high
