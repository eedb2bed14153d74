"""Raw numbers of each layout, written by hand, and the boxes that they mean."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics_qa.decoders import DECODERS, Layout
from analytics_qa.errors import ModelError

IDS = np.array([0, 2])
WORDS = np.array([0, 1])


def layout(**changed: object) -> Layout:
    values: dict[str, Any] = {
        "width": 64, "height": 32, "strides": (8, 16), "decoded": False, "threshold": np.float32(0.5), "columns": IDS,
        "ours": WORDS,
    }  # fmt: skip
    return Layout(**{**values, **changed})


def yolox(*rows: tuple[int, list[float]], count: int = 8 * 4 + 4 * 2) -> NDArray[np.float32]:
    table = np.zeros((1, count, 8), np.float32)
    for place, values in rows:
        table[0, place] = values
    return table


def yolov8(*columns: list[float]) -> NDArray[np.float32]:
    return np.array([columns], np.float32).transpose(0, 2, 1)


def fastestdet(row: int, column: int, values: list[float]) -> NDArray[np.float32]:
    table = np.zeros((1, 8, 2, 4), np.float32)
    table[0, :, row, column] = values
    return table


LOG2, NAN = float(np.log(2)), float("nan")
FOUND: dict[str, tuple[str, Layout, NDArray[np.float32], list[tuple[list[float], float, int]]]] = {
    "yolox: a cell of the first stride": (
        "yolox", layout(), yolox((8 + 2, [0.5, 0.25, LOG2, 0, 0.9, 1.0, 0, 0])), [([12, 6, 28, 14], 0.9, 0)],
    ),
    "yolox: a cell of the second stride": (
        "yolox", layout(), yolox((32 + 4 + 1, [0, 0, 0, 0, 1.0, 0, 0, 0.8])), [([8, 8, 24, 24], 0.8, 1)],
    ),
    "yolox: pixels, where it has decoded them itself": (
        "yolox", layout(decoded=True), yolox((0, [20, 10, 8, 4, 1.0, 1.0, 0, 0])), [([16, 8, 24, 12], 1.0, 0)],
    ),
    "yolox: a class that is not ours is nobody": (
        "yolox", layout(), yolox((0, [0, 0, 0, 0, 1.0, 0, 1.0, 0])), [],
    ),
    "yolox: sure of an object, not of its class": (
        "yolox", layout(), yolox((0, [0, 0, 0, 0, 0.7, 0.7, 0, 0])), [],
    ),
    "yolox: NaN is no object": (
        "yolox", layout(), yolox((0, [0, 0, 0, 0, NAN, 1, 0, 0]), (1, [0, 0, 0, 0, 1, NAN, 0, 0])), [],
    ),
    "yolov8: a column per candidate, no objectness": (
        "yolov8", layout(), yolov8([20, 10, 8, 4, 0.1, 0.9, 0.6], [30, 10, 8, 4, 0.4, 0.9, 0.3]),
        [([16, 8, 24, 12], 0.6, 1)],
    ),
    "fastestdet: size as a share of the picture": (
        "fastestdet", layout(), fastestdet(1, 2, [1.0, 0, 0, 0, 0, 1.0, 0, 0]), [([16, 8, 48, 24], 1.0, 0)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "of", "output", "expected"), FOUND.values(), ids=FOUND)
def test_decodes(
    name: str, of: Layout, output: NDArray[np.float32], expected: list[tuple[list[float], float, int]]
) -> None:
    boxes, scores, ids = DECODERS[name](of)(output)
    assert boxes.tolist() == [pytest.approx(box, abs=1e-4) for box, _, _ in expected]
    assert scores.tolist() == [pytest.approx(score) for _, score, _ in expected]
    assert ids.tolist() == [number for _, _, number in expected]


def test_a_box_gone_wild_stays_finite() -> None:
    boxes, _, _ = DECODERS["yolox"](layout())(yolox((0, [0, 0, 1e30, 1e30, 1, 1, 0, 0])))
    assert np.isfinite(boxes).all()


WRONG = {
    "yolox: strides that make other rows": ("yolox", yolox(count=41), "41 rows"),
    "yolox: too few classes": ("yolox", np.zeros((1, 40, 7), np.float32), "class 2"),
    "yolox: given transposed": ("yolox", np.zeros((1, 8, 40), np.float32), "8 rows"),
    "yolov8: too few classes": ("yolov8", np.zeros((1, 6, 40), np.float32), "class 2"),
    "yolov8: two pictures": ("yolov8", np.zeros((2, 8, 40), np.float32), r"\[2, 8, 40\]"),
    "fastestdet: rows of yolox": ("fastestdet", np.zeros((1, 40, 8), np.float32), r"\[1, 40, 8\]"),
    "a bare number": ("yolox", np.zeros((), np.float32), r"\[\]"),
}


@pytest.mark.parametrize(("name", "output", "words"), WRONG.values(), ids=WRONG)
def test_says_which_shape_does_not_fit(name: str, output: NDArray[np.float32], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        DECODERS[name](layout())(output)
