"""What a camera can do to an HTTP client, and what becomes of it."""

import gzip
import zlib

import httpx
import pytest

from cameras.errors import DeviceError, Garbled, Unauthorized, Unreachable
from cameras.http import DeviceHttp, HttpLogin, challenges
from cameras.secret import Credential, Secret
from tests.cameras.saying import http, saying

LIMIT = 64 * 1024
BOMB = gzip.compress(b"\0" * (LIMIT * 20))
MD5 = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=MD5'
SHA256 = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'


def to(port: int, *, timeout_s: float = 2) -> DeviceHttp:
    return DeviceHttp("127.0.0.1", port, "http", timeout_s=timeout_s, most_bytes=LIMIT)


def joe() -> HttpLogin:
    return HttpLogin(Credential("joe", Secret("s3cret-pässword")))


ANSWERS = {
    "plain": (http("hello"), b"hello"),
    "gzip": (http(gzip.compress(b"hello"), "200 OK", "Content-Encoding: gzip"), b"hello"),
    "deflate": (http(zlib.compress(b"hello"), "200 OK", "Content-Encoding: deflate"), b"hello"),
    "until the end of the connection": (b"HTTP/1.0 200 OK\r\n\r\nhello", b"hello"),
    "a redirect, which is not followed": (http("gone", "302 Found", "Location: http://169.254.169.254/"), b"gone"),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("reply", "body"), ANSWERS.values(), ids=ANSWERS)
async def test_reads_an_answer(reply: bytes, body: bytes, dribble: bool) -> None:
    async with saying(reply, dribble=dribble) as camera, to(camera.port) as device:
        assert (await device.request("GET", device.base)).body == body


FAILURES = {
    "hangs up without a word": (b"", Unreachable),
    "is silent": (None, Unreachable),
    "cut off half-way": (http("hello")[:-3], Unreachable),
    "larger than the limit": (http(b"x" * (LIMIT + 1)), Garbled),
    "a length that is a lie": (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n" + b"x" * LIMIT * 2, Garbled),
    "a compression bomb": (http(BOMB, "200 OK", "Content-Encoding: gzip"), Garbled),
    "an encoding that we do not know": (http("x", "200 OK", "Content-Encoding: br"), Garbled),
    "gzip that is none": (http("hello", "200 OK", "Content-Encoding: gzip"), Garbled),
    "not HTTP": (b"SSH-2.0-dropbear\r\n\r\n", Garbled),
    "headers without an end": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200_000, Garbled),
}


@pytest.mark.parametrize(("reply", "error"), FAILURES.values(), ids=FAILURES)
async def test_names_the_failure(reply: bytes | None, error: type[DeviceError]) -> None:
    async with saying(reply) as camera, to(camera.port, timeout_s=0.3) as device:
        with pytest.raises(error):
            await device.request("GET", device.base)


async def test_a_closed_port_is_unreachable() -> None:
    async with saying(b"") as camera:
        port = camera.port
    async with to(port) as device:
        with pytest.raises(Unreachable):
            await device.request("GET", device.base)


async def test_an_idle_connection_that_the_camera_closed_is_opened_again() -> None:
    closing = http("one", "200 OK")
    async with saying(closing, b"", http("two")) as camera, to(camera.port) as device:
        await device.request("GET", device.base)
        assert (await device.request("GET", device.base)).body == b"two"


async def test_a_camera_that_hangs_up_on_every_request_is_not_asked_for_ever() -> None:
    async with saying(http("one"), b"") as camera, to(camera.port) as device:
        await device.request("GET", device.base)
        with pytest.raises(Unreachable):
            await device.request("GET", device.base)
        assert len(camera.heard) == 3


ADDRESSES = {
    "its own": ("http://127.0.0.1:80/onvif/media", "http://127.0.0.1/onvif/media"),
    "its own on another port": ("http://127.0.0.1:8106/onvif/media", "http://127.0.0.1:8106/onvif/media"),
    "behind NAT": ("http://192.168.1.64:80/onvif/media", "http://127.0.0.1:{port}/onvif/media"),
    "cloud metadata": ("http://169.254.169.254/latest/meta-data", "http://127.0.0.1:{port}/latest/meta-data"),
    "https where we came by http": ("https://127.0.0.1/onvif/media?x=1", "http://127.0.0.1:{port}/onvif/media?x=1"),
    "another protocol": ("file:///etc/passwd", "http://127.0.0.1:{port}/etc/passwd"),
}


@pytest.mark.parametrize(("announced", "local"), ADDRESSES.values(), ids=ADDRESSES)
async def test_never_leaves_the_host_that_was_dialled(announced: str, local: str) -> None:
    async with to(8999) as device:
        assert str(device.local_url(announced)) == str(httpx.URL(local.format(port=8999)))


@pytest.mark.parametrize("announced", ["http://host:8106:8106/x", "http://[::1", "\0"])
async def test_an_address_that_is_none_is_garbled(announced: str) -> None:
    async with to(8999) as device:
        with pytest.raises(Garbled):
            device.local_url(announced)


LINES = {
    "one line each": (['Digest realm="a", nonce="b"', 'Basic realm="c"'], ["digest", "basic"]),
    "all in one line": (['Digest realm="a, b", nonce="b", Basic realm="c"'], ["digest", "basic"]),
    "two digests in one line": (['Digest realm="a", nonce="1", Digest realm="a", nonce="2"'], ["digest", "digest"]),
    "a scheme without parameters": (["Negotiate, Basic realm=x"], ["negotiate", "basic"]),
    "none": ([], []),
}


@pytest.mark.parametrize(("lines", "schemes"), LINES.values(), ids=LINES)
def test_parts_challenges(lines: list[str], schemes: list[str]) -> None:
    headers = httpx.Headers([("WWW-Authenticate", line) for line in lines])
    assert [challenge.split(" ", 1)[0].lower() for challenge in challenges(headers)] == schemes


CHALLENGES = {
    "MD5": ([MD5], b"algorithm=MD5"),
    "SHA-256": ([SHA256], b"algorithm=SHA-256"),
    "the stronger of two": ([MD5, SHA256], b"algorithm=SHA-256"),
    "the one that we can compute": (
        ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-512-256', MD5],
        b"algorithm=MD5",
    ),
    "Digest rather than Basic": (['WWW-Authenticate: Basic realm="r"', MD5], b"Authorization: Digest"),
}


@pytest.mark.parametrize(("offered", "used"), CHALLENGES.values(), ids=CHALLENGES)
async def test_answers_the_best_challenge(offered: list[str], used: bytes) -> None:
    async with saying(http("", "401 Unauthorized", *offered), http("in")) as camera, to(camera.port) as device:
        reply = await device.request("GET", device.base, login=joe())
        assert reply.status == 200
        assert used.lower() in camera.heard[1].lower()
        assert b"s3cret" not in b"".join(camera.heard)


async def test_a_wrong_password_is_sent_once() -> None:
    async with saying(http("", "401 Unauthorized", MD5)) as camera, to(camera.port) as device:
        login = joe()
        assert (await device.request("GET", device.base, login=login)).status == 401
        assert (await device.request("GET", device.base, login=login)).status == 401
        assert sum(b"authorization: digest" in request.lower() for request in camera.heard) == 2


async def test_a_nonce_that_ended_is_renewed() -> None:
    stale = MD5 + ", stale=true"
    replies = (http("", "401 U", MD5), http("in"), http("", "401 U", stale), http("again"))
    async with saying(*replies) as camera, to(camera.port) as device:
        login = joe()
        await device.request("GET", device.base, login=login)
        assert (await device.request("GET", device.base, login=login)).body == b"again"


async def test_a_password_in_clear_text_is_not_sent() -> None:
    basic = 'WWW-Authenticate: Basic realm="r"'
    async with saying(http("", "401 Unauthorized", basic)) as camera, to(camera.port) as device:
        with pytest.raises(Unauthorized, match="not sent"):
            await device.request("GET", device.base, login=joe())
        assert len(camera.heard) == 1


async def test_a_digest_challenge_that_cannot_be_answered_is_garbled() -> None:
    odd = "WWW-Authenticate: Digest nonce"
    async with saying(http("", "401 Unauthorized", odd)) as camera, to(camera.port) as device:
        with pytest.raises(Garbled):
            await device.request("GET", device.base, login=joe())


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("s3cret")
    assert "s3cret" not in f"{secret} {secret!r} {Credential('joe', secret)!r} {secret:>10}"
