import asyncio
import gzip
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from cameras.errors import DeviceError, Garbled, Unreachable
from cameras.facts import LoginPage
from scanners.probes import login_page
from tests.probes.loopback_servers import certificate, says

PLAIN = LoginPage("", 0, tls=False, status=200, schemes=None, redirects_to=None, server=None)
ASKS = replace(PLAIN, status=401)


def http(status: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1") + body


ANSWERS = {
    "a bland page": (http("200 OK", body=b"<html>hello"), PLAIN),
    "a page that names its server": (http("200 OK", "Server: Boa/0.94"), replace(PLAIN, server="Boa/0.94")),
    "a server name with an escape sequence": (
        http("200 OK", "Server: Boa\x9b31m"),
        replace(PLAIN, server="Boa\ufffd31m"),
    ),
    "Basic": (http("401 No", 'WWW-Authenticate: Basic realm="x"'), replace(ASKS, schemes=("basic",))),
    "a scheme without parameters": (
        http("401 No", "WWW-Authenticate: Negotiate"),
        replace(ASKS, schemes=("negotiate",)),
    ),
    "two headers": (
        http("401 No", 'WWW-Authenticate: Digest realm="x", nonce="1"', 'www-authenticate: BASIC realm="x"'),
        replace(ASKS, schemes=("digest", "basic")),
    ),
    "two challenges in one header": (
        http("401 No", 'WWW-Authenticate: Digest realm="a, Basic b", qop = "auth", nonce="1", Basic realm="x"'),
        replace(ASKS, schemes=("digest", "basic")),
    ),
    "the same scheme with two algorithms": (
        http("401 No", "WWW-Authenticate: Digest algorithm=SHA-256", "WWW-Authenticate: Digest algorithm=MD5"),
        replace(ASKS, schemes=("digest",)),
    ),
    "a token instead of parameters": (
        http("401 No", "WWW-Authenticate: NTLM TlRMTVNTUAAB==, Basic"),
        replace(ASKS, schemes=("ntlm", "basic")),
    ),
    "a quote that does not close": (
        http("401 No", 'WWW-Authenticate: Basic realm="x, Digest'),
        replace(ASKS, schemes=("basic",)),
    ),
    "a refusal without a challenge": (http("401 No"), ASKS),
    "a thousand schemes": (
        http("401 No", "WWW-Authenticate: " + ", ".join(f"s{n}" for n in range(1000))),
        replace(ASKS, schemes=tuple(f"s{n}" for n in range(16))),
    ),
    "a redirect to TLS": (
        http("301 Moved", "Location: https://10.0.0.1/"),
        replace(PLAIN, status=301, redirects_to="https"),
    ),
    "a redirect to another host": (
        http("302 Found", "Location: HTTPS://elsewhere.example/"),
        replace(PLAIN, status=302, redirects_to="https"),
    ),
    "a redirect within the server": (
        http("307 Temporary", "Location: /login.htm"),
        replace(PLAIN, status=307, redirects_to="http"),
    ),
    "a redirect without a scheme": (
        http("308 Permanent", "Location: //elsewhere.example/"),
        replace(PLAIN, status=308, redirects_to="http"),
    ),
    "a redirect to a script": (http("302 Found", "Location: javascript:alert(1)"), replace(PLAIN, status=302)),
    "a redirect to a broken address": (http("302 Found", "Location: http://[::1"), replace(PLAIN, status=302)),
    "a redirect without a place": (http("302 Found"), replace(PLAIN, status=302)),
    "a place without a redirect": (http("200 OK", "Location: https://10.0.0.1/"), PLAIN),
    "a compressed page that would fill the memory": (
        http("200 OK", "Content-Encoding: gzip", body=gzip.compress(bytes(50_000_000))),
        PLAIN,
    ),
    "a page that claims to be huge": (http("200 OK", "Content-Length: 99999999999", body=b"x" * 100_000), PLAIN),
    "a page in broken chunks": (http("200 OK", "Transfer-Encoding: chunked", body=b"zz\r\n"), PLAIN),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("reply", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_reads_the_front_page(reply: bytes, expected: LoginPage, dribble: bool) -> None:
    shown = reply if not dribble else reply[:20_000]
    async with says(answers=lambda _: shown, dribble=dribble) as server:
        page = await login_page.fetch("127.0.0.1", server.port, False, 10)
    assert page == replace(expected, url=f"http://127.0.0.1:{server.port}/", port=server.port)


FAILURES = {
    "hangs up without a word": (b"", Unreachable),
    "is cut off within the head": (http("200 OK", "Server: x")[:-6], Unreachable),
    "says garbage": (b"\x00\x01\x02" * 50, Garbled),
    "speaks RTSP": (b"RTSP/1.0 200 OK\r\n\r\n", Garbled),
    "speaks TLS": (b"\x15\x03\x01\x00\x02\x02\x28", Garbled),
    "has a head without an end": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000, Garbled),
    "contradicts itself": (http("200 OK", "Content-Length: 1", "Content-Length: 2"), Garbled),
    "smuggles a header": (http("200 OK", "Server: a\x00b"), Garbled),
}


@pytest.mark.parametrize(("reply", "error"), FAILURES.values(), ids=FAILURES)
async def test_names_the_failure_when_the_server(reply: bytes, error: type[DeviceError]) -> None:
    async with says(answers=lambda _: reply) as server:
        with pytest.raises(error, match=str(server.port)) as caught:
            await login_page.fetch("127.0.0.1", server.port, False, 10)
    assert str(caught.value).isprintable()


async def test_a_refused_connection_is_unreachable(closed_port: int) -> None:
    with pytest.raises(Unreachable):
        await login_page.fetch("127.0.0.1", closed_port, False, 10)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_silent_server_is_unreachable(tls: bool) -> None:
    async with says(stays=True) as server:
        with pytest.raises(Unreachable):
            await login_page.fetch("127.0.0.1", server.port, tls, 0.2)


async def test_an_endless_dribble_ends_in_time() -> None:
    async with says(answers=lambda _: b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000_000, dribble=True) as server:
        with pytest.raises(Unreachable):
            await login_page.fetch("127.0.0.1", server.port, False, 0.3)


async def test_asks_without_credentials_and_only_once() -> None:
    reply = http("302 Found", "Location: /again", "Set-Cookie: session=1", 'WWW-Authenticate: Basic realm="x"')
    async with says(answers=lambda _: reply) as server:
        await login_page.fetch("127.0.0.1", server.port, False, 10)
    (request,) = server.heard
    assert request.startswith(b"GET / HTTP/1.1\r\n")
    assert b"authorization" not in request.lower()
    assert b"gzip" not in request.lower()


async def test_looks_behind_any_certificate(tmp_path: Path) -> None:
    context = certificate(tmp_path, valid=(-20, -10)).context
    async with says(answers=lambda _: http("200 OK"), context=context) as server:
        page = await login_page.fetch("127.0.0.1", server.port, True, 10)
    assert (page.url, page.tls) == (f"https://127.0.0.1:{server.port}/", True)


async def test_writes_ipv6_in_brackets() -> None:
    async with says(answers=lambda _: http("200 OK"), address="::1") as server:
        page = await login_page.fetch("::1", server.port, False, 10)
    assert page.url == f"http://[::1]:{server.port}/"


async def test_ignores_a_proxy_in_the_environment(monkeypatch: pytest.MonkeyPatch, closed_port: int) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
    async with says(answers=lambda _: http("200 OK")) as server:
        assert (await login_page.fetch("127.0.0.1", server.port, False, 10)).status == 200


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def test_leaves_nothing_behind() -> None:
    async with says(stays=True) as server:
        with pytest.raises(Unreachable):
            await login_page.fetch("127.0.0.1", server.port, False, 0.1)
    assert asyncio.all_tasks() == {asyncio.current_task()}
