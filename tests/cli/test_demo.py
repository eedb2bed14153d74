"""`demo`: everything at once, and nothing left of it."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from fleet.cli.demo import free_port
from fleet.cli.outcomes import ExitCode
from fleet.cli.service import listen
from fleet.demo import Place, Verdicts, compare, targets_of
from tests.cli.running import ended, started

pytestmark = pytest.mark.timeout(180)


def at(*places: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"address": address, "port": port} for address, port in places]


TARGETS = {
    "neighbours make a range": (
        at(("127.20.0.1", 80), ("127.20.0.2", 80)),
        at(("127.20.0.3", 80)),
        "127.20.0.1-127.20.0.3",
    ),
    "one camera is one address": (at(("127.20.0.1", 80)), [], "127.20.0.1"),
    "a hole makes two": (at(("127.20.0.1", 80), ("127.20.0.3", 443)), [], "127.20.0.1 127.20.0.3"),
    "a range crosses the end of a network": (
        at(("127.20.0.255", 80), ("127.20.1.0", 80)),
        [],
        "127.20.0.255-127.20.1.0",
    ),
    "a shared address needs its ports": (at(("127.0.0.1", 1), ("127.0.0.1", 2)), [], "127.0.0.1:1 127.0.0.1:2"),
}


@pytest.mark.parametrize(("cameras", "decoys", "expected"), TARGETS.values(), ids=TARGETS)
def test_targets(cameras: list[dict[str, Any]], decoys: list[dict[str, Any]], expected: str) -> None:
    assert targets_of({"cameras": cameras, "decoys": decoys}) == expected


TRUE = [{"address": "127.20.0.1", "port": 80, "expected": [{"check": "telnet-open", "subject": "", "verdict": "fail"}]}]
SEEN = ("127.20.0.1", 80)
COMPARISONS = {
    "the same": ({SEEN: {("telnet-open", ""): "fail"}}, []),
    "another verdict": (
        {SEEN: {("telnet-open", ""): "pass"}},
        ["127.20.0.1:80: telnet-open: expected fail, found pass"],
    ),
    "a verdict too few": ({SEEN: {}}, ["127.20.0.1:80: telnet-open: expected fail, found nothing"]),
    "a verdict too many": (
        {SEEN: {("telnet-open", ""): "fail", ("ftp-open", "x"): "pass"}},
        ["127.20.0.1:80: ftp-open x: expected nothing, found pass"],
    ),
    "a camera too few": ({}, ["127.20.0.1:80: the camera is missing"]),
    "a camera too many": (
        {SEEN: {("telnet-open", ""): "fail"}, ("127.20.0.2", 80): {}},
        ["127.20.0.2:80: there is no such camera"],
    ),
}


@pytest.mark.parametrize(("seen", "expected"), COMPARISONS.values(), ids=COMPARISONS)
def test_every_difference_is_a_line(seen: dict[Place, Verdicts], expected: list[str]) -> None:
    assert compare(TRUE, seen) == expected


def test_a_taken_port_gives_the_next_free_one() -> None:
    with listen("127.0.0.1", 0) as taken, free_port(taken.getsockname()[1]) as other:
        assert other.getsockname()[1] != taken.getsockname()[1]


async def test_the_demo_shows_what_is_true(tmp_path: Path) -> None:
    process = await started(tmp_path, "demo", "--cameras", "3", "--port", "0", "--no-browser", "--exit-after-check")
    end = await ended(process)
    assert end.code == ExitCode.GOOD, end
    assert "Check: 3 cameras" in end.out
    assert "as expected" in end.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stopped_demo_leaves_nothing_running(number: signal.Signals, tmp_path: Path) -> None:
    process = await started(tmp_path, "demo", "--cameras", "2", "--port", "0", "--no-browser")
    assert process.stdout is not None
    while b"Password" not in (line := await asyncio.wait_for(process.stdout.readline(), 60)):
        assert line, "the demo ended before it was ready"
    simulators = children_of(process.pid)
    assert simulators
    process.send_signal(number)
    end = await ended(process)
    assert (end.code, "Traceback" in end.err) == (ExitCode.GOOD, False), end.err
    assert not [pid for pid in simulators if is_running(pid)]


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def children_of(pid: int) -> list[int]:
    return [int(word) for path in Path(f"/proc/{pid}/task").glob("*/children") for word in path.read_text().split()]
