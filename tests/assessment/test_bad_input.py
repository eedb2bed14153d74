"""Servers that mean harm or are broken: each has a clear outcome, and none costs another camera its result."""

import asyncio
import gzip
import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from scanners.assessment import CameraAssessment, NotEvaluated, Options, assess
from scanners.credentials import load_credentials
from scanners.targets import parse_targets
from tests.assessment.estate import running_estate
from tests.cameras.saying import http, saying

XML = "Content-Type: application/soap+xml"
ENVELOPE = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>{}</s:Body></s:Envelope>'
LAUGHS = '<!DOCTYPE l [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;">]><l>&b;</l>'
GIGABYTE = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n" + b"\0" * (8 * 1024 * 1024)

REPLIES: dict[str, tuple[bytes | None, str]] = {
    "accepts and says nothing": (None, "unreachable"),
    "hangs up at once": (b"", "unreachable"),
    "says something that is not HTTP": (b"220 ProFTPD ready\r\n\r\n", "not-a-camera"),
    "a page for every question": (http("<html><body>Welcome<br></body></html>"), "not-a-camera"),
    "a page that is called XML": (http("<html><br></html>", "200 OK", XML), "not-a-camera"),
    "truncated XML": (http(ENVELOPE[:60], "200 OK", XML), "garbled"),
    "an answer of one gigabyte": (GIGABYTE, "not-a-camera"),
    "a compression bomb": (
        http(gzip.compress(b"\0" * 2**27), "200 OK", "Content-Encoding: gzip"),
        "not-a-camera",
    ),
    "an entity bomb": (http(LAUGHS, "200 OK", XML), "garbled"),
    "nesting without end": (http("<a>" * 100_000, "200 OK", XML), "garbled"),
    "a redirect to the cloud's metadata": (
        http("", "302 Found", "Location: http://169.254.169.254/latest/meta-data"),
        "not-a-camera",
    ),
    "invalid UTF-8": (http(b"\xff\xfe\x00\xd8" * 100), "not-a-camera"),
    "a router with a login by Basic": (
        http("", "401 Unauthorized", 'WWW-Authenticate: Basic realm="x"'),
        "not-a-camera",
    ),
    "a web server with a login by Digest": (
        http("", "401 Unauthorized", 'WWW-Authenticate: Digest realm="x", nonce="n"'),
        "unauthorized",
    ),
}


@asynccontextmanager
async def bad_servers() -> AsyncIterator[dict[int, str]]:
    """All of them at once; by port, what each is called."""
    async with AsyncExitStack() as stack:
        names = {}
        for name, (reply, _) in REPLIES.items():
            names[(await stack.enter_async_context(saying(reply))).port] = name
        yield names


async def test_each_has_its_outcome_and_the_good_camera_its_result(tmp_path: Path) -> None:
    async with (
        running_estate(tmp_path, "--cameras", "1", "--clean", "--base", "127.48.0.1") as estate,
        bad_servers() as bad,
    ):
        (camera,) = estate.manifest["cameras"]
        words = [*(f"http://127.0.0.1:{port}/" for port in bad), camera["address"], "127.48.0.77"]
        options = Options(credentials=load_credentials(estate.credentials), request_timeout_s=1, cameras_at_once=1)
        results = [result async for result in assess(parse_targets(words), options)]
    good = [r for r in results if isinstance(r, CameraAssessment)]
    others = [r for r in results if isinstance(r, NotEvaluated)]
    assert [r.dossier.address for r in good] == [camera["address"]]
    reasons = sorted(r.reason for r in others)
    assert reasons == sorted([*(reason for _, reason in REPLIES.values()), "unreachable"])


@pytest.mark.parametrize(("reply", "reason"), REPLIES.values(), ids=REPLIES)
async def test_says_what_it_is(reply: bytes | None, reason: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with saying(reply) as camera:
        targets = parse_targets([f"http://127.0.0.1:{camera.port}/"])
        options = Options(request_timeout_s=1, ports=(camera.port,))
        (result,) = [result async for result in assess(targets, options)]
    assert isinstance(result, NotEvaluated)
    assert (result.reason, bool(result.detail)) == (reason, True)
    assert "\x1b" not in result.detail
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


SILENCE = {"an address": (["127.48.1.1"], "unreachable"), "a network": (["127.48.1.0/30"], "no-answer")}


@pytest.mark.parametrize(("words", "reason"), SILENCE.values(), ids=SILENCE)
async def test_silence_is_a_gap_only_where_somebody_promised_a_camera(words: list[str], reason: str) -> None:
    results = [result async for result in assess(parse_targets(words), Options(ports=(9,)))]
    assert {result.reason for result in results if isinstance(result, NotEvaluated)} == {reason}


async def test_leaving_early_stops_everything() -> None:
    async with saying(None) as silent:
        targets = parse_targets([f"http://127.0.0.1:{silent.port}/", "127.48.0.99"])
        results = assess(targets, Options(request_timeout_s=30, ports=(9,)))
        async for _ in results:
            break
        await results.aclose()  # type: ignore[attr-defined] # an async generator
    assert len(asyncio.all_tasks()) == 1
