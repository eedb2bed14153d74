"""The running service as whoever operates it meets it: its lines, its certificate, its health, and how it ends."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fleet.cli.outcomes import ExitCode
from tests.cli.running import ended, started

pytestmark = pytest.mark.timeout(120)

NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def said(process: asyncio.subprocess.Process, word: str) -> str:
    """The rest of the first line of stderr that holds this word."""
    assert process.stderr is not None
    while line := (await asyncio.wait_for(process.stderr.readline(), 40)).decode():
        if word in line:
            return line.partition(word)[2].strip()
    raise AssertionError(f"it never said {word}")


@asynccontextmanager
async def serving(home: Path, *words: object, **more: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await started(home, "serve", "--port", "0", *words, more=more)
    try:
        yield process, await said(process, "listens on ")
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def in_json(err: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in err.splitlines() if line.startswith("{")]


# --- lines ------------------------------------------------------------------------------------------------------------


async def test_every_line_of_a_request_carries_its_id_and_none_a_query(tmp_path: Path) -> None:
    async with serving(tmp_path, CAMWARDEN_LOG_FORMAT="json") as (process, url):
        async with httpx.AsyncClient(base_url=url, trust_env=False) as browser:
            given = await browser.get("/sign-in?next=/secret-query", headers={"X-Request-Id": "proxy-4711.a"})
            made = await browser.get("/nowhere", headers={"X-Request-Id": "short", "Cookie": "session=secret-cookie"})
            await browser.get("/healthz")
        process.terminate()
        end = await ended(process)
    lines = [line for line in in_json(end.err) if line["event"] == "request"]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/sign-in", 303),
        ("GET", "/nowhere", 404),
    ]
    assert [line["request"] for line in lines] == ["proxy-4711.a", made.headers["x-request-id"]]
    assert given.headers["x-request-id"] == "proxy-4711.a"
    assert f"Request <code>{made.headers['x-request-id']}</code>" in made.text
    assert all({"level", "logger", "timestamp", "ms"} <= set(line) for line in lines)
    assert "secret" not in end.err


async def test_every_line_of_a_scan_carries_its_id(tmp_path: Path) -> None:
    """The scan's own task is where something goes wrong; what it logs names the scan, and who asked for it."""
    code = (
        "import logging, asyncio\n"
        "from fleet import scans\n"
        "from fleet.cli import screen\n"
        "from structlog.contextvars import bind_contextvars\n"
        "screen.start_logging(logging.INFO, 'json')\n"
        "async def broken(targets, options, on_progress):\n"
        "    raise RuntimeError('no such thing')\n"
        "    yield\n"
        "async def main():\n"
        "    from fleet.settings import load_settings\n"
        "    from fleet.store import open_store\n"
        "    async with await open_store(load_settings()) as store:\n"
        "        async with scans.Scans(store, load_settings(), assess=broken) as work:\n"
        "            bind_contextvars(request='asked-for-1')\n"
        "            scan = await work.start('127.0.0.99', 'anna')\n"
        "            async for _ in work.events(scan): pass\n"
        "            print(scan)\n"
        "asyncio.run(main())\n"
    )
    end = await ended(await started(tmp_path, code=code))
    (line,) = [line for line in in_json(end.err) if line["event"] == "a scan failed"]
    assert (line["scan"], line["request"], line["level"]) == (end.out.strip(), "asked-for-1", "error")
    assert "RuntimeError" in line["exception"]


async def test_the_journal_is_told_how_grave_a_line_is(tmp_path: Path) -> None:
    code = (
        "import logging, os, sys\n"
        "from fleet.cli import screen\n"
        "there = os.fstat(sys.stderr.fileno())\n"
        "os.environ['JOURNAL_STREAM'] = f'{there.st_dev}:{there.st_ino}'\n"
        "screen.start_logging(logging.INFO)\n"
        "logging.getLogger('a').info('light')\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError: logging.getLogger('a').exception('grave')\n"
    )
    end = await ended(await started(tmp_path, code=code))
    light, *grave = end.err.splitlines()
    assert light.startswith("<6>")
    assert len(grave) > 2
    assert all(line.startswith("<3>") for line in grave)


# --- health and numbers -----------------------------------------------------------------------------------------------


async def test_a_service_says_that_it_lives_is_ready_and_what_it_counts(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, url):
        async with httpx.AsyncClient(base_url=url, cookies=browser.cookies, trust_env=False) as again:
            assert "Interrupted" in (await again.get(scan)).text


async def test_a_second_signal_is_the_end_and_says_what_is_left(tmp_path: Path) -> None:
    async with silence() as port, serving(tmp_path) as (process, url):
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as browser:
            await _administrator(browser, await said(process, "one-time token: "))
            page = (await browser.get("/scans")).text
            csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
            await browser.post("/scans", data={"csrf": csrf, "targets": f"http://127.0.0.1:{port}"})
            async with browser.stream("GET", "/healthz"):
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGINT)
        end = await ended(process)
    assert end.code in {ExitCode.GOOD, 128 + signal.SIGTERM, 128 + signal.SIGINT}
    assert "Traceback" not in end.err
    if end.code != ExitCode.GOOD:
        assert "Stopped at once: a second SIG" in end.err
        assert "Left to the next start: " in end.err
