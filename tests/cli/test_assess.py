"""`assess`, `discover` and `explain` as a process, on simulated cameras."""

import asyncio
import csv
import json
import os
import pty
import re
import select
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from fleet.cli.outcomes import ExitCode
from fleet.reports.assessment import from_json
from tests.assessment.estate import RunningEstate, expected_rows, running_estate
from tests.cli.running import Ended, camwarden, ended, started

# Each process of a parallel run has an estate of its own.
BASE = f"127.{60 + os.getpid() % 60}.{os.getpid() // 60 % 250}.1"
FAULTS = ("--fault=telnet-open=1", "--fault=too-many-administrators=1", "--fault=hostile-name=1")

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def estate(tmp_path: Path) -> AsyncIterator[RunningEstate]:
    folder = tmp_path / "estate"
    folder.mkdir()
    words = ("--cameras=3", "--decoys=1", "--seed=7", f"--base={BASE}", "--no-discovery", *FAULTS)
    async with running_estate(folder, *words) as running:
        yield running


def places(estate: RunningEstate, *, decoys: bool) -> list[str]:
    entries = estate.manifest["cameras"] + (estate.manifest["decoys"] if decoys else [])
    shared = len({entry["address"] for entry in entries}) < len(entries)
    return [f"{entry['address']}:{entry['port']}" if shared else entry["address"] for entry in entries]


def only_json(end: Ended) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(end.out)
    return values


async def test_a_scan_says_what_is_true_in_every_format(estate: RunningEstate, tmp_path: Path) -> None:
    files = {name: tmp_path / f"report.{name}" for name in ("sarif", "junit", "html", "csv")}
    options = [word for name, path in files.items() for word in (f"--{name}", path)]
    end = await camwarden(
        tmp_path, "assess", *places(estate, decoys=True), "--credentials", estate.credentials, "--json", *options
    )
    assert (end.code, end.err) == (ExitCode.NOT_EVALUATED, "")  # the decoy
    seen = only_json(end)
    rows = {
        (f"{one['address']}:{one['port']}", verdict["check"], verdict["subject"], verdict["verdict"])
        for one in seen["cameras"]
        for verdict in one["verdicts"]
    }
    assert rows == expected_rows(estate.manifest)
    assert [one["address"] for one in seen["not_evaluated"]] == [one["address"] for one in estate.manifest["decoys"]]
    failed = sum(row[3] == "fail" for row in rows)
    assert len(json.loads(files["sarif"].read_text())["runs"][0]["results"]) == failed
    assert etree.fromstring(files["junit"].read_bytes()).get("failures") == str(failed)
    assert "<script" not in files["html"].read_text()
    with files["csv"].open(newline="") as sheet:
        assert sum(row["verdict"] == "fail" for row in csv.DictReader(sheet)) == failed


async def test_no_password_reaches_any_output(estate: RunningEstate, tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    end = await camwarden(
        tmp_path,
        "--debug",
        "assess",
        *places(estate, decoys=False),
        "--credentials",
        estate.credentials,
        "--html",
        html,
    )
    passwords = [
        line.split(": ", 1)[1].strip('"') for line in estate.credentials.read_text().splitlines() if "password" in line
    ]
    assert passwords
    assert not [secret for secret in passwords if secret in end.out + end.err + html.read_text()]


EXITS = {
    "findings at the limit": (["--fail-on", "critical"], ExitCode.FINDINGS),
    "no limit": ([], ExitCode.GOOD),
}


@pytest.mark.parametrize(("options", "code"), EXITS.values(), ids=EXITS)
async def test_the_exit_code_of_a_scan(
    options: list[str], code: ExitCode, estate: RunningEstate, tmp_path: Path
) -> None:
    end = await camwarden(
        tmp_path, "assess", *places(estate, decoys=False), "--credentials", estate.credentials, *options
    )
    assert (end.code, end.err) == (code, "")
    assert "What to fix first" in end.out
    assert not [character for character in end.out if not (character.isprintable() or character == "\n")]


async def test_an_address_where_nothing_answers_is_3(tmp_path: Path) -> None:
    end = await camwarden(tmp_path, "assess", "127.0.0.1:9", "--json", "--timeout", "2")
    assert end.code == ExitCode.NOT_EVALUATED
    assert [one["reason"] for one in only_json(end)["not_evaluated"]] == ["unreachable"]


@pytest.fixture
async def silent() -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A port that takes connections and never says a word, and the event of the first one."""
    called = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        while await reader.read(1024):
            pass
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], called


IN_THE_BACKGROUND = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "  # as a shell starts "command &"


@pytest.mark.parametrize("where", ["", IN_THE_BACKGROUND], ids=["foreground", "background"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stopped_scan_prints_what_it_has(
    number: signal.Signals, where: str, silent: tuple[int, asyncio.Event], tmp_path: Path
) -> None:
    report = tmp_path / "report.csv"
    port, called = silent
    words = ("assess", f"127.0.0.1:{port}", "--timeout", "60", "--json", "--csv", report)
    process = await started(tmp_path, *words, code=f"{where}from fleet.cli import main; main()")
    await asyncio.wait_for(called.wait(), 30)
    process.send_signal(number)
    end = await ended(process)
    assert end.code == ExitCode.INTERRUPTED, end.err
    assert [one["reason"] for one in only_json(end)["not_evaluated"]] == ["interrupted"]
    assert "interrupted" in report.read_text()
    assert os.listdir(tmp_path) == ["report.csv"]  # noqa: PTH208 - and no draft


async def test_discover_finds_the_cameras_and_names_the_rest(estate: RunningEstate, tmp_path: Path) -> None:
    end = await camwarden(tmp_path, "discover", *places(estate, decoys=True), "--json")
    assert (end.code, end.err) == (ExitCode.GOOD, "")
    seen = only_json(end)
    assert seen["format"] == "camwarden/discovery/1"
    assert {one["address"] for one in seen["cameras"]} == {one["address"] for one in estate.manifest["cameras"]}
    where, what = {"address", "port", "xaddrs"}, {"manufacturer", "model", "mac", "mac_maker", "serial", "activated"}
    assert set(seen["cameras"][0]) == {"sources", "scopes", *where, *what}
    assert [one["address"] for one in seen["not_cameras"]] == [one["address"] for one in estate.manifest["decoys"]]


async def test_explain_shows_the_evidence(estate: RunningEstate, tmp_path: Path) -> None:
    (bad,) = [camera for camera in estate.manifest["cameras"] if "telnet-open" in camera["faults"]]
    place = f"{bad['address']}:{bad['port']}"
    scan = await camwarden(tmp_path, "assess", place, "--credentials", estate.credentials, "--json")
    today = tmp_path / "today.json"
    today.write_text(scan.out)
    assert from_json(scan.out).cameras[0].place == place
    end = await camwarden(tmp_path, "explain", bad["address"], "too-many-administrators", "--from", today)
    assert (end.code, end.err) == (ExitCode.GOOD, "")
    for word in (f"{place}: too-many-administrators", "Why", "Seen", "How to fix", "See"):
        assert word in end.out
    unknown = await camwarden(tmp_path, "explain", "10.9.9.9", "telnet-open", "--from", today)
    assert unknown.code == ExitCode.WRONG_USE


NMAP = """#!/bin/sh
[ "$1" = -V ] && echo 'Nmap version 7.95 ( https://nmap.org )' && exit
cat <<XML
<nmaprun scanner="nmap" args="" start="1" version="7.95">
<host><status state="up"/><address addr="ADDRESS" addrtype="ipv4"/><ports>
<port protocol="tcp" portid="80"><state state="open" reason="syn-ack"/><service name="http" product="Boa"/></port>
</ports></host><runstats><finished time="1"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>
XML
"""


async def test_nmap_names_the_services(estate: RunningEstate, tmp_path: Path) -> None:
    """A stand-in for nmap, which takes half a minute for one port that says little."""
    camera = estate.manifest["cameras"][0]
    program = tmp_path / "bin" / "nmap"
    program.parent.mkdir()
    program.write_text(NMAP.replace("ADDRESS", camera["address"]))
    program.chmod(0o755)
    place = f"{camera['address']}:{camera['port']}"
    path = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    end = await ended(await started(tmp_path, "assess", place, "--nmap", "--json", "--timeout", "3", more=path))
    (seen,) = only_json(end)["cameras"]
    assert seen["services"] == {"80": "Boa"}, end


async def test_without_nmap_the_scan_does_not_begin(tmp_path: Path) -> None:
    end = await ended(await started(tmp_path, "assess", "127.0.0.1", "--nmap", more={"PATH": ""}))
    assert (end.code, end.out) == (ExitCode.WRONG_USE, "")
    assert "apt-get install nmap" in end.err


TERMINALS = {
    "with colours": ({}, True),
    "with NO_COLOR": ({"NO_COLOR": "1"}, False),
}


@pytest.mark.parametrize(("variables", "coloured"), TERMINALS.values(), ids=TERMINALS)
async def test_a_terminal_sees_a_bar_and_colours_only_where_wanted(
    variables: dict[str, str], coloured: bool, tmp_path: Path
) -> None:
    """What a person sees who scans an address where nothing answers."""
    inside, outside = pty.openpty()
    os.set_blocking(inside, False)
    process = await started(
        *(tmp_path, "assess", "127.0.0.1:9"),
        stdout=outside,
        stderr=outside,
        more={"TERM": "xterm-256color", **variables},
    )
    os.close(outside)
    shown = b""
    while process.returncode is None or select.select([inside], [], [], 0)[0]:
        try:
            shown += os.read(inside, 65536)
        except BlockingIOError:
            await asyncio.sleep(0.02)
        except OSError:  # the other end is closed
            break
    await process.wait()
    os.close(inside)
    assert b"Examining cameras" in shown
    assert bool(re.search(rb"\x1b\[[0-9;]*m", shown)) is coloured
