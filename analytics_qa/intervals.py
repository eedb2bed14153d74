"""How sure a share or a rate is. Nothing is reported as a bare number.

Objects of one minute resemble each other: the same person in ten frames is not ten trials. Shares are therefore
counted in clusters, and where these differ more than chance allows the interval is that of fewer trials (Korn and
Graubard 1998, with Wilson's interval).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `n`, and between what the truth lies with 95 % confidence. `n_effective`: trials it is worth."""

    hits: int
    n: int
    low: float
    high: float
    n_effective: float

    @property
    def value(self) -> float | None:
        """`None` where nothing was tried."""
        return self.hits / self.n if self.n else None


def wilson(hits: float, n: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval; all of 0..1 where nothing was tried."""
    if n <= 0:
        return 0.0, 1.0
    z = quantile(confidence)
    share = hits / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def share(hits: int, n: int) -> Share:
    """Of independent trials."""
    return Share(hits, n, *wilson(hits, n), float(n))


def share_of_clusters(clusters: Sequence[tuple[int, int]]) -> Share:
    """Of (hits, trials) per cluster: one minute, one track, one clip. Clusters without a trial say nothing."""
    counted = [(hits, n) for hits, n in clusters if n]
    hits, n = sum(one for one, _ in counted), sum(one for _, one in counted)
    effective = effective_trials(counted)
    low, high = wilson(hits / n * effective, effective) if n else (0.0, 1.0)
    return Share(hits, n, low, high, effective)


def fall_between(before: Share, after: Share) -> tuple[float, float]:
    """Between what the fall from one share to the other lies with 95 % confidence; a rise is below 0.

    Newcombe (1998), method 10, from the intervals of the two. -1 to 1 where nothing was tried.
    """
    if before.value is None or after.value is None:
        return -1.0, 1.0
    fall = before.value - after.value
    least = fall - math.hypot(before.value - before.low, after.high - after.value)
    return least, fall + math.hypot(before.high - before.value, after.value - after.low)


def effective_trials(clusters: Sequence[tuple[int, int]]) -> float:
    """How many independent trials these are worth: never more than there are."""
    count, hits, n = len(clusters), sum(one for one, _ in clusters), sum(one for _, one in clusters)
    if count < 2 or n == 0:  # noqa: PLR2004 - one cluster cannot show how clusters differ
        return float(min(n, 1)) if count == 1 and n > 1 else float(n)
    mean = hits / n
    alone = mean * (1 - mean) / n
    spread = sum((one - mean * trials) ** 2 for one, trials in clusters) * count / (count - 1) / (n * n)
    design = max(1.0, spread / alone) if alone > 0 else _as_alike_as_can_be(clusters)
    # Few clusters know their own spread badly: the same correction as Student's t for a mean.
    correction = (quantile(CONFIDENCE) / student(CONFIDENCE, count - 1)) ** 2
    return min(float(n), n / design * (correction if design > 1 else 1.0))


def _as_alike_as_can_be(clusters: Sequence[tuple[int, int]]) -> float:
    """All hit or all missed: the spread cannot be seen, so every cluster counts as at most one and a half trials."""
    n = sum(trials for _, trials in clusters)
    return max(1.0, n / (1.5 * len(clusters)))


@lru_cache
def quantile(confidence: float) -> float:
    """Of the normal distribution, two-sided."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


@lru_cache
def student(confidence: float, freedom: int) -> float:
    """Of Student's t, two-sided; Hill's expansion (1970), good to a percent from three degrees of freedom on."""
    z = quantile(confidence)
    z3, z5, z7 = z**3, z**5, z**7
    terms = (
        (z3 + z) / 4,
        (5 * z5 + 16 * z3 + 3 * z) / 96,
        (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / 384,
    )
    return z + math.fsum(term / float(freedom) ** (power + 1) for power, term in enumerate(terms))
