"""What a value of detections may hold, and the file format that carries it."""

import json
from collections.abc import Sequence

import numpy as np
import pytest

from analytics_qa.detections import NOTHING, Detections, detections, named
from analytics_qa.detections_file import FORMAT, Frame, document, read_document
from analytics_qa.errors import DetectionsError
from analytics_qa.from_metadata import from_metadata
from analytics_qa.overlap import iou, without_doubles
from cameras.metadata import Box, MetadataFrame, SeenObject

NAMES = ("person", "vehicle")
BOX = [10, 20, 30, 60]

IMPOSSIBLE: dict[str, tuple[object, object, object]] = {
    "a corner that is no number": ([[10, 20, float("nan"), 60]], [0.5], [0]),
    "a corner at infinity": ([[10, 20, float("inf"), 60]], [0.5], [0]),
    "right before left": ([[30, 20, 10, 60]], [0.5], [0]),
    "bottom above top": ([[10, 60, 30, 20]], [0.5], [0]),
    "a score above one": ([BOX], [1.5], [0]),
    "a score below nothing": ([BOX], [-0.1], [0]),
    "a score that is no number": ([BOX], [float("nan")], [0]),
    "more scores than boxes": ([BOX], [0.5, 0.5], [0]),
    "fewer classes than boxes": ([BOX, BOX], [0.5, 0.5], [0]),
    "a class without a name": ([BOX], [0.5], [2]),
    "a class below the first": ([BOX], [0.5], [-1]),
    "five corners": ([[1, 2, 3, 4, 5]], [0.5], [0]),
    "words": ([["a", "b", "c", "d"]], [0.5], [0]),
}


@pytest.mark.parametrize(("boxes", "scores", "ids"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_refuses_what_cannot_be(boxes: Sequence[object], scores: Sequence[float], ids: Sequence[int]) -> None:
    with pytest.raises(DetectionsError):
        detections(boxes, scores, ids, NAMES)  # type: ignore[arg-type] # rows of nonsense are the point


def test_what_is_made_cannot_be_changed() -> None:
    one = detections([BOX], [0.5], [0], NAMES)
    with pytest.raises(ValueError, match="read-only"):
        one.boxes[0, 0] = 5


def test_is_taken_apart_by_class_and_score() -> None:
    both = detections([BOX, BOX, BOX], [0.9, 0.4, 0.6], [0, 1, 1], NAMES)
    assert (len(both.of("vehicle")), len(both.of("giraffe")), len(both.above(0.5))) == (2, 0, 2)
    assert both.above(0.5).classes == ("person", "vehicle")
    assert len(NOTHING) == 0


def test_overlap_is_shared_area_by_whole_area() -> None:
    one = np.array([[0, 0, 10, 10], [0, 0, 0, 0]], np.float32)
    other = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    assert iou(one, other) == pytest.approx(np.array([[1, 1 / 3, 0], [0, 0, 0]]), abs=1e-6)


def test_of_boxes_that_mean_one_object_the_best_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [1, 0, 11, 10], [40, 40, 50, 50]], np.float32)
    scores = np.array([0.5, 0.9, 0.8, 0.7], np.float32)
    kept = without_doubles(boxes, scores, np.array([0, 0, 1, 0]), 0.5)
    assert kept.tolist() == [1, 2, 3], "another class is another object"


def test_a_model_gone_wild_is_cut_to_its_best() -> None:
    corner = np.arange(5000, dtype=np.float32)[:, None] * 20
    boxes = np.concatenate([corner, corner, corner + 10, corner + 10], axis=1)
    kept = without_doubles(boxes, np.linspace(0, 1, 5000, dtype=np.float32), np.zeros(5000, np.int64), 0.5)
    assert len(kept) == 300
    assert kept[0] == 4999


# --- the file ---

ROW = {"class": "person", "confidence": 0.9, "box": [1, 2, 3, 4]}


def file(**changed: object) -> bytes:
    frame = {"index": 0, "time_s": None, "objects": [ROW]}
    return json.dumps({"format": FORMAT, "frames": [{**frame, **changed}]}).encode()


def test_what_is_written_is_read_back() -> None:
    frames = [Frame(0, 0.0, named([("person", 0.5, [1, 2, 3, 4])])), Frame(7, None, NOTHING)]
    read = read_document(json.dumps(document(frames)).encode(), "found.json")
    assert [(one.index, one.time_s, one.found.classes, one.found.boxes.tolist()) for one in read] == [
        (0, 0.0, ("person",), [[1, 2, 3, 4]]),
        (7, None, (), []),
    ]


def test_a_truth_needs_no_confidence() -> None:
    (one,) = read_document(file(objects=[{"class": "person", "box": [1, 2, 3, 4]}]), "truth.json")
    assert one.found.scores.tolist() == [1.0]


BAD_FILES = {
    "not JSON": (b"<html>", "not JSON"),
    "another format": (b'{"format": "camwarden/assessment/1"}', "not of the format"),
    "a list": (b"[]", "not of the format"),
    "no frames": (json.dumps({"format": FORMAT}).encode(), "no list of frames"),
    "nested without end": (b"[" * 100_000, "not JSON"),
    "a frame that is a number": (json.dumps({"format": FORMAT, "frames": [1]}).encode(), "frame 0"),
    "two frames of one index": (
        json.dumps({"format": FORMAT, "frames": [{"index": 1, "objects": []}] * 2}).encode(),
        "same index",
    ),
    "an index that is true": (file(index=True), "index"),
    "a time that is a word": (file(time_s="now"), "time_s"),
    "a box of three": (file(objects=[{**ROW, "box": [1, 2, 3]}]), "four numbers"),
    "a box upside down": (file(objects=[{**ROW, "box": [1, 4, 3, 2]}]), "left, top, right, bottom"),
    "a confidence of NaN": (file(objects=[{**ROW, "confidence": float("nan")}]), "confidence"),
    "a class without a word": (file(objects=[{**ROW, "class": ""}]), "class"),
    "more objects than a picture holds": (file(objects=[ROW] * 10_001), "at most"),
}


@pytest.mark.parametrize(("body", "words"), BAD_FILES.values(), ids=BAD_FILES)
def test_says_what_is_wrong_with_a_file(body: bytes, words: str) -> None:
    with pytest.raises(DetectionsError, match=words):
        read_document(body, "found.json")


# --- from a camera ---

SHARES = Box(0.25, 0.5, 0.5, 1.0, "share")
METADATA = {
    "shares of the picture": (SeenObject("1", SHARES, "Human", 0.8), None, ("person", 0.8, [160, 180, 320, 360])),
    "a grid of 8192": (
        SeenObject("1", Box(2048, 4096, 4096, 8192, "grid"), "Car", None),
        (8192, 8192),
        ("vehicle", 1.0, [160, 180, 320, 360]),
    ),
    "pixels of this very picture": (
        SeenObject("1", Box(160, 180, 320, 360, "grid"), "Giraffe", 0.5),
        None,
        ("Giraffe", 0.5, [160, 180, 320, 360]),
    ),
    "no class": (SeenObject("1", SHARES, None, None), None, ("object", 1.0, [160, 180, 320, 360])),
}


@pytest.mark.parametrize(("seen", "grid", "expected"), METADATA.values(), ids=METADATA)
def test_takes_what_a_camera_says(
    seen: SeenObject, grid: tuple[int, int] | None, expected: tuple[str, float, list[int]]
) -> None:
    found = from_metadata(MetadataFrame(None, None, (seen,), 0), (640, 360), grid)
    assert isinstance(found, Detections)
    assert (found.classes[0], found.boxes[0].tolist()) == (expected[0], expected[2])
    assert found.scores[0] == pytest.approx(expected[1])


def test_an_object_of_a_camera_that_lies_beside_the_picture_is_left_out() -> None:
    beside = SeenObject("1", Box(9000, 0, 9100, 100, "grid"), "Human", 0.8)
    assert len(from_metadata(MetadataFrame(None, None, (beside,), 0), (640, 360), (8192, 8192))) == 0
