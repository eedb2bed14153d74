"""The command `camwarden analytics`, as a process."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from analytics_qa.detections import named
from analytics_qa.detections_file import Frame
from analytics_qa.detector import OUR_MODEL
from analytics_qa.gate import Limits
from analytics_qa.golden import clip_document
from simulator.scenes import Scene
from tests.cli.running import camwarden

TRUTH = {"class": "person", "confidence": 1.0, "box": [10, 10, 30, 60]}


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(3)


@pytest.fixture
def picture(tmp_path: Path, scene: Scene) -> Path:
    path = tmp_path / "street.png"
    cv2.imwrite(str(path), scene.view(43_200.0, light="day").picture)
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "yard.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for level in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((96, 160, 3), level * 20, np.uint8), format="bgr24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def written(path: Path, *frames: Sequence[object]) -> Path:
    content = [{"index": index, "time_s": index * 20.0, "objects": objects} for index, objects in enumerate(frames)]
    path.write_text(json.dumps({"format": "camwarden/detections/1", "frames": content}))
    return path


async def test_detects_in_a_picture(tmp_path: Path, picture: Path) -> None:
    ended = await camwarden(tmp_path, "analytics", "detect", picture, "--json")
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert found["format"] == "camwarden/detections/1"
    (frame,) = found["frames"]
    assert (frame["index"], frame["time_s"]) == (0, None)
    for one in frame["objects"]:
        left, top, right, bottom = one["box"]
        assert one["class"] in {"person", "vehicle"}
        assert 0 <= left < right <= 640
        assert 0 <= top < bottom <= 360


async def test_detects_in_every_other_frame_of_a_video(tmp_path: Path, video: Path) -> None:
    ended = await camwarden(tmp_path, "analytics", "detect", video, "--every", "4", "--json")
    assert ended.code == 0
    frames = json.loads(ended.out)["frames"]
    assert [(one["index"], one["time_s"]) for one in frames] == [(0, 0.0), (4, 0.8), (8, 1.6)]


async def test_tells_a_person_how_many_there_were(tmp_path: Path, video: Path) -> None:
    ended = await camwarden(tmp_path, "analytics", "detect", video)
    assert (ended.code, "10 frames, by scenes" in ended.out) == (0, True)


async def test_says_when_a_file_cannot_be_decoded(tmp_path: Path) -> None:
    (tmp_path / "noise.mp4").write_bytes(b"\x00\x01\x02" * 1000)
    ended = await camwarden(tmp_path, "analytics", "detect", tmp_path / "noise.mp4")
    assert (ended.code, ended.out, "noise.mp4 cannot be decoded" in ended.err) == (3, "", True)


async def test_says_which_file_is_missing(tmp_path: Path) -> None:
    ended = await camwarden(tmp_path, "analytics", "detect", tmp_path / "none.png")
    assert (ended.code, "cannot be read" in ended.err) == (2, True)


async def test_says_which_model_does_not_fit(tmp_path: Path, picture: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"no model")
    ended = await camwarden(tmp_path, "analytics", "detect", picture, "--model", tmp_path / "mine.onnx")
    assert (ended.code, "mine.yaml is missing" in ended.err) == (2, True)


async def test_scores_detections_beside_the_truth(tmp_path: Path) -> None:
    truth = written(tmp_path / "truth.json", *[[TRUTH, TRUTH | {"box": [100, 10, 120, 60]}]] * 10)
    found = written(tmp_path / "found.json", *[[TRUTH]] * 8, *[[TRUTH, TRUTH | {"box": [200, 10, 220, 60]}]] * 2)
    ended = await camwarden(tmp_path, "analytics", "score", "--detections", found, "--truth", truth, "--json")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    (person,) = result["classes"]
    assert (result["format"], result["frames"]) == ("camwarden/score/1", 10)
    assert (person["recall"]["value"], person["recall"]["n"]) == (0.5, 20)
    assert person["precision"]["value"] == pytest.approx(10 / 12, abs=1e-4)
    assert person["recall"]["low"] < 0.5 < person["recall"]["high"]


async def test_a_frame_that_was_not_looked_at_is_told(tmp_path: Path) -> None:
    truth = written(tmp_path / "truth.json", [TRUTH], [TRUTH])
    found = written(tmp_path / "found.json", [TRUTH])
    ended = await camwarden(tmp_path, "analytics", "score", "--detections", found, "--truth", truth)
    assert (ended.code, "1 labelled frames are missing" in " ".join(ended.out.split())) == (3, True)


async def test_a_file_that_is_no_truth_is_named(tmp_path: Path) -> None:
    found = written(tmp_path / "found.json", [TRUTH])
    (tmp_path / "truth.json").write_text("[]")
    words = ("analytics", "score", "--detections", found, "--truth", tmp_path / "truth.json")
    ended = await camwarden(tmp_path, *words)
    assert (ended.code, "truth.json is not of the format" in ended.err) == (2, True)


async def test_check_needs_a_store(tmp_path: Path) -> None:
    ended = await camwarden(tmp_path / "..", "analytics", "check", "10.0.0.5", "--config", tmp_path / "none.toml")
    assert (ended.code, "none.toml" in ended.err) == (2, True)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, scene: Scene) -> Path:
    """A golden clip of drawn streets, whose truth is what the scenes say of themselves."""
    folder = tmp_path_factory.mktemp("gate")
    frames, files = [], []
    for index in range(20):
        view = scene.view(43_200.0 + index * 7, light="day")
        seen = [(thing.kind, 1.0, list(thing.box)) for thing in view.things]
        frames.append(Frame(index, index * 7.0, named(seen)))
        files.append(f"{index:04}.png")
        cv2.imwrite(str(folder / files[-1]), view.picture)
    limits = Limits(least_recall=0.4, least_precision=0.4, least_n=10)
    given = {"name": "street", "condition": "day", "day": date(2026, 11, 26), "limits": limits}
    (folder / "clip.json").write_text(clip_document(frames=frames, files=files, **given))  # type: ignore[arg-type]
    return folder


async def test_a_golden_clip_is_replayed_through_a_model(tmp_path: Path, clip: Path) -> None:
    ended = await camwarden(tmp_path, "analytics", "replay", clip, "--before", OUR_MODEL, "--json")
    said = json.loads(ended.out)
    assert (ended.code, said["passed"], said["missing"]) == (0, True, 0), said["reasons"]
    assert 0.4 < said["recall"]["low"] < said["recall"]["value"] < said["recall"]["high"]


async def test_a_camera_that_heard_little_fails_the_golden_clip(tmp_path: Path, clip: Path) -> None:
    heard = written(tmp_path / "heard.json", [], [TRUTH])
    ended = await camwarden(tmp_path, "analytics", "replay", clip, "--detections", heard)
    assert ended.code == 1
    assert "street: failed" in ended.out
    assert "nothing was heard of 18 of 20 frames" in ended.out


async def test_a_golden_clip_that_was_broken_is_refused(tmp_path: Path, clip: Path) -> None:
    broken = tmp_path / "gate"
    await asyncio.to_thread(shutil.copytree, clip, broken)
    (broken / "0003.png").unlink()
    ended = await camwarden(tmp_path, "analytics", "replay", broken)
    assert ended.code == 2
    assert "0003.png of the clip cannot be read" in ended.err
