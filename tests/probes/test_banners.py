import random
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from cameras.errors import Unreachable
from cameras.facts import Banner
from scanners.probes import banners
from tests.probes.loopback_servers import says

BUSYBOX = b"\xff\xfd\x01\xff\xfd\x1f\xff\xfb\x01\xff\xfb\x03\r\r\ncamera login: "


def to(question: bytes, answer: bytes) -> Callable[[bytes], bytes]:
    return lambda heard: answer if heard == question else b""


TELNET_QUESTION = b"\xff\xfd\x03"
Row = tuple[bytes, Callable[[bytes], bytes] | None, str | None, str]

SAID: dict[str, Row] = {
    "a telnet login": (BUSYBOX, None, "telnet", "camera login:"),
    "a telnet negotiation alone": (b"\xff\xfb\x01", None, "telnet", ""),
    "a console that asks for a name": (
        b"\r\nUser Access Verification\r\n\r\nUsername: ",
        None,
        "telnet",
        "User Access",
    ),
    "a telnet server that waits to be asked": (
        b"",
        to(TELNET_QUESTION, b"\xff\xfb\x03\xff\xfd\x18"),
        "telnet",
        "",
    ),
    "an FTP greeting": (b"220 (vsFTPd 3.0.3)\r\n", None, "ftp", "220 (vsFTPd 3.0.3)"),
    "an FTP server that is full": (b"421 Too many FTP users\r\n", None, "ftp", "421 Too many FTP users"),
    "a bland greeting that knows SYST": (
        b"220 ready\r\n",
        to(b"SYST\r\n", b"215 UNIX Type: L8\r\n"),
        "ftp",
        "220 ready",
    ),
    "a bland greeting that wants a login first": (
        b"220 ready\r\n",
        to(b"SYST\r\n", b"530 Log in.\r\n"),
        "ftp",
        "220 ready",
    ),
    "a mail server": (b"220 mail ESMTP\r\n", to(b"SYST\r\n", b"502 Unknown\r\n"), None, "220 mail ESMTP"),
    "a greeting and nothing more": (b"220 ready\r\n", None, None, "220 ready"),
    "SSH": (b"SSH-2.0-dropbear_2019.78\r\n", None, "ssh", "SSH-2.0-dropbear_2019.78"),
    "HTTP without having been asked": (b"HTTP/1.1 200 OK\r\n\r\nlogin:", None, "http", "HTTP/1.1 200 OK"),
    "HTTP when it is asked anything": (b"", lambda _: b"HTTP/1.0 400 Bad Request\r\n\r\n", "http", "HTTP/1.0 400"),
    "RTSP": (b"RTSP/1.0 400 Bad Request\r\n\r\n", None, "rtsp", "RTSP/1.0 400"),
    "a TLS alert": (b"\x15\x03\x01\x00\x02\x02\x28", None, "tls", ""),
    "a bland sentence": (b"welcome\r\n", None, None, "welcome"),
    "the question itself": (b"", lambda heard: heard, "telnet", ""),
    "an escape sequence": (b"\x1b[2Jhello\r\n", None, None, "\ufffd[2Jhello"),
    "garbage": (random.Random(1).randbytes(600), None, None, ""),  # noqa: S311 - the same garbage each time
    "garbage without end": (random.Random(2).randbytes(50_000), None, None, ""),  # noqa: S311
    "nothing": (b"", None, None, ""),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("greeting", "answers", "protocol", "text"), SAID.values(), ids=SAID)
async def test_tells_what_the_bytes_prove(
    greeting: bytes,
    answers: Callable[[bytes], bytes] | None,
    protocol: str | None,
    text: str,
    dribble: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with says(greeting, answers=answers, dribble=dribble, stays=True) as server:
        monkeypatch.setattr(banners, "READ_PORTS", frozenset({server.port}))
        monkeypatch.setattr(banners, "QUIET_S", 0.1)
        (banner,) = (await banners.read("127.0.0.1", [server.port], 1)).banners
    assert (banner.port, banner.protocol) == (server.port, protocol)
    assert text in banner.text
    assert banner.text.isprintable()
    assert len(banner.text) <= 200


async def test_types_nothing_at_a_login_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    async with says(BUSYBOX, answers=lambda _: b"") as server:
        monkeypatch.setattr(banners, "READ_PORTS", frozenset({server.port}))
        await banners.read("127.0.0.1", [server.port], 1)
    assert server.heard == [b""]


async def test_reads_every_port_and_keeps_those_that_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    async with AsyncExitStack() as stack:
        talks = await stack.enter_async_context(says(b"SSH-2.0-x\r\n"))
        resets = await stack.enter_async_context(says(reset=True))
        async with says() as gone:
            pass
        ports = (talks.port, resets.port, gone.port)
        monkeypatch.setattr(banners, "READ_PORTS", frozenset(ports))
        found = await banners.read("127.0.0.1", [*ports, 80], 1)
    assert set(found.banners) == {
        Banner(talks.port, "ssh", "SSH-2.0-x"),
        Banner(resets.port, None, ""),
        Banner(gone.port, None, ""),
    }
    assert [banner.port for banner in found.banners] == sorted(ports)


async def test_is_unreachable_where_no_port_lets_us_in(monkeypatch: pytest.MonkeyPatch) -> None:
    async with says() as gone:
        monkeypatch.setattr(banners, "READ_PORTS", frozenset({gone.port}))
    with pytest.raises(Unreachable):
        await banners.read("127.0.0.1", [gone.port], 1)


async def test_listens_only_where_it_is_worth_it() -> None:
    assert (await banners.read("127.0.0.1", [80, 443, 554], 1)).banners == ()
