"""How many objects a camera counts in each hour of the week, learned from good weeks.

An hour of the week has seen too few weeks to stand alone, so it leans on the same hour of similar days, and that on
the camera's mean (gamma priors). Whole days vary too (weather, holidays): that is learned as well and kept apart.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

HOURS_OF_WEEK = 168
LEAST_DAYS = 14
# Weeks' worth of belief in the coarser mean.
_LEANS_ON = 1.0
_SATURDAY = 5
_LEAST_DAY_SPREAD = 0.05
_MOST_DAY_SPREAD = 1.0


@dataclass(frozen=True, slots=True)
class HourCount:
    """Objects counted in one hour, in the site's own time. `share` of it that was watched: 0..1, not 0."""

    hour: datetime
    count: int
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Expectation:
    """Mean count for each hour of the week (Monday 0 h first), and how much whole days differ (relative, squared).

    `days` is how many days it was learned from; `until` the last of them.
    """

    means: tuple[float, ...]
    day_spread: float
    days: int
    until: date

    def of(self, hour: datetime) -> float:
        return self.means[hour_of_week(hour)]


def hour_of_week(hour: datetime) -> int:
    return hour.weekday() * 24 + hour.hour


def learned(history: Sequence[HourCount]) -> Expectation | None:
    """From hours under a good picture and an unchanged model; `None` before two weeks of days are there."""
    days = {one.hour.date() for one in history}
    if len(days) < LEAST_DAYS:
        return None
    means = _means(history)
    return Expectation(means, _day_spread(history, means), len(days), max(days))


def _means(history: Sequence[HourCount]) -> tuple[float, ...]:
    whole = _rate(history)
    alike: dict[tuple[bool, int], list[HourCount]] = defaultdict(list)
    same: dict[int, list[HourCount]] = defaultdict(list)
    for one in history:
        alike[one.hour.weekday() >= _SATURDAY, one.hour.hour].append(one)
        same[hour_of_week(one.hour)].append(one)
    means = []
    for hour in range(HOURS_OF_WEEK):
        coarse = _leaning(alike.get((hour // 24 >= _SATURDAY, hour % 24), ()), whole)
        means.append(_leaning(same.get(hour, ()), coarse))
    return tuple(means)


def _leaning(counts: Sequence[HourCount], on: float) -> float:
    return (_LEANS_ON * on + sum(one.count for one in counts)) / (_LEANS_ON + sum(one.share for one in counts))


def _rate(counts: Sequence[HourCount]) -> float:
    return sum(one.count for one in counts) / max(1e-9, sum(one.share for one in counts))


def _day_spread(history: Iterable[HourCount], means: Sequence[float]) -> float:
    """The relative variance of whole days beyond what Poisson explains, never believed to be nothing."""
    days: dict[date, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for one in history:
        day = days[one.hour.date()]
        day[0] += one.count
        day[1] += means[hour_of_week(one.hour)] * one.share
    known = [(count, mean) for count, mean in days.values() if mean > 0]
    excess = math.fsum((count - mean) ** 2 - mean for count, mean in known)
    spread = excess / max(1e-9, math.fsum(mean * mean for _, mean in known))
    # The means were fitted to the same days, which hides part of the spread.
    fitted = len(known) / max(1, len(known) - 7)
    return min(_MOST_DAY_SPREAD, max(_LEAST_DAY_SPREAD**2, spread * fitted))
