"""Counts and what chance does to them: exact Poisson intervals, and how unlikely a count is under an expectation."""

import math
from collections.abc import Callable
from statistics import NormalDist

from analytics_qa.intervals import CONFIDENCE

_STEPS = 200
_NORMAL = NormalDist()
# Beyond this nothing is told apart any more, and a single strange hour shall not decide alone.
FARTHEST_Z = 4.0


def poisson_interval(count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact (Garwood) interval of the mean behind one count."""
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else _solve(lambda mean: 1 - at_most(count - 1, mean), tail, count)
    high = _solve(lambda mean: 1 - at_most(count, mean), 1 - tail, count)
    return low, high


def at_most(count: int, mean: float, overdispersion: float = 0.0) -> float:
    """P(X <= count) where X has that mean and variance mean + overdispersion * mean^2 (Poisson at 0)."""
    if count < 0:
        return 0.0
    if mean <= 0:
        return 1.0
    if overdispersion <= 0:
        logs = [number * math.log(mean) - mean - math.lgamma(number + 1) for number in range(count + 1)]
    else:
        size = 1 / overdispersion
        success, failure = math.log(size / (size + mean)), math.log(mean / (size + mean))
        logs = [
            math.lgamma(number + size) - math.lgamma(size) - math.lgamma(number + 1) + size * success + number * failure
            for number in range(count + 1)
        ]
    return min(1.0, math.fsum(math.exp(one) for one in logs))


def surprise(count: int, mean: float, overdispersion: float = 0.0) -> float:
    """How far from expected, in standard deviations (mid-p); negative for too few, at most 4 either way.

    Beyond a few hundred the distribution is near enough to a normal one.
    """
    if mean <= 0:
        return 0.0 if count == 0 else FARTHEST_Z
    spread = math.sqrt(mean + overdispersion * mean * mean)
    z = (count - mean) / spread
    if max(count, mean) <= 300:  # noqa: PLR2004 - the sum is short until here
        below = (at_most(count - 1, mean, overdispersion) + at_most(count, mean, overdispersion)) / 2
        z = _NORMAL.inv_cdf(min(1 - 1e-9, max(1e-9, below)))
    return max(-FARTHEST_Z, min(FARTHEST_Z, z))


def _solve(rising: Callable[[float], float], wanted: float, count: int) -> float:
    """Where a rising function of the mean reaches a value, by halving."""
    low, high = 0.0, 10.0 + 3 * count
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return (low + high) / 2
