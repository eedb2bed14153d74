"""What a detector's numbers mean, one function for each layout. Pure: raw output in, boxes in pixels of the input out.

A decoder is made once for a model (`DECODERS[format](layout)`) and then called for every picture, so that grids and
class tables are not made again. What it cannot read as its layout is a ModelError.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from analytics_qa.detections import Boxes, Ids, Scores
from analytics_qa.errors import ModelError
from analytics_qa.models import MOST_CLASSES, Manifest

Raw = NDArray[np.float32]
Found = tuple[Boxes, Scores, Ids]
Decode = Callable[[Raw], Found]
_BOX = 4
_LARGEST_LOG_SIDE = np.float32(8.0)  # e^8 cells are larger than any picture: a model gone wild makes no infinities


@dataclass(frozen=True, slots=True)
class Layout:
    """What a decoder must know of a model: its input, and which of its classes are ours."""

    width: int
    height: int
    strides: tuple[int, ...]
    decoded: bool
    threshold: np.float32
    columns: Ids  # of the model's classes
    ours: Ids  # and what each of them is in our table of names

    @property
    def highest_class(self) -> int:
        return int(self.columns.max())


def layout_of(manifest: Manifest, width: int, height: int) -> Layout:
    columns = sorted(manifest.classes)
    names = manifest.names
    return Layout(
        width=width,
        height=height,
        strides=manifest.strides,
        decoded=manifest.decoded,
        threshold=np.float32(manifest.score_threshold),
        columns=np.array(columns, np.int64),
        ours=np.array([names.index(manifest.classes[column]) for column in columns], np.int64),
    )


# --- YOLOX: [1, N, 5 + C], a row per cell: dx, dy, log w, log h, objectness, classes ---


def yolox(layout: Layout) -> Decode:
    """`decoded` models give centre and size in pixels; others relative to their cell, stride by stride."""
    cells, strides = grid(layout)

    def decode(output: Raw) -> Found:
        rows = _rows(output, layout, before_classes=_BOX + 1)
        if not layout.decoded and len(rows) != len(cells):
            raise ModelError(f"the model gives {len(rows)} rows; its strides and input make {len(cells)}")
        likely = np.flatnonzero(rows[:, _BOX] >= layout.threshold)
        chosen, scores, ids = _best(rows[likely], layout, before_classes=_BOX + 1, objectness=True)
        likely = likely[chosen]
        boxes = rows[likely, :_BOX]
        if not layout.decoded:
            step = strides[likely, None]
            centre = (boxes[:, :2] + cells[likely]) * step
            boxes = np.concatenate([centre, np.exp(np.minimum(boxes[:, 2:], _LARGEST_LOG_SIDE)) * step], axis=1)
        return corners(boxes), scores, ids

    return decode


def grid(layout: Layout) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Column and row of every cell, and its stride, in the order in which YOLOX gives them."""
    places, steps = [], []
    for stride in layout.strides:
        across, down = layout.width // stride, layout.height // stride
        columns, rows = np.meshgrid(np.arange(across), np.arange(down))
        places.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        steps.append(np.full(across * down, stride))
    return np.concatenate(places).astype(np.float32), np.concatenate(steps).astype(np.float32)


# --- YOLOv8, v9, 11, 12: [1, 4 + C, N], a column per candidate: centre, size in pixels, classes; no objectness ---


def yolov8(layout: Layout) -> Decode:
    def decode(output: Raw) -> Found:
        # More than that are no classes but the candidates of another family, whose table stands the other way round.
        classes = output.shape[1] - _BOX if output.ndim == 3 and output.shape[0] == 1 else 0  # noqa: PLR2004
        if not layout.highest_class < classes <= MOST_CLASSES:
            raise ModelError(_mismatch(output.shape, f"[1, 4 + classes, N] with class {layout.highest_class}"))
        table = output[0]
        of_classes = table[layout.columns + _BOX]
        best = of_classes.max(axis=0)
        chosen = np.flatnonzero(best >= layout.threshold)
        ids = layout.ours[of_classes[:, chosen].argmax(axis=0)]
        return corners(np.ascontiguousarray(table[:_BOX, chosen].T)), best[chosen], ids

    return decode


# --- FastestDet: [1, 5 + C, rows, columns]: objectness, dx, dy (tanh), w, h (sigmoid, of the picture), classes ---


def fastestdet(layout: Layout) -> Decode:
    def decode(output: Raw) -> Found:
        if output.ndim != 4 or output.shape[0] != 1 or output.shape[1] <= _BOX + 1 + layout.highest_class:  # noqa: PLR2004
            raise ModelError(_mismatch(output.shape, f"[1, 5 + classes, H, W] with class {layout.highest_class}"))
        table = output[0]
        of_classes = table[layout.columns + _BOX + 1]
        score = np.clip(table[0], 0, 1) ** np.float32(0.6) * np.clip(of_classes.max(axis=0), 0, 1) ** np.float32(0.4)
        rows, columns = np.nonzero(score >= layout.threshold)
        dx, dy, width, height = table[1:5, rows, columns]
        whole = np.array([layout.width, layout.height], np.float32)
        cells = np.array([table.shape[2], table.shape[1]], np.float32)
        centre = (np.stack([columns, rows], axis=1) + np.tanh(np.stack([dx, dy], axis=1))) / cells * whole
        size = whole / (1 + np.exp(-np.stack([width, height], axis=1)))
        ids = layout.ours[of_classes[:, rows, columns].argmax(axis=0)]
        boxes = corners(np.concatenate([centre, size], axis=1).astype(np.float32))
        return boxes, score[rows, columns].astype(np.float32), ids

    return decode


DECODERS: Mapping[str, Callable[[Layout], Decode]] = MappingProxyType(
    {"yolox": yolox, "yolov8": yolov8, "fastestdet": fastestdet}
)


# --- what the layouts share ---


def corners(centred: Boxes) -> Boxes:
    """Centre and size become left, top, right, bottom."""
    half = centred[:, 2:] / 2
    return np.concatenate([centred[:, :2] - half, centred[:, :2] + half], axis=1)


def _rows(output: Raw, layout: Layout, *, before_classes: int) -> Raw:
    if output.ndim != 3 or output.shape[0] != 1 or output.shape[2] <= before_classes + layout.highest_class:  # noqa: PLR2004
        wanted = f"[1, N, {before_classes} + classes] with class {layout.highest_class}"
        raise ModelError(_mismatch(output.shape, wanted))
    rows: Raw = output[0]
    return rows


def _best(rows: Raw, layout: Layout, *, before_classes: int, objectness: bool) -> tuple[Ids, Scores, Ids]:
    """Which rows are sure enough, how sure, and our class of each."""
    of_classes = rows[:, before_classes + layout.columns]
    best = of_classes.argmax(axis=1)
    scores = of_classes[np.arange(len(rows)), best]
    if objectness:
        scores = scores * rows[:, before_classes - 1]
    chosen = np.flatnonzero(scores >= layout.threshold)
    return chosen, scores[chosen], layout.ours[best[chosen]]


def _mismatch(shape: Sequence[int], wanted: str) -> str:
    return f"the model's output is {list(shape)}; this format needs {wanted}"
