"""What is played over RTSP: for other software, for our own bytes, and for whoever may not."""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from lxml import etree

from simulator import Estate
from simulator.analytics import HUGE_BYTES
from simulator.onvif import stream_path
from simulator.plan import CameraPlan
from simulator.scenes import Scene
from simulator.scenes.timeline import Episode
from simulator.video import units
from tests.simulator.asking import estate, login_of
from tests.simulator.asking_rtsp import Client, client

PLAYABLE = {"axis": 1}
DOCUMENTS = 2
Picture = npt.NDArray[Any]


def streaming(faults: Mapping[str, int] | None = None, *, anonymous: bool = False, **more: object) -> Estate:
    asked = {"mix": PLAYABLE, "picture_faults": faults or {}, "stream_fps": 10.0, **more}
    doors = {"anonymous-rtsp": 1} if anonymous else {}
    return estate(pictures=True, faults=doors, **asked)  # type: ignore[arg-type]


async def playing(viewer: Client, *tracks: int) -> None:
    assert (await viewer.say("DESCRIBE"))[0] == 200
    for place, track in enumerate(tracks):
        assert (await viewer.set_up(track, 2 * place))[0] == 200
    assert (await viewer.say("PLAY"))[0] == 200


def decoded(pieces: list[bytes]) -> list[Picture]:
    codec = av.VideoCodecContext.create("h264", "r")
    frames = [f for piece in (*pieces, None) for f in codec.decode(av.Packet(piece) if piece else None)]
    return [frame.to_ndarray(format="bgr24") for frame in frames]


def joined(payloads: list[bytes]) -> bytes:
    """The Annex B bytes of the RTP payloads of one picture."""
    stream = bytearray()
    for payload in payloads:
        if payload[0] & 31 != 28:
            stream += b"\0\0\0\1" + payload
            continue
        if payload[1] & 0x80:
            stream += b"\0\0\0\1" + bytes((payload[0] & 0xE0 | payload[1] & 0x1F,))
        stream += payload[2:]
    return bytes(stream)


def watch(url: str, pictures: int) -> tuple[list[str], list[Picture], int, bytes]:
    """By FFmpeg: the kinds of streams, some pictures, how often time stood still, all metadata."""
    options = {"rtsp_transport": "tcp", "analyzeduration": "500000", "probesize": "100000"}
    seen: list[Picture] = []
    times: list[int] = []
    told = b""
    with av.open(url, options=options, timeout=20) as stream:
        kinds = [str(track.type) for track in stream.streams]
        for packet in stream.demux():
            if packet.stream.type == "data":
                told += bytes(packet)
                continue
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    seen.append(frame.to_ndarray(format="bgr24"))
                    times.append(frame.pts or 0)
            if len(seen) >= pictures and b"</tt:MetadataStream>" in told:
                break
    return kinds, seen, sum(b <= a for a, b in pairwise(times)), told


@pytest.mark.parametrize("vendor", ["axis", "hikvision", "dahua", "hanwha"])
async def test_other_software_plays_it_with_digest(vendor: str) -> None:
    async with streaming(mix={vendor: 1}) as running:
        plan = running.plan.cameras[0]
        name, password = login_of(plan)
        url = f"rtsp://{name}:{password}@{plan.address}:{plan.rtsp_port}{stream_path(plan, 2)}"
        kinds, pictures, standing, told = await asyncio.to_thread(watch, url, 6)
    assert kinds == ["video", "data"]
    assert [picture.shape for picture in pictures[:6]] == [(360, 640, 3)] * 6
    assert not standing
    assert pictures[0].std() > 15
    assert b"tt:MetadataStream" in told


async def test_a_wrong_password_plays_nothing() -> None:
    async with streaming() as running:
        camera = running.cameras[0]
        url = f"rtsp://camwarden:guess@{camera.plan.address}:{camera.plan.rtsp_port}{stream_path(camera.plan, 2)}"
        with pytest.raises(av.error.HTTPUnauthorizedError):
            await asyncio.to_thread(watch, url, 1)
        assert camera.guard.wrong_tries == {"camwarden": 1}


async def test_the_description_starts_a_decoder() -> None:
    async with streaming() as running, client(running.plan.cameras[0]) as viewer:
        _, answer = await viewer.say("DESCRIBE")
    assert "a=rtpmap:96 H264/90000" in answer
    assert "a=rtpmap:107 vnd.onvif.metadata/90000" in answer
    sprop = answer.partition("sprop-parameter-sets=")[2].partition("\r")[0]
    sets = [base64.b64decode(part) for part in sprop.split(",")]
    assert [unit[0] & 31 for unit in sets] == [7, 8]
    assert f"profile-level-id={sets[0][1:4].hex().upper()}" in answer


async def test_pictures_come_packet_by_packet() -> None:
    async with streaming() as running, client(running.plan.cameras[0]) as viewer:
        await playing(viewer, 1)
        whole = [(await viewer.whole())[0] for _ in range(5)]
    packets = [packet for picture in whole for packet in picture]
    steps = {(b.sequence - a.sequence) % 65536 for a, b in pairwise(packets)}
    assert steps == {1}
    assert all(len({packet.timestamp for packet in picture}) == 1 for picture in whole)
    assert len({picture[0].timestamp for picture in whole}) == 5
    assert any(packet.payload[0] & 31 == 28 for packet in packets)
    streams = [joined([packet.payload for packet in picture]) for picture in whole]
    assert [unit[0] & 31 for unit in units(streams[0])][:2] == [7, 8]
    assert [picture.shape for picture in decoded(streams)] == [(360, 640, 3)] * 5


REFUSED: Mapping[str, tuple[str, str, str, int]] = {
    "over UDP": ("SETUP", "/trackID=1", "Transport: RTP/AVP;unicast;client_port=5000-5001\r\n", 461),
    "a track that does not exist": ("SETUP", "/trackID=9", "Transport: RTP/AVP/TCP;interleaved=0-1\r\n", 404),
    "no track": ("SETUP", "", "Transport: RTP/AVP/TCP;interleaved=0-1\r\n", 404),
    "nothing is set up": ("PLAY", "", "", 454),
    "another's session": ("TEARDOWN", "", "Session: 0badcafe\r\n", 454),
    "an unknown method": ("RECORD", "", "", 501),
    "a heart-beat without a session is fine": ("GET_PARAMETER", "", "", 200),
}


@pytest.mark.parametrize(("method", "track", "headers", "status"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused(method: str, track: str, headers: str, status: int) -> None:
    async with streaming() as running, client(running.plan.cameras[0]) as viewer:
        assert (await viewer.say(method, f"{viewer.url}{track}", headers))[0] == status


@pytest.mark.parametrize("method", ["SETUP", "PLAY", "GET_PARAMETER", "TEARDOWN"])
async def test_every_step_wants_the_login(method: str) -> None:
    async with streaming() as running, client(running.plan.cameras[0]) as viewer:
        assert (await viewer.say(method, f"{viewer.url}/trackID=1", login=False))[0] == 401


async def test_an_anonymous_stream_wants_none() -> None:
    async with streaming(anonymous=True) as running, client(running.plan.cameras[0]) as viewer:
        transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        assert (await viewer.say("SETUP", f"{viewer.url}/trackID=1", transport, login=False))[0] == 200
        assert (await viewer.say("PLAY", login=False))[0] == 200
        assert (await viewer.packet()).payload


async def test_keeps_alive_and_tears_down() -> None:
    async with streaming() as running, client(running.plan.cameras[0]) as viewer:
        await playing(viewer, 1)
        assert (await viewer.say("GET_PARAMETER"))[0] == 200
        assert (await viewer.set_up(2, 2))[0] == 455
        assert (await viewer.say("TEARDOWN"))[0] == 200
        assert (await viewer.say("PLAY"))[0] == 454


async def test_two_clients_see_the_same_scene() -> None:
    async with streaming(time_scale=1e-6) as running:
        plan = running.plan.cameras[0]
        async with client(plan) as one, client(plan) as two:
            await playing(one, 1)
            await playing(two, 1)
            pictures = [decoded([joined([p.payload for p in (await v.whole())[0]])])[0] for v in (one, two)]
    assert np.abs(cv2.blur(pictures[0], (9, 9)).astype(int) - cv2.blur(pictures[1], (9, 9)).astype(int)).max() < 30


# --- faults ---


async def moving(running: Estate, seconds: int) -> float:
    """How far the first and the last of some pictures are apart, noise included."""
    async with client(running.plan.cameras[0]) as viewer:
        await playing(viewer, 1)
        streams = [joined([packet.payload for packet in (await viewer.whole())[0]]) for _ in range(seconds * 10)]
    pictures = decoded(streams)
    return float(np.abs(pictures[4].astype(int) - pictures[-1].astype(int)).max())


async def test_a_frozen_picture_is_sent_again_and_again() -> None:
    async with streaming({"frozen": 1}, seed=2) as running:
        assert fault_of(running.plan.cameras[0]).variant == "still"
        assert await moving(running, 1) < 30
    async with streaming(seed=2) as running:
        assert await moving(running, 1) > 45


async def test_a_stopped_stream_says_yes_and_sends_nothing() -> None:
    """Its metadata goes on, so that one can tell the two apart."""
    async with streaming({"frozen": 2}, cameras=2) as running:
        plan = running.plan.cameras[1]
        assert fault_of(plan).variant == "stopped"
        async with client(plan) as viewer:
            await playing(viewer, 1, 2)
            assert {(await viewer.packet()).channel for _ in range(12)} == {DOCUMENTS}


async def test_a_firmware_without_a_picture_streams_none() -> None:
    async with streaming() as running:
        camera = running.cameras[0]
        camera.become(replace(camera.plan, defect="no-picture"))
        async with client(camera.plan) as viewer:
            await playing(viewer, 1, 2)
            assert {(await viewer.packet()).channel for _ in range(12)} == {DOCUMENTS}


def fault_of(plan: CameraPlan) -> Episode:
    assert plan.picture is not None
    return next(episode for episode in plan.picture.episodes if episode.kind == "fault")


@pytest.mark.parametrize("fault", ["", "metadata-huge"], ids=["small", "larger than all packets"])
async def test_documents_come_whole(fault: str) -> None:
    async with streaming({fault: 1} if fault else {}) as running, client(running.plan.cameras[0]) as viewer:
        await playing(viewer, 2)
        whole = [await viewer.whole() for _ in range(3)]
    assert all(text.startswith(b"<?xml") and text.endswith(b"</tt:MetadataStream>") for _, text in whole)
    assert all(len({packet.timestamp for packet in packets}) == 1 for packets, _ in whole)
    assert (len(whole[0][1]) > HUGE_BYTES) == bool(fault)
    assert len(whole[1][1]) < HUGE_BYTES


async def test_what_the_metadata_tells_is_in_the_scene() -> None:
    """Time all but stands still, so that every document is about one moment."""
    async with streaming(cameras=4, time_scale=1e-6, mix={"hikvision": 1}) as running:
        told, true = 0, 0
        for plan in running.plan.cameras:
            assert plan.picture is not None
            async with client(plan) as viewer:
                await playing(viewer, 2)
                documents = [etree.fromstring((await viewer.whole())[1]) for _ in range(3)]
            things = Scene(plan.picture.scene).things(running.options.start_hour * 3600)
            boxes = {str(thing.track): thing.box for thing in things}
            for one in (found for text in documents for found in text.iterfind(".//{*}Object")):
                box = one.find(".//{*}BoundingBox")
                assert box is not None
                left, top = (float(box.get(name, "")) for name in ("left", "top"))
                near = boxes.get(one.get("ObjectId", ""), (9e9, 9e9, 0, 0))
                told += 1
                true += abs((left + 1) * 320 - near[0]) < 25 and abs((1 - top) * 180 - near[1]) < 25
        assert told > 10
        assert true >= 0.9 * told
