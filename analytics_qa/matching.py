"""Which found object is which true one. Greedy by score, as COCO does it: a true object counts once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics_qa.detections import Detections, Ids
from analytics_qa.overlap import iou

SAME_OBJECT = 0.5
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Tally:
    """How one picture came out: objects found and true, found and not true, true and not found."""

    hits: int
    false: int
    missed: int

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.hits + other.hits, self.false + other.false, self.missed + other.missed)

    @property
    def claimed(self) -> int:
        return self.hits + self.false

    @property
    def there(self) -> int:
        return self.hits + self.missed


NONE_SEEN = Tally(0, 0, 0)


def matched(found: Detections, true: Detections, least_overlap: float = SAME_OBJECT) -> Ids:
    """For each found object the index of the true one, or -1. Only objects of the same class can be the same."""
    partner = np.full(len(found), NOBODY, np.int64)
    if not len(found) or not len(true):
        return partner
    overlaps = iou(found.boxes, true.boxes)
    kinds = np.array(found.classes)[:, None] == np.array(true.classes)[None, :]
    overlaps = np.where(kinds & (overlaps >= least_overlap), overlaps, NOBODY)
    for place in np.argsort(-found.scores, kind="stable"):
        best = int(overlaps[place].argmax())
        if overlaps[place, best] >= 0:
            partner[place] = best
            overlaps[:, best] = NOBODY
    return partner


def tally(found: Detections, true: Detections, least_overlap: float = SAME_OBJECT) -> Tally:
    hits = int((matched(found, true, least_overlap) != NOBODY).sum())
    return Tally(hits, len(found) - hits, len(true) - hits)


def tallies(
    found: Sequence[Detections], true: Sequence[Detections], name: str | None = None, least_overlap: float = SAME_OBJECT
) -> list[Tally]:
    """Picture by picture, of one class or of all."""
    pairs = zip(found, true, strict=True)
    if name is None:
        return [tally(seen, there, least_overlap) for seen, there in pairs]
    return [tally(seen.of(name), there.of(name), least_overlap) for seen, there in pairs]
