"""`serve`, `user` and `doctor`: the service from start to stop, and who may use it."""

import asyncio
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.cli.serve import choose, with_cookies
from fleet.cli.service import is_loopback, listen
from fleet.settings import Settings
from tests.cli.running import camwarden, ended, started

pytestmark = pytest.mark.timeout(120)

PASSWORD = "a long and rather random sentence"

TRANSPORTS = {
    "loopback without TLS": ("127.0.0.1", {}, {}, False),
    "IPv6 loopback without TLS": ("::1", {}, {}, False),
    "loopback by name": ("localhost", {}, {}, False),
    "everybody with a certificate that is made": ("192.0.2.1", {}, {}, True),
    "everybody at once": ("0.0.0.0", {}, {}, True),  # noqa: S104 - nothing listens here
    "a name that looks like loopback": ("127.0.0.1.example", {}, {}, True),
    "everybody, insecure": ("192.0.2.1", {"insecure_http": True}, {}, False),
    "behind a proxy": ("127.0.0.1", {}, {"secure_cookies": True}, True),
}


@pytest.mark.parametrize(("host", "options", "given", "secure"), TRANSPORTS.values(), ids=TRANSPORTS)
def test_cookies_go_as_the_transport_allows(
    host: str, options: dict[str, bool], given: dict[str, bool], secure: bool, tmp_path: Path
) -> None:
    settings = Settings.model_validate({"home": tmp_path, "host": host, **given})
    tls = choose(settings, None, None, **{"insecure_http": False, **options})
    assert with_cookies(settings, tls=tls is not None).secure_cookies is secure
    assert (tls is not None) is (secure and not given)


LOOPBACKS = {
    "127.0.0.1": True,
    "127.9.9.9": True,
    "::1": True,
    "localhost": True,
    "192.0.2.1": False,
    "localhost.example": False,
}


@pytest.mark.parametrize(("host", "expected"), LOOPBACKS.items())
def test_knows_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_named(taken: int) -> None:
    with pytest.raises(WrongUse, match=f"port {taken}"):
        listen("127.0.0.1", taken)


async def said(process: asyncio.subprocess.Process, word: str) -> str:
    """The rest of the first line of stderr that holds this word."""
    assert process.stderr is not None
    while line := (await asyncio.wait_for(process.stderr.readline(), 40)).decode():
        if word in line:
            return line.partition(word)[2].strip()
    raise AssertionError(f"it never said {word}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_serves_until_it_is_told_to_stop(number: signal.Signals, tmp_path: Path) -> None:
    process = await started(tmp_path, "serve", "--port", "0")
    url = await said(process, "listens on ")
    token = await said(process, "one-time token: ")
    async with httpx.AsyncClient(base_url=url, trust_env=False) as browser:
        page = await browser.get("/set-up")
    assert (page.status_code, len(token) > 20, token in page.text) == (200, True, False)
    process.send_signal(number)
    end = await ended(process)
    assert (end.code, end.out, "Traceback" in end.err) == (ExitCode.GOOD, "", False)


async def test_a_person_added_on_the_command_line_may_sign_in_and_the_token_is_gone(tmp_path: Path) -> None:
    line = f"{PASSWORD}\n".encode()
    added = await camwarden(tmp_path, "user", "add", "ana", "--role", "administrator", "--password-stdin", stdin=line)
    assert (added.code, added.out) == (ExitCode.GOOD, ""), added.err
    again = await camwarden(tmp_path, "user", "add", "ana", "--password-stdin", stdin=line)
    assert again.code == ExitCode.WRONG_USE
    nobody = await camwarden(tmp_path, "user", "passwd", "bo", "--password-stdin", stdin=line)
    assert nobody.code == ExitCode.WRONG_USE
    weak = await camwarden(tmp_path, "user", "passwd", "ana", "--password-stdin", stdin=b"1\n")
    assert weak.code == ExitCode.WRONG_USE
    assert PASSWORD not in added.err + again.err + nobody.err + weak.err
    process = await started(tmp_path, "serve", "--port", "0")
    await said(process, "listens on ")
    process.terminate()
    assert "token" not in (await ended(process)).err


async def test_the_doctor_examines_and_makes_nothing(tmp_path: Path) -> None:
    end = await camwarden(tmp_path, "doctor", "--json")
    lines = {line["what"]: line for line in json.loads(end.out)["lines"]}
    assert {"python", "home", "store", "clock", "multicast", "nmap", "ONVIF service descriptions"} <= set(lines)
    assert {"disk", "database", "key", "certificate", "schedules", "notices", "history"} <= set(lines)
    assert (end.code, end.err) == (ExitCode.GOOD, ""), end
    assert all(line["advice"] for line in lines.values() if line["state"] != "ok")
    assert not (tmp_path / "camwarden.db").exists()


async def test_the_doctor_says_what_is_broken(tmp_path: Path) -> None:
    (tmp_path / "camwarden.toml").write_text("prot = 8080\n")
    end = await camwarden(tmp_path, "doctor")
    assert end.code == ExitCode.NOT_EVALUATED
    assert "prot: no such setting" in " ".join(end.out.split())


async def test_the_doctor_reads_the_schedules(tmp_path: Path) -> None:
    (tmp_path / "camwarden.toml").write_text('scan_schedule = "every night"\n')
    end = await camwarden(tmp_path, "doctor")
    assert end.code == ExitCode.NOT_EVALUATED
    assert "scan_schedule: write five fields" in " ".join(end.out.split())
