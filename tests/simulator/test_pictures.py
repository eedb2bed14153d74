"""Scenes in the estate: who looks at what, what the manifest tells, and what a snapshot shows."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from simulator import OptionsError
from simulator.onvif import PROFILES, snapshot_target
from simulator.options import from_words
from simulator.picture import JPEG
from simulator.plan import CameraPlan, Week
from simulator.scenes import FAULTS, Scene
from simulator.scenes.timeline import WEEK_S, Episode
from tests.simulator.asking import client, digest_of, estate, url

TEN = 36_000


def test_nobody_has_a_scene_unless_asked() -> None:
    plain, shown = estate(cameras=4), estate(cameras=4, pictures=True)
    assert all(camera.picture is None for camera in plain.plan.cameras)
    assert not {"picture", "analytics", "week"} & {key for row in manifests(plain) for key in row}
    assert [c.serial for c in plain.plan.cameras] == [c.serial for c in shown.plan.cameras]
    assert len({c.picture.scene for c in shown.plan.cameras if c.picture}) == 4


def manifests(running: object) -> list[dict[str, object]]:
    told = running.manifest()  # type: ignore[attr-defined]
    return [told, *told["cameras"]]


def test_the_manifest_tells_the_week() -> None:
    running = estate(cameras=6, pictures=True, picture_faults={"defocused": 2, "analytics-worse": 1}, start_hour=10.0)
    told, *cameras = manifests(running)
    assert told["week"] == {"start_s": TEN, "time_scale": 1.0, "began": pytest.approx(1.79e9, rel=0.5)}
    episodes = [e for camera in cameras for e in camera["picture"]["episodes"]]  # type: ignore[index]
    bad = [e for e in episodes if e["kind"] == "fault"]
    assert [(e["name"], e["from_s"], e["to_s"]) for e in bad] == [("defocused", TEN, TEN + WEEK_S)] * 2
    assert all(set(e) >= {"kind", "name", "severity", "from_s", "to_s"} for e in episodes)
    assert sorted(c["analytics"]["version"] for c in cameras) == ["2.1.0"] * 5 + ["2.2.0"]  # type: ignore[index]
    json.dumps(told)


def test_a_believable_mix_has_faults_that_come_and_go() -> None:
    running = estate(cameras=60, pictures=True)
    plans = [camera.picture for camera in running.plan.cameras if camera.picture]
    faults = [e for plan in plans for e in plan.episodes if e.kind == "fault"]
    assert 4 <= len(faults) <= 25
    assert all(TEN < e.from_s < e.to_s for e in faults)
    assert {fault.name for plan in plans for fault in plan.faults_at(TEN)} == set()
    assert all(len(plan.benign_at(e.from_s)) for plan in plans for e in plan.episodes if e.kind == "benign")


WORDS: Mapping[str, tuple[list[str], Mapping[str, int] | None]] = {
    "pictures alone": (["--pictures"], None),
    "faults mean pictures": (["--picture-fault", "frozen=2", "--picture-fault", "dark=1"], {"frozen": 2, "dark": 1}),
}


@pytest.mark.parametrize(("words", "faults"), WORDS.values(), ids=WORDS)
def test_words_ask_for_pictures(words: list[str], faults: Mapping[str, int] | None) -> None:
    options = from_words([*words, "--start-hour", "17", "--time-scale", "60"])
    assert options.pictures
    assert options.picture_faults == faults
    assert (options.start_hour, options.time_scale) == (17, 60)


REFUSED: Mapping[str, Mapping[str, object]] = {
    "a fault that does not exist": {"picture_faults": {"mist": 1}},
    "more faults than cameras": {"picture_faults": {"dark": 2}},
    "an hour beyond the week": {"start_hour": 200.0},
    "time that stands still": {"time_scale": 0.0},
}


@pytest.mark.parametrize("asked", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_had_is_said(asked: Mapping[str, object]) -> None:
    with pytest.raises(OptionsError):
        estate(cameras=1, pictures=True, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_can_be_asked_for(fault: str) -> None:
    picture = estate(pictures=True, picture_faults={fault: 1}).plan.cameras[0].picture
    assert picture is not None
    (seen,) = picture.faults_at(TEN)
    assert (seen.name, seen.since_s) == (fault, TEN if fault == "frozen" else None)


# --- snapshots ---


async def snapshot(plan: CameraPlan, profile: int) -> httpx.Response:
    async with client() as http:
        return await http.get(url(plan, snapshot_target(plan, profile), tls=True), auth=digest_of(plan))


async def test_a_snapshot_shows_the_scene_in_the_size_of_its_profile() -> None:
    async with estate(pictures=True, picture_faults={}, time_scale=1e-6) as running:
        plan = running.plan.cameras[0]
        answers = [await snapshot(plan, profile[0]) for profile in PROFILES]
        pictures = [cv2.imdecode(np.frombuffer(a.content, np.uint8), cv2.IMREAD_COLOR) for a in answers]
    assert [a.headers["content-type"] for a in answers] == ["image/jpeg"] * 2
    assert [p.shape for p in pictures if p is not None] == [(1080, 1920, 3), (360, 640, 3)]
    assert plan.picture is not None
    wanted = Scene(plan.picture.scene, clock=True).view(TEN, benign=plan.picture.benign_at(TEN)).picture
    assert pictures[1] is not None
    assert np.abs(cv2.blur(pictures[1], (9, 9)).astype(int) - cv2.blur(wanted, (9, 9)).astype(int)).mean() < 3


async def test_a_snapshot_shows_at_once_what_befalls_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.studio.BUCKET_S", 86_400.0)  # both are asked for within one moment
    async with estate(pictures=True, picture_faults={}, time_scale=1e-6) as running:
        camera, profile = running.cameras[0], PROFILES[1][0]
        bodies = [(await snapshot(camera.plan, profile)).content]
        assert camera.plan.picture is not None
        fault = Episode("fault", "covered", 0.9, 0.0, WEEK_S)
        camera.become(replace(camera.plan, picture=replace(camera.plan.picture, episodes=(fault,))))
        bodies.append((await snapshot(camera.plan, profile)).content)
    well, covered = (cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR) for body in bodies)
    assert well is not None
    assert covered is not None
    assert covered.std() < well.std()


async def test_the_grey_picture_stays_without_scenes() -> None:
    async with estate() as running:
        assert (await snapshot(running.plan.cameras[0], 2)).content == JPEG


async def test_a_firmware_without_a_picture_has_no_snapshot() -> None:
    async with estate(pictures=True) as running:
        camera = running.cameras[0]
        camera.become(replace(camera.plan, defect="no-picture"))
        assert (await snapshot(camera.plan, 2)).status_code == 503


async def test_the_head_of_a_snapshot_has_no_body() -> None:
    async with estate(pictures=True, faults={"anonymous-snapshot": 1}) as running, client() as http:
        plan = running.plan.cameras[0]
        answer = await http.head(url(plan, snapshot_target(plan, 2), tls=True))
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) > 10_000


def test_time_can_go_fast() -> None:
    week = Week(TEN, 60.0, 1_790_000_000.0)
    assert week.at(1_790_000_000.0) == TEN
    assert week.at(1_790_000_060.0) == TEN + 3600


async def test_the_file_tells_when_the_week_began(tmp_path: Path) -> None:
    file = tmp_path / "truth.json"
    async with estate(pictures=True, picture_faults={"covered": 1}, manifest=file) as running:
        assert running.studio is not None
        told = json.loads(file.read_text())
    assert told["week"]["began"] == running.studio.week.began
    assert told["cameras"][0]["picture"]["episodes"][0]["from_s"] >= TEN
