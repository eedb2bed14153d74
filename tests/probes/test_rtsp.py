from pathlib import Path

import pytest

from cameras.errors import DeviceError, Garbled, Unreachable
from scanners.probes import rtsp
from tests.probes.loopback_servers import certificate, says

SDP = b"v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\ns=live\r\nm=video 0 RTP/AVP 96\r\n"


def reply(status: str, body: bytes = b"", *headers: str, newline: str = "\r\n") -> bytes:
    lines = [f"RTSP/1.0 {status}", "CSeq: 1", *headers, f"Content-Length: {len(body)}", "", ""]
    return newline.join(lines).encode() + body


ANSWERS = {
    "a stream for everybody": (reply("200 OK", SDP, "Content-Type: application/sdp"), 200, True),
    "a stream by a server that ends lines its own way": (reply("200 OK", SDP, newline="\n"), 200, True),
    "a login": (reply("401 Unauthorized", b"", 'WWW-Authenticate: Digest realm="x"'), 401, False),
    "a refusal": (reply("403 Forbidden"), 403, False),
    "no such stream": (reply("404 Not Found"), 404, False),
    "a status without words": (b"RTSP/1.0 401\r\n\r\n", 401, False),
    "a redirect": (reply("302 Moved", b"", "Location: rtsp://192.0.2.1/"), 302, False),
    "a bland yes": (reply("200 OK", b"<html>welcome</html>"), 200, False),
    "a yes without a description": (b"RTSP/1.0 200 OK\r\n\r\n", 200, False),
    "a description without any media": (reply("200 OK", b"v=0\r\ns=x\r\n"), 200, False),
    "a description far too long": (reply("200 OK", SDP + b"a=x\r\n" * 100_000), 200, True),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("said", "status", "described"), ANSWERS.values(), ids=ANSWERS)
async def test_reads_the_answer(said: bytes, status: int, described: bool, dribble: bool) -> None:
    shown = said if not dribble else said[:70_000]
    async with says(answers=lambda _: shown, dribble=dribble) as server:
        stream = await rtsp.describe(f"rtsp://127.0.0.1:{server.port}/live", 10)
    assert (stream.status, stream.described) == (status, described)


FAILURES = {
    "hangs up without a word": (b"", Unreachable),
    "is cut off within the head": (reply("200 OK", SDP)[:25], Unreachable),
    "is cut off within the first word": (b"RTS", Unreachable),
    "is cut off within the body": (reply("200 OK", SDP)[:-9], Unreachable),
    "speaks HTTP": (b"HTTP/1.1 200 OK\r\n\r\n", Garbled),
    "says garbage": (bytes(range(256)), Garbled),
    "says garbage without a line": (b"\x00\xff" * 20, Garbled),
    "has a line without an end": (b"RTSP/1.0 200 " + b"x" * 200_000, Garbled),
    "has a head without an end": (b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 50_000, Garbled),
}


@pytest.mark.parametrize(("said", "error"), FAILURES.values(), ids=FAILURES)
async def test_names_the_failure_when_the_server(said: bytes, error: type[DeviceError]) -> None:
    async with says(answers=lambda _: said) as server:
        with pytest.raises(error):
            await rtsp.describe(f"rtsp://127.0.0.1:{server.port}/live", 10)


UNFIT = {
    "a line break": "rtsp://127.0.0.1:1/live\r\nX: y",
    "a space": "rtsp://127.0.0.1:1/a b",
    "other letters": "rtsp://127.0.0.1:1/ä",
    "a host name, which we would have to resolve": "rtsp://camera.example/live",
    "no host": "rtsp:///live",
    "another scheme": "http://127.0.0.1/live",
    "a port that is none": "rtsp://127.0.0.1:99999/",
    "a broken bracket": "rtsp://[::1/",
}


@pytest.mark.parametrize("url", UNFIT.values(), ids=UNFIT)
async def test_refuses_an_address_with(url: str) -> None:
    with pytest.raises(Garbled) as caught:
        await rtsp.describe(url, 1)
    assert str(caught.value).isprintable()


async def test_silence_is_unreachable() -> None:
    async with says(stays=True) as server:
        with pytest.raises(Unreachable):
            await rtsp.describe(f"rtsp://127.0.0.1:{server.port}/", 0.2)


async def test_a_reset_is_unreachable() -> None:
    async with says(answers=lambda _: b"", reset=True) as server:
        with pytest.raises(Unreachable):
            await rtsp.describe(f"rtsp://127.0.0.1:{server.port}/", 10)


async def test_sends_no_user_info_and_keeps_none() -> None:
    async with says(answers=lambda _: reply("200 OK", SDP)) as server:
        stream = await rtsp.describe(f"rtsp://admin:hunter2@127.0.0.1:{server.port}/live?a=1", 10)
    assert stream.url == f"rtsp://127.0.0.1:{server.port}/live?a=1"
    (request,) = server.heard
    assert request.startswith(f"DESCRIBE {stream.url} RTSP/1.0\r\n".encode())
    assert b"hunter2" not in request
    assert b"authorization" not in request.lower()


async def test_speaks_tls_and_ipv6(tmp_path: Path) -> None:
    context = certificate(tmp_path).context
    async with says(answers=lambda _: reply("200 OK", SDP), address="::1", context=context) as server:
        assert (await rtsp.describe(f"rtsps://[::1]:{server.port}/live", 10)).described
