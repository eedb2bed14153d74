"""Model files and manifests that do not fit, and what comes back from those that do."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from analytics_qa.detector import OUR_MODEL, Detector, Picture
from analytics_qa.errors import ModelError
from analytics_qa.golden_picture import check_golden, golden_picture_of
from analytics_qa.models import FORMATS, manifest_of, read_manifest
from simulator.scenes import Scene

ROOT = Path(__file__).parents[2]
GREY = np.full((360, 640, 3), 90, np.uint8)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of ours that may be spoilt."""
    for source in (OUR_MODEL, manifest_of(OUR_MODEL)):
        shutil.copy(source, tmp_path / source.name)
    return tmp_path / OUR_MODEL.name


def manifest(**changed: object) -> Callable[[Path], None]:
    """Write the manifest anew; `None` takes a key out, a key with `__` is one of the input."""

    def write(model: Path) -> None:
        path = manifest_of(model)
        content: dict[str, Any] = yaml.safe_load(path.read_text())
        content.pop("sha256", None)
        for key, value in changed.items():
            place, name = (content["input"], key[7:]) if key.startswith("input__") else (content, key)
            if value is None:
                place.pop(name)
            else:
                place[name] = value
        path.write_text(yaml.safe_dump(content))

    return write


def text(words: str) -> Callable[[Path], None]:
    def write(model: Path) -> None:
        manifest_of(model).write_text(words)

    return write


def model_is(content: bytes) -> Callable[[Path], None]:
    def write(model: Path) -> None:
        manifest()(model)
        model.write_bytes(content)

    return write


UNFIT: dict[str, tuple[Callable[[Path], object], str]] = {
    "no manifest": (lambda model: manifest_of(model).unlink(), "needs its manifest"),
    "no model": (lambda model: model.unlink(), "cannot be read"),
    "a model that is a web page": (model_is(b"<html>login</html>"), "not an ONNX model"),
    "a model of no bytes": (model_is(b""), "not an ONNX model"),
    "a model that is cut off": (model_is(OUR_MODEL.read_bytes()[:100_000]), "not an ONNX model"),
    "another file than the manifest was written for": (manifest(sha256="0" * 64), "sha256 differs"),
    "a manifest that is no YAML": (text("format: [yolox"), "not YAML"),
    "a manifest that is a list": (text("- yolox"), "the file"),
    "a manifest with aliases": (text("a: &a [1]\nb: *a"), "aliases"),
    "a key nobody knows": (manifest(colour="bgr"), "colour"),
    "a number that is a word": (manifest(score_threshold="high"), "score_threshold"),
    "a threshold above one": (manifest(iou_threshold=1.5), "iou_threshold"),
    "a colour order that is none": (manifest(input__color="rbg"), "input.color"),
    "a deviation of nothing": (manifest(input__std=[1, 0, 1]), "input.std"),
    "two means": (manifest(input__mean=[1, 2]), "input.mean"),
    "no classes": (manifest(classes={}), "classes"),
    "a class without a word": (manifest(classes={0: ""}), "classes"),
    "no licence": (manifest(license=None), "license"),
    "a golden picture elsewhere": (
        manifest(golden={"picture": "../a.png", "boxes": [{"class": "person", "box": [1, 2, 3, 4]}]}),
        "beside the manifest",
    ),
    "more classes than the model has": (manifest(classes={0: "person", 7: "vehicle"}), "class 7"),
    "strides of another model": (manifest(strides=[8, 16, 32]), "strides"),
    "the layout of another family": (manifest(format="yolov8"), "this format needs"),
    "another input size": (manifest(input__size=[640, 640]), "the manifest says"),
}


@pytest.mark.parametrize(("spoil", "words"), UNFIT.values(), ids=UNFIT)
def test_says_what_does_not_fit(model: Path, spoil: Callable[[Path], object], words: str) -> None:
    spoil(model)
    with pytest.raises(ModelError, match=words):
        Detector.load(model)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"yolox", "yolov8", "fastestdet"}))
def test_says_which_formats_come_later(model: Path, name: str) -> None:
    manifest(format=name)(model)
    with pytest.raises(ModelError, match="not yet supported"):
        Detector.load(model)


def test_our_model_is_the_one_that_its_manifest_was_written_for() -> None:
    ours = read_manifest(manifest_of(OUR_MODEL))
    assert ours.sha256
    assert ours.license == "Apache-2.0"
    assert "ynthetic scenes only" in ours.description
    assert OUR_MODEL.stat().st_size < 1024 * 1024
    assert Detector.load().manifest == ours


def test_our_model_finds_what_it_must_in_its_golden_picture() -> None:
    detector = Detector.load()
    path = golden_picture_of(OUR_MODEL, detector)
    assert path is not None
    picture = cv2.imread(str(path))
    assert picture is not None
    check_golden(detector, picture.astype(np.uint8))


def test_a_picture_that_is_none_is_refused() -> None:
    with pytest.raises(ModelError, match="blue first"):
        Detector.load().detect(np.zeros((10, 10), np.uint8))


@pytest.mark.parametrize("color", ["bgr", "rgb"])
@pytest.mark.parametrize("resize", ["letterbox", "stretch"])
@pytest.mark.parametrize("place", ["corner", "centre"])
def test_the_input_is_made_as_the_manifest_says(model: Path, color: str, resize: str, place: str) -> None:
    changed = {"color": color, "resize": resize, "place": place, "scale": 0.5, "mean": [1.0, 2.0, 3.0], "pad": 20}
    manifest(**{f"input__{key}": value for key, value in changed.items()}, input__std=[1.0, 2.0, 4.0])(model)
    detector = Detector.load(model)
    width, height = detector.size
    picture = np.empty((width, width, 3), np.uint8)
    picture[:] = (10, 20, 30)
    made = detector.prepared(picture)[0]
    first = [10, 20, 30] if color == "bgr" else [30, 20, 10]
    inside = [(value * 0.5 - mean) / std for value, mean, std in zip(first, (1, 2, 3), (1, 2, 4), strict=True)]
    outside = [(10 - mean) / std for mean, std in zip((1, 2, 3), (1, 2, 4), strict=True)]
    edge = {"corner": inside, "centre": outside}[place] if resize == "letterbox" else inside
    assert made[:, height // 2, width // 2].tolist() == pytest.approx(inside)
    assert made[:, 0, 0].tolist() == pytest.approx(edge)
    assert made[:, 0, width - 1].tolist() == pytest.approx(inside if resize == "stretch" else outside)


@pytest.fixture(scope="module")
def street() -> Picture:
    for seed in range(100, 120):
        view = Scene(seed).view(43_200.0, light="day")
        if len(Detector.load().detect(view.picture)) >= 2:
            picture: Picture = view.picture
            return picture
    raise AssertionError("twenty scenes, and it found nobody")


def test_boxes_are_in_pixels_of_the_picture_whatever_its_size(street: Picture) -> None:
    detector = Detector.load()
    small = detector.detect(street)
    large = detector.detect(np.repeat(np.repeat(street, 2, axis=0), 2, axis=1))
    again = detector.detect(street)
    assert again.boxes.tolist() == small.boxes.tolist(), "a picture of another size leaves nothing behind"
    assert len(large) >= 2
    assert large.boxes[0].tolist() == pytest.approx((small.boxes[0] * 2).tolist(), abs=8)


def test_nobody_is_found_on_a_grey_wall() -> None:
    assert len(Detector.load().detect(GREY)) == 0


def test_the_golden_picture_notices_a_wrong_manifest(model: Path, street: Picture) -> None:
    found = Detector.load().detect(street)
    boxes = [{"class": name, "box": box} for name, box in zip(found.classes, found.boxes.tolist(), strict=True)]
    golden = {"picture": "golden.png", "boxes": boxes}
    manifest(golden=golden)(model)
    check_golden(Detector.load(model), street)
    manifest(golden=golden, input__scale=0.004)(model)
    with pytest.raises(ModelError, match="golden picture"):
        check_golden(Detector.load(model), street)


def test_the_library_below_is_told_to_report_nothing_to_its_maker(tmp_path: Path) -> None:
    program = "from analytics_qa.detector import Detector; Detector.load()"
    known = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], check=True, env={**known, **home}, cwd=ROOT)
    assert list(tmp_path.rglob("*")) == []
