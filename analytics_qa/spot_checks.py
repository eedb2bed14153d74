"""How few labels a person must give: stop as soon as it is clear whether a share is good or poor (Wald's SPRT)."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

Answer = Literal["good", "poor", "go on", "undecided"]


@dataclass(frozen=True, slots=True)
class Question:
    """Is the share at least `good`, or no better than `poor`? Between the two either answer is acceptable.

    `false_poor`: how often a good one may be called poor; `false_good` the other way round. After `most` labels the
    answer is "undecided", and the interval is all there is to say.
    """

    good: float = 0.90
    poor: float = 0.75
    false_poor: float = 0.05
    false_good: float = 0.10
    most: int = 120

    def __post_init__(self) -> None:
        if not 0 < self.poor < self.good < 1 or not (0 < self.false_poor < 1 and 0 < self.false_good < 1):
            raise ValueError("poor lies below good, and every share between 0 and 1")


def answer(question: Question, hits: int, misses: int) -> Answer:
    """After this many labels. Ask it after each one."""
    evidence = hits * math.log(question.good / question.poor)
    evidence += misses * math.log((1 - question.good) / (1 - question.poor))
    if evidence >= math.log((1 - question.false_good) / question.false_poor):
        return "good"
    if evidence <= math.log(question.false_good / (1 - question.false_poor)):
        return "poor"
    return "undecided" if hits + misses >= question.most else "go on"


def fixed_labels(question: Question) -> int:
    """How many labels the same certainty takes when their number is fixed before (normal approximation)."""
    z = NormalDist().inv_cdf
    first = z(1 - question.false_poor) * math.sqrt(question.good * (1 - question.good))
    second = z(1 - question.false_good) * math.sqrt(question.poor * (1 - question.poor))
    return math.ceil(((first + second) / (question.good - question.poor)) ** 2)
