"""Precision and recall with what makes them honest: the interval, how many, when, and under which condition."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from analytics_qa.detections import Detections, Mask, Scores
from analytics_qa.intervals import Share, share_of_clusters
from analytics_qa.matching import NOBODY, SAME_OBJECT, Tally, matched

RECALL_POINTS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True)
class Measured:
    """One labelled picture. Pictures with the same `cluster` (a minute, a clip) are not independent of each other."""

    condition: str
    cluster: str
    day: date
    tally: Tally


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of one camera under one condition. `first` and `last` are the days of the labels."""

    condition: str
    precision: Share
    recall: Share
    pictures: int
    first: date
    last: date


def accuracy(measured: Iterable[Measured]) -> tuple[Accuracy, ...]:
    """One for each condition, in the order of their names. Nothing measured, nothing said."""
    by_condition: dict[str, list[Measured]] = defaultdict(list)
    for one in measured:
        by_condition[one.condition].append(one)
    return tuple(_of_condition(condition, by_condition[condition]) for condition in sorted(by_condition))


def _of_condition(condition: str, measured: Sequence[Measured]) -> Accuracy:
    clusters: dict[str, Tally] = {}
    for one in measured:
        clusters[one.cluster] = clusters.get(one.cluster, Tally(0, 0, 0)) + one.tally
    sums = list(clusters.values())
    return Accuracy(
        condition=condition,
        precision=share_of_clusters([(one.hits, one.claimed) for one in sums]),
        recall=share_of_clusters([(one.hits, one.there) for one in sums]),
        pictures=len(measured),
        first=min(one.day for one in measured),
        last=max(one.day for one in measured),
    )


def average_precision(
    found: Sequence[Detections], true: Sequence[Detections], name: str, least_overlap: float = SAME_OBJECT
) -> float | None:
    """AP at one overlap by 101 points of recall, as COCO has it; `None` where no such object was there."""
    scores: list[Scores] = []
    hits: list[Mask] = []
    there = 0
    for seen, known in zip(found, true, strict=True):
        of_class, wanted = seen.of(name), known.of(name)
        scores.append(of_class.scores)
        hits.append(matched(of_class, wanted, least_overlap) != NOBODY)
        there += len(wanted)
    if not there:
        return None
    order = np.argsort(-np.concatenate(scores), kind="stable")
    right = np.cumsum(np.concatenate(hits)[order])
    if not len(right):
        return 0.0
    precision = right / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(right / there, RECALL_POINTS, side="left")
    reached = places < len(right)
    return float(np.where(reached, envelope[np.minimum(places, len(right) - 1)], 0.0).mean())
