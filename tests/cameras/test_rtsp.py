"""The streaming client against cameras that stream well, badly, and not at all."""

import re
from contextlib import AsyncExitStack
from typing import Literal

import httpx
import pytest

from cameras.errors import DeviceError, Garbled, LockedOut, Refused, Unauthorized, Unreachable, Unsupported
from cameras.http import HttpLogin, Reply
from cameras.rtsp import Packet, Track, play
from cameras.secret import Credential, Secret
from tests.cameras.streaming import GOOD, SDP, SET_UP, Streaming, answer, interleaved, rtp, streaming

LOGIN = HttpLogin(Credential("audit", Secret("s3cret")))
TWO = interleaved(rtp(b"one", 1, 100)) + interleaved(rtp(b"two", 2, 200))
Answers = dict[str, list[bytes]]


async def listen(
    camera: Streaming, *, url: str = "", login: HttpLogin | None = None, timeout_s: float = 10, quiet_s: float = 10
) -> list[Packet]:
    where = url or f"rtsp://127.0.0.1:{camera.port}/live"
    async with play(where, login, media="video", address="127.0.0.1", timeout_s=timeout_s, quiet_s=quiet_s) as stream:
        return [packet async for packet in stream]


MEDIA = {
    "two packets and a hang-up": (TWO, [b"one", b"two"]),
    "packets of other channels between": (
        interleaved(b"\x80\xc8\0\0", 1) + interleaved(rtp(b"alien", 9, 9), 7) + TWO,
        [b"one", b"two"],
    ),
    "an answer with a body between": (TWO[:19] + answer(body=b"$$$ RTSP/1.0") + TWO[19:], [b"one", b"two"]),
    "a request of its own between": (b"ANNOUNCE * RTSP/1.0\r\nCSeq: 1\r\n\r\n" + TWO, [b"one", b"two"]),
    "a goodbye, then more": (interleaved(b"\x80\xc9\0\1\0\0\0\1\x81\xcb\0\1\0\0\0\1", 1) + TWO, []),
    "an empty packet, and one too short": (interleaved(b"") + interleaved(b"\x80\x60\0") + TWO, [b"one", b"two"]),
    "packets of another version": (interleaved(rtp(b"x", 1, 1, first=0x40)) + TWO, [b"one", b"two"]),
    "a header extension and padding": (
        interleaved(rtp(b"\xbe\xde\0\1abcdone\0\0\3", 1, 1, first=0xB0)),
        [b"one"],
    ),
    "an extension longer than the packet": (
        interleaved(rtp(b"\xbe\xde\xff\xff", 1, 1, first=0x90)) + TWO,
        [b"one", b"two"],
    ),
    "padding longer than the packet": (interleaved(rtp(b"x\xff", 1, 1, first=0xA0)) + TWO, [b"one", b"two"]),
    "sender reports on the wrong channel": (interleaved(b"\x80\xc8\0\6" + b"\0" * 24) + TWO, [b"one", b"two"]),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("media", "payloads"), MEDIA.values(), ids=MEDIA)
async def test_gives_the_packets_of_its_track(media: bytes, payloads: list[bytes], dribble: bool) -> None:
    async with streaming(media=media, dribble=dribble) as camera:
        assert [packet.payload for packet in await listen(camera)] == payloads
    assert camera.methods[:3] == ["DESCRIBE", "SETUP", "PLAY"]


async def test_a_packet_carries_its_place_in_the_stream() -> None:
    async with streaming(media=interleaved(rtp(b"x", 65535, 2**32 - 1, marker=True))) as camera:
        (packet,) = await listen(camera)
    assert (packet.sequence, packet.timestamp, packet.marker) == (65535, 2**32 - 1, True)


async def test_says_goodbye_when_it_leaves_early() -> None:
    async with streaming(media=TWO, stays=True) as camera:
        async with play(f"rtsp://127.0.0.1:{camera.port}/live", None, media="video", address="127.0.0.1") as stream:
            async for packet in stream:
                assert packet.payload == b"one"
                break
        await camera.hung_up.wait()
    assert camera.methods[-1] == "TEARDOWN"
    assert b"Session: 4242\r\n" in camera.heard[-1]


FAILURES: dict[str, tuple[Answers, bytes, type[DeviceError]]] = {
    "hangs up without a word": ({"DESCRIBE": [b""]}, b"", Unreachable),
    "hangs up within the head": ({"DESCRIBE": [b"RTSP/1.0 200 OK\r\nCSe"]}, b"", Unreachable),
    "speaks HTTP": ({"DESCRIBE": [b"HTTP/1.1 200 OK\r\n\r\n"]}, b"", Garbled),
    "says garbage": ({"DESCRIBE": [bytes(range(128, 256)) + b"\n"]}, b"", Garbled),
    "has a line without an end": ({"DESCRIBE": [b"RTSP/1.0 200 " + b"x" * 700_000]}, b"", Garbled),
    "has a head without an end": ({"DESCRIBE": [b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 9000]}, b"", Garbled),
    "announces a huge body": ({"DESCRIBE": [answer("200 OK", "Content-Length: 999999999")]}, b"", Garbled),
    "announces a body of -1": ({"DESCRIBE": [answer("200 OK", "Content-Length: -1")]}, b"", Garbled),
    "describes with HTML": ({"DESCRIBE": [answer(body=b"<html>")]}, b"", Garbled),
    "describes too many tracks": ({"DESCRIBE": [answer(body=SDP + b"m=x\r\n" * 50)]}, b"", Garbled),
    "has no video": ({"DESCRIBE": [answer(body=b"v=0\r\nm=audio 0 RTP/AVP 0\r\n")]}, b"", Unsupported),
    "says not the encoding": ({"DESCRIBE": [answer(body=b"v=0\r\nm=video 0 RTP/AVP 96\r\n")]}, b"", Unsupported),
    "sends us elsewhere": ({"DESCRIBE": [answer("302 Moved", "Location: rtsp://127.0.0.1:1/")]}, b"", Refused),
    "knows no such stream": ({"DESCRIBE": [answer("404 Not Found")]}, b"", Refused),
    "wants UDP": ({"SETUP": [answer("461 Unsupported Transport")]}, b"", Unsupported),
    "answers with UDP": (
        {"SETUP": [answer("200 OK", "Transport: RTP/AVP;unicast;client_port=1-2", "Session: 1")]},
        b"",
        Unsupported,
    ),
    "chooses a channel of three digits": (
        {"SETUP": [answer("200 OK", "Transport: RTP/AVP/TCP;interleaved=400-401", "Session: 1")]},
        b"",
        Garbled,
    ),
    "names no session": ({"SETUP": [answer("200 OK", "Transport: RTP/AVP/TCP;interleaved=0-1")]}, b"", Garbled),
    "refuses to play": ({"PLAY": [answer("455 Method Not Valid in This State")]}, b"", Refused),
    "asks for a login": (
        {"DESCRIBE": [answer("401 Unauthorized", 'WWW-Authenticate: Digest realm="x", nonce="1"')]},
        b"",
        Unauthorized,
    ),
    "is locked": (
        {"DESCRIBE": [answer("403 Forbidden", body=b"The device is locked, try again after 30 minutes")]},
        b"",
        LockedOut,
    ),
    "hangs up within a packet": ({}, interleaved(rtp(b"x" * 900, 1, 1))[:500], Unreachable),
    "hangs up within a packet's length": ({}, b"$\0", Unreachable),
    "announces 65535 bytes and has none": ({}, b"$\0\xff\xff", Unreachable),
    "sends rubbish between packets": ({}, TWO + b"\xff\xfe\xfd\n", Garbled),
    "sends thousands of packets of no use": ({}, interleaved(b"x", 9) * 5001, Garbled),
    "sends thousands of answers": ({}, answer() * 2001, Garbled),
}


@pytest.mark.parametrize(("answers", "media", "error"), FAILURES.values(), ids=FAILURES)
async def test_names_the_failure_when_the_camera(answers: Answers, media: bytes, error: type[DeviceError]) -> None:
    async with streaming(answers, media) as camera:
        with pytest.raises(error) as caught:
            await listen(camera)
    assert str(caught.value).isprintable()


SILENCES: dict[str, Answers] = {"to DESCRIBE": {"DESCRIBE": [b" "]}, "to PLAY": {"PLAY": [b" "]}, "after PLAY": {}}


@pytest.mark.parametrize("answers", SILENCES.values(), ids=SILENCES)
async def test_silence_is_unreachable(answers: Answers) -> None:
    async with streaming(answers, stays=True) as camera:
        with pytest.raises(Unreachable):
            await listen(camera, timeout_s=0.4, quiet_s=0.2)


CONTROLS = {
    "a relative control": (SDP, [], "/live/track1", "/live"),
    "a base of its own": (SDP, ["Content-Base: rtsp://10.9.8.7/other/"], "/other/track1", "/other/"),
    "an absolute control on another host": (
        SDP.replace(b"a=control:track1", b"a=control:rtsp://10.9.8.7:9/far?x=1"),
        [],
        "/far?x=1",
        "/live",
    ),
    "no control": (SDP.replace(b"a=control:track1\r\n", b""), [], "/live", "/live"),
    "a control with a blank in it": (SDP.replace(b"a=control:track1", b"a=control:a b"), [], "/live", "/live"),
}


@pytest.mark.parametrize(("sdp", "headers", "track", "session"), CONTROLS.values(), ids=CONTROLS)
async def test_asks_the_host_it_dialled_given(sdp: bytes, headers: list[str], track: str, session: str) -> None:
    described: Answers = {"DESCRIBE": [answer("200 OK", *headers, body=sdp)]}
    async with streaming(described, TWO) as camera:
        await listen(camera, url=f"rtsp://camera.example:{camera.port}/live")
    here = f"rtsp://127.0.0.1:{camera.port}"
    targets = [request.split(b" ")[1].decode() for request in camera.heard[:3]]
    assert targets == [f"{here}/live", f"{here}{track}", f"{here}{session}"]


async def test_takes_the_channels_that_the_camera_chose() -> None:
    chosen = SET_UP.replace(b"interleaved=0-1", b"interleaved=4-5")
    async with streaming(
        {"SETUP": [chosen]}, interleaved(rtp(b"no", 1, 1)) + interleaved(rtp(b"yes", 2, 2), 4)
    ) as camera:
        assert [packet.payload for packet in await listen(camera)] == [b"yes"]


KINDS: dict[Literal["video", "application"], tuple[str, int]] = {
    "video": ("H264", 90000),
    "application": ("VND.ONVIF.METADATA", 90000),
}


@pytest.mark.parametrize(("media", "expected"), KINDS.items(), ids=KINDS)
async def test_finds_the_track_of(media: Literal["video", "application"], expected: tuple[str, int]) -> None:
    async with streaming() as camera:
        where = f"rtsp://127.0.0.1:{camera.port}/live"
        async with play(where, None, media=media, address="127.0.0.1") as stream:
            assert isinstance(stream.track, Track)
            assert (stream.track.encoding, stream.track.clock_rate) == expected


def challenge(nonce: str, *more: str) -> bytes:
    return answer("401 Unauthorized", ", ".join([f'WWW-Authenticate: Digest realm="cam", nonce="{nonce}"', *more]))


def authorizations(camera: Streaming) -> list[dict[str, str]]:
    found = [re.search(rb"Authorization: Digest ([^\r]*)", request) for request in camera.heard]
    return [dict(re.findall(r'(\w+)="?([^",]*)"?', one[1].decode())) if one else {} for one in found]


async def test_logs_in_with_digest_over_the_whole_address() -> None:
    async with streaming({"DESCRIBE": [challenge("n1"), GOOD["DESCRIBE"][0]]}, TWO) as camera:
        assert len(await listen(camera, login=LOGIN)) == 2
    assert camera.methods[:4] == ["DESCRIBE", "DESCRIBE", "SETUP", "PLAY"]
    said = authorizations(camera)
    assert said[0] == {}
    assert [one["uri"] for one in said[1:4]] == [request.split(b" ")[1].decode() for request in camera.heard[1:4]]
    assert not any(b"s3cret" in request for request in camera.heard)


async def test_a_wrong_password_is_sent_once() -> None:
    async with streaming({"DESCRIBE": [challenge("n1"), challenge("n2")]}) as camera:
        with pytest.raises(Unauthorized):
            await listen(camera, login=LOGIN)
    assert camera.methods == ["DESCRIBE", "DESCRIBE"]


async def test_a_proven_login_answers_a_new_nonce() -> None:
    answers = {"DESCRIBE": [challenge("n1"), GOOD["DESCRIBE"][0]], "SETUP": [challenge("n2", "stale=true"), SET_UP]}
    async with streaming(answers, TWO) as camera:
        assert len(await listen(camera, login=LOGIN)) == 2
    assert [one.get("nonce") for one in authorizations(camera)[:5]] == [None, "n1", "n1", "n2", "n2"]


async def test_does_not_answer_the_challenge_of_the_web_server() -> None:
    login = HttpLogin(LOGIN.credential)
    web = httpx.URL("http://127.0.0.1/")
    reply = httpx.Headers({"www-authenticate": 'Digest realm="web", nonce="web"'})

    login.accept(Reply(401, reply, b""), "GET", web)
    async with streaming(media=TWO) as camera:
        await listen(camera, login=login)
    assert authorizations(camera)[0] == {}


async def test_offers_no_password_to_basic() -> None:
    async with streaming({"DESCRIBE": [answer("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"')]}) as camera:
        with pytest.raises(Unauthorized):
            await listen(camera, login=LOGIN)
    assert len(camera.heard) == 1


async def test_user_info_is_neither_sent_nor_shown() -> None:
    async with streaming({"DESCRIBE": [answer("404 Not Found")]}) as camera:
        with pytest.raises(Refused) as caught:
            await listen(camera, url=f"rtsp://admin:hunter2@127.0.0.1:{camera.port}/live")
    assert b"hunter2" not in camera.heard[0]
    assert "hunter2" not in str(caught.value)


UNFIT = {
    "a line break": "rtsp://127.0.0.1:1/live\r\nX: y",
    "a blank": "rtsp://127.0.0.1:1/a b",
    "other letters": "rtsp://127.0.0.1:1/ä",
    "another scheme": "http://127.0.0.1/live",
    "a port that is none": "rtsp://127.0.0.1:99999/",
}


@pytest.mark.parametrize("url", UNFIT.values(), ids=UNFIT)
async def test_refuses_an_address_with(url: str) -> None:
    async with AsyncExitStack() as stack:
        with pytest.raises(Garbled):
            await stack.enter_async_context(play(url, None, media="video", address="127.0.0.1"))
