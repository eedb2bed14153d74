"""Golden clips and the gate for a new model."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from analytics_qa.accuracy import Accuracy
from analytics_qa.detections import NOTHING, named
from analytics_qa.detections_file import Frame
from analytics_qa.errors import GoldenError
from analytics_qa.gate import Limits, accuracy_ok
from analytics_qa.golden import GoldenClip, clip_document, read_clip, replay
from analytics_qa.intervals import share

DAY = date(2026, 3, 1)
TRUTH = named([("person", 1.0, [10, 10, 30, 60]), ("vehicle", 1.0, [100, 50, 180, 90])])
FRAMES = 40
LIMITS = Limits(least_n=30)


def write_clip(folder: Path) -> None:
    frames = [Frame(index, index / 5, TRUTH) for index in range(FRAMES)]
    files = [f"{index:04}.png" for index in range(FRAMES)]
    for name in files:
        (folder / name).write_bytes(name.encode())
    text = clip_document(name="gate", condition="day", day=DAY, frames=frames, files=files, limits=LIMITS)
    (folder / "clip.json").write_text(text)


@pytest.fixture
def clip(tmp_path: Path) -> GoldenClip:
    write_clip(tmp_path)
    return read_clip(tmp_path)


def test_a_perfect_model_passes_and_a_blind_one_does_not(clip: GoldenClip) -> None:
    perfect = replay(clip, {frame.index: frame.found for frame in clip.frames})
    blind = replay(clip, {frame.index: NOTHING for frame in clip.frames})
    assert (perfect.verdict.ok, dict(perfect.ap50), perfect.missing) == (True, {"person": 1.0, "vehicle": 1.0}, 0)
    assert (blind.verdict.ok, dict(blind.ap50)) == (False, {"person": 0.0, "vehicle": 0.0})
    assert perfect.digest == blind.digest == clip.digest


def test_a_camera_that_says_nothing_of_a_frame_has_missed_it(clip: GoldenClip) -> None:
    result = replay(clip, {frame.index: frame.found for frame in clip.frames[: FRAMES // 2]})
    assert (result.missing, result.accuracy.recall.value, result.verdict.ok) == (FRAMES // 2, 0.5, False)


def test_the_digest_changes_with_every_byte_of_truth_or_picture(clip: GoldenClip, tmp_path: Path) -> None:
    (tmp_path / "0007.png").write_bytes(b"another picture")
    assert read_clip(tmp_path).digest != clip.digest


def changed(**values: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "clip.json"
        content = {**json.loads(path.read_text()), **values}
        path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))

    return change


BROKEN: dict[str, Callable[[Path], object]] = {
    "no clip.json": lambda folder: (folder / "clip.json").unlink(),
    "a picture is missing": lambda folder: (folder / "0001.png").unlink(),
    "no name": changed(name=None),
    "a day that is none": changed(day="yesterday"),
    "a file elsewhere": changed(files=["../../etc/passwd"] * FRAMES),
    "fewer files than frames": changed(files=["0001.png"]),
    "a limit that is a word": changed(limits={"least_recall": "high"}),
    "a limit that is no number": changed(limits={"least_recall": float("nan")}),
    "a limit nobody knows": changed(limits={"least_recal": 0.5}),
    "no frames": changed(frames=[], files=[]),
    "not JSON": lambda folder: (folder / "clip.json").write_text("{"),
}


@pytest.mark.parametrize("breaks", BROKEN.values(), ids=BROKEN)
def test_refuses_a_broken_clip(breaks: Callable[[Path], object], tmp_path: Path) -> None:
    write_clip(tmp_path)
    breaks(tmp_path)
    with pytest.raises(GoldenError):
        read_clip(tmp_path)


# --- the gate ---


def measured(recall: int, precision: int, n: int = 100, condition: str = "day") -> Accuracy:
    return Accuracy(condition, share(precision * n // 100, n), share(recall * n // 100, n), 50, DAY, DAY)


GATES = {
    "as good as before": (measured(90, 90), measured(89, 91), True, "recall 0.89"),
    "never measured before, and good": (None, measured(90, 90), True, "precision 0.90"),
    "never measured after": (measured(90, 90), None, False, "not measured"),
    "recall fell": (measured(95, 90), measured(85, 95), False, "fell from 0.95"),
    "precision fell": (measured(90, 98), measured(95, 85), False, "precision 0.85"),
    "below the limit, whatever was before": (measured(70, 90), measured(72, 90), False, "below 0.80"),
    "too few objects": (measured(90, 90), measured(90, 90, n=20), False, "only 20 of at least 30"),
    "nothing to measure with": (None, measured(0, 0, n=0), False, "only 0"),
    "another condition": (measured(90, 90), measured(90, 90, condition="night-ir"), False, "not comparable"),
}


@pytest.mark.parametrize(("before", "after", "ok", "words"), GATES.values(), ids=GATES)
def test_the_gate(before: Accuracy | None, after: Accuracy | None, ok: bool, words: str) -> None:
    verdict = accuracy_ok(before, after)
    assert verdict.ok is ok
    assert any(words in reason for reason in verdict.reasons)


@pytest.mark.parametrize(
    "limits", [{"least_recall": 1.5}, {"most_fall": float("nan")}, {"least_n": 0}], ids=["over", "no number", "none"]
)
def test_a_limit_that_cannot_be_meant_is_no_limit(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"limit|least_n"):
        replace(Limits(), **limits)
