"""How much boxes overlap (intersection over union), and keeping one of many that mean the same object."""

import numpy as np
from numpy.typing import NDArray

from analytics_qa.detections import Boxes, Ids, Scores

MOST_CANDIDATES = 1000
MOST_KEPT = 300
_NOWHERE = np.float32(1e-9)


def iou(boxes: Boxes, others: Boxes) -> NDArray[np.float32]:
    """len(boxes) x len(others). Boxes without an area overlap nothing."""
    corner = np.maximum(boxes[:, None, :2], others[None, :, :2])
    size = np.clip(np.minimum(boxes[:, None, 2:], others[None, :, 2:]) - corner, 0, None)
    shared = size[..., 0] * size[..., 1]
    union = area(boxes)[:, None] + area(others)[None, :] - shared
    return np.asarray(shared / np.maximum(union, _NOWHERE), np.float32)


def area(boxes: Boxes) -> NDArray[np.float32]:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), np.float32)


def without_doubles(boxes: Boxes, scores: Scores, class_ids: Ids, most_overlap: float) -> Ids:
    """Indices of the boxes that stay, best first: of those of one class that overlap more, the best (NMS).

    The best thousand take part and the best 300 stay, so that a model gone wild costs milliseconds, not minutes.
    """
    order: Ids = np.argsort(-scores, kind="stable")[:MOST_CANDIDATES]
    if len(order) <= 1:
        return order
    overlaps = iou(boxes[order], boxes[order]) > most_overlap
    overlaps &= class_ids[order][:, None] == class_ids[order][None, :]
    alive = np.ones(len(order), np.bool_)
    kept = []
    for place in range(len(order)):
        if alive[place]:
            kept.append(place)
            alive &= ~overlaps[place]
            if len(kept) == MOST_KEPT:
                break
    return np.asarray(order[np.array(kept)], np.int64)
