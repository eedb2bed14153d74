"""A file of detections beside a file of truth: `camwarden/score/1`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analytics_qa.accuracy import average_precision
from analytics_qa.detections import NOTHING
from analytics_qa.detections_file import Frame
from analytics_qa.intervals import Share, share_of_clusters
from analytics_qa.matching import NONE_SEEN, SAME_OBJECT, Tally, tallies

FORMAT = "camwarden/score/1"
# Frames of one stretch of a clip resemble each other.
CLUSTER_S = 10.0


@dataclass(frozen=True, slots=True)
class ClassScore:
    """`ap` at the overlap that was asked for; `None` where no such object was there."""

    name: str
    precision: Share
    recall: Share
    ap: float | None


@dataclass(frozen=True, slots=True)
class Scored:
    """`frames` have a truth. `not_looked_at`: of these, how many the detections lack. `without_truth`: left out."""

    iou: float
    frames: int
    not_looked_at: int
    without_truth: int
    classes: tuple[ClassScore, ...]


def scored(found: Sequence[Frame], true: Sequence[Frame], least_overlap: float = SAME_OBJECT) -> Scored:
    """Every class of the truth, and every class that was claimed."""
    seen = {frame.index: frame.found for frame in found}
    there = [frame.found for frame in true]
    beside = [seen.get(frame.index, NOTHING) for frame in true]
    names = sorted({name for one in (*there, *beside) for name in one.classes})
    stretches = [_stretch(frame) for frame in true]
    known = {frame.index for frame in true}
    classes = []
    for name in names:
        sums: dict[str, Tally] = {}
        for stretch, one in zip(stretches, tallies(beside, there, name, least_overlap), strict=True):
            sums[stretch] = sums.get(stretch, NONE_SEEN) + one
        classes.append(
            ClassScore(
                name=name,
                precision=share_of_clusters([(one.hits, one.claimed) for one in sums.values()]),
                recall=share_of_clusters([(one.hits, one.there) for one in sums.values()]),
                ap=average_precision(beside, there, name, least_overlap),
            )
        )
    return Scored(least_overlap, len(true), len(known - seen.keys()), len(seen.keys() - known), tuple(classes))


def _stretch(frame: Frame) -> str:
    """Ten seconds of a clip; without a time every picture stands alone."""
    return f"picture {frame.index}" if frame.time_s is None else f"{frame.time_s // CLUSTER_S:.0f}"


def score_document(result: Scored) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "iou": result.iou,
        "frames": result.frames,
        "not_looked_at": result.not_looked_at,
        "without_truth": result.without_truth,
        "classes": [
            {
                "class": one.name,
                "precision": share_values(one.precision),
                "recall": share_values(one.recall),
                "ap": None if one.ap is None else round(one.ap, 4),
            }
            for one in result.classes
        ],
    }


def share_values(share: Share) -> dict[str, Any]:
    value = None if share.value is None else round(share.value, 4)
    return {"value": value, "low": round(share.low, 4), "high": round(share.high, 4), "hits": share.hits, "n": share.n}
