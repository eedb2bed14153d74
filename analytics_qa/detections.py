"""One value for what was found in a picture, whoever found it: a model, a camera, a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics_qa.errors import DetectionsError

Boxes = NDArray[np.float32]
Scores = NDArray[np.float32]
Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]
CORNERS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """N objects of one picture. `boxes` is N x 4: left, top, right, bottom in pixels, y downwards.

    `scores` lie in 0..1; `class_ids` point into `names`. Checked when it is made, and not to be changed after.
    """

    boxes: Boxes
    scores: Scores
    class_ids: Ids
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        count = len(self.boxes)
        if self.boxes.shape != (count, CORNERS) or self.scores.shape != (count,) or self.class_ids.shape != (count,):
            raise DetectionsError("boxes, scores and classes must be as many as each other, four corners to a box")
        if count:
            self._refuse_impossible()
        for column in (self.boxes, self.scores, self.class_ids):
            column.flags.writeable = False

    def _refuse_impossible(self) -> None:
        if not np.isfinite(self.boxes).all():
            raise DetectionsError("a corner of a box is no finite number")
        if (self.boxes[:, :2] > self.boxes[:, 2:]).any():
            raise DetectionsError("a box is not written as left, top, right, bottom")
        if not ((self.scores >= 0) & (self.scores <= 1)).all():
            raise DetectionsError("a score lies outside 0 to 1")
        if self.class_ids.min() < 0 or self.class_ids.max() >= len(self.names):
            raise DetectionsError("a class has no name")

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def classes(self) -> tuple[str, ...]:
        """The name of each object's class."""
        return tuple(self.names[index] for index in self.class_ids)

    def taken(self, chosen: Mask | Ids) -> Self:
        """Those that a mask or a list of indices chooses."""
        return type(self)(self.boxes[chosen], self.scores[chosen], self.class_ids[chosen], self.names)

    def of(self, name: str) -> Self:
        """Those of one class; none where nobody knows such a class."""
        wanted = self.names.index(name) if name in self.names else -1
        return self.taken(self.class_ids == wanted)

    def above(self, score: float) -> Self:
        return self.taken(self.scores >= score)


def detections(boxes: ArrayLike, scores: ArrayLike, class_ids: ArrayLike, names: Sequence[str]) -> Detections:
    """From any numbers, copied. Raises DetectionsError."""
    try:
        corners = np.array(boxes, np.float32).reshape(-1, CORNERS)
        return Detections(corners, np.array(scores, np.float32), np.array(class_ids, np.int64), tuple(names))
    except (TypeError, ValueError, OverflowError) as error:
        raise DetectionsError("boxes are four numbers, scores one, classes whole ones") from error


def named(objects: Iterable[tuple[str, float, Sequence[float]]]) -> Detections:
    """From rows of class, score and box. Raises DetectionsError."""
    rows = list(objects)
    names = tuple(dict.fromkeys(name for name, _, _ in rows))
    if any(len(box) != CORNERS for _, _, box in rows):
        raise DetectionsError("a box has four corners: left, top, right, bottom")
    return detections(
        [list(box) for _, _, box in rows], [score for _, score, _ in rows], [names.index(name) for name, _, _ in rows],
        names,
    )  # fmt: skip


NOTHING = named(())
