"""`explain` from the store of the console."""

import json
from pathlib import Path

import pytest

from fleet.cli.outcomes import ExitCode
from fleet.findings import triage as findings
from fleet.settings import Settings
from fleet.store import open_store
from scanners.model import Outcome
from tests.cli.running import camwarden
from tests.fleet.samples import assessed, camera, dossier


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """A store with two cameras."""
    async with await open_store(Settings(home=tmp_path)) as store:
        for number in (1, 2):
            of = dossier(f"10.0.0.{number}", 80, camera(number))
            await findings.record(store, assessed({("telnet-open", f"tcp/{number}"): Outcome.FAIL}, of))
    return tmp_path


NAMES = {
    "its address": ("10.0.0.1", "tcp/1"),
    "its address and port": ("10.0.0.2:80", "tcp/2"),
    "its serial number": ("B8A44F000002", "tcp/2"),
}


@pytest.mark.parametrize(("name", "subject"), NAMES.values(), ids=NAMES)
async def test_a_camera_answers_to(name: str, subject: str, home: Path) -> None:
    end = await camwarden(home, "explain", name, "telnet-open", "--json")
    assert (end.code, end.err) == (ExitCode.GOOD, "")
    assert [one["subject"] for one in json.loads(end.out)] == [subject]


UNKNOWN = {
    "a camera that is not there": (["10.0.0.3", "telnet-open"], "no such camera"),
    "part of an address": (["10.0.0", "telnet-open"], "no such camera"),
    "a check without a verdict": (["10.0.0.1", "ftp-open"], "it has: telnet-open"),
}


@pytest.mark.parametrize(("words", "said"), UNKNOWN.values(), ids=UNKNOWN)
async def test_says_what_is_there_instead(words: list[str], said: str, home: Path) -> None:
    end = await camwarden(home, "explain", *words)
    assert end.code == ExitCode.WRONG_USE
    assert said in end.err
