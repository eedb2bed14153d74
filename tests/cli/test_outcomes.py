"""How a command ends."""

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fleet.cli import app, screen
from fleet.cli.assess import assessment_exit
from fleet.cli.outcomes import MEANINGS, ExitCode, our_fault
from fleet.reports.assessment import Assessment
from scanners.assessment import NotEvaluated
from scanners.model import Outcome, Severity
from tests.cli.running import camwarden, ended, started
from tests.reports.sample import assessment, camera, verdict

ROOT = Path(__file__).parents[2]
UNSEEN = (NotEvaluated("10.0.0.6", "unreachable", "nothing answers"),)
EMPTY = (NotEvaluated("10.0.0.7", "no-answer", "no port that we tried answers"),)
CLEAN = assessment(camera("10.0.0.5", 80, verdict(outcome=Outcome.PASS)))
HIGH = assessment(camera("10.0.0.5", 80, verdict(severity=Severity.HIGH)))
HIGH_AND_UNSEEN = assessment(camera("10.0.0.5", 80, verdict(severity=Severity.HIGH)), not_evaluated=UNSEEN)
ERROR = assessment(camera("10.0.0.5", 80, verdict(outcome=Outcome.ERROR, reason="ValueError")))
UNKNOWN = assessment(camera("10.0.0.5", 80, verdict(outcome=Outcome.UNKNOWN, reason="unauthorized")))

EXITS = {
    "everything passes": (CLEAN, Severity.LOW, ExitCode.GOOD),
    "nothing was asked for": (assessment(), Severity.LOW, ExitCode.GOOD),
    "findings without a limit": (HIGH, None, ExitCode.GOOD),
    "findings at the limit": (HIGH, Severity.HIGH, ExitCode.FINDINGS),
    "findings above the limit": (HIGH, Severity.LOW, ExitCode.FINDINGS),
    "findings below the limit": (HIGH, Severity.CRITICAL, ExitCode.GOOD),
    "findings win over what was not evaluated": (HIGH_AND_UNSEEN, Severity.HIGH, ExitCode.FINDINGS),
    "not evaluated, findings below the limit": (HIGH_AND_UNSEEN, Severity.CRITICAL, ExitCode.NOT_EVALUATED),
    "not evaluated, without a limit": (HIGH_AND_UNSEEN, None, ExitCode.NOT_EVALUATED),
    "an empty place in a searched network": (assessment(not_evaluated=EMPTY), None, ExitCode.GOOD),
    "an error of ours": (ERROR, Severity.LOW, ExitCode.NOT_EVALUATED),
    "an unknown verdict is no failure": (UNKNOWN, Severity.LOW, ExitCode.GOOD),
}


@pytest.mark.parametrize(("whole", "fail_on", "code"), EXITS.values(), ids=EXITS)
def test_exit_codes(whole: Assessment, fail_on: Severity | None, code: ExitCode) -> None:
    assert assessment_exit(whole, fail_on) is code


def test_every_exit_code_has_a_meaning_and_stands_in_the_documents() -> None:
    assert set(MEANINGS) == set(ExitCode)
    text = (ROOT / "docs" / "cli.md").read_text()
    assert [code for code in ExitCode if f"| {code.value} |" not in text] == []


def raised(text: str) -> ValueError:
    with pytest.raises(ValueError, match=text) as caught:
        int(text)
    return caught.value


def test_our_fault_is_one_line_with_a_number_and_without_the_words_of_the_error() -> None:
    line = our_fault(raised("hunter2"))
    assert "\n" not in line
    assert re.search(r"number [0-9a-f]{10}\)", line)
    assert "hunter2" not in line
    assert "--debug" in line


def test_the_same_fault_has_the_same_number() -> None:
    assert our_fault(raised("one")) == our_fault(raised("another"))


WRONG_USES = {
    "no command": ([], ""),
    "an unknown command": (["asses"], "asses"),
    "no target": (["assess"], "target"),
    "a target that is none": (["assess", "10.0.0.5/24"], "10.0.0.0/24"),
    "too many targets in a pipe": (["assess", "10.0.0.0/16"], "65534"),
    "more targets than there may ever be": (["assess", "10.0.0.0/8", "--yes"], "16777214"),
    "an unknown severity": (["assess", "127.0.0.1", "--fail-on", "awful"], "awful"),
    "ports that are none": (["assess", "127.0.0.1", "--ports", "80,http"], "--ports"),
    "a port range that runs backwards": (["assess", "127.0.0.1", "--ports", "90-80"], "--ports"),
    "a credentials file that is not there": (["assess", "127.0.0.1", "--credentials", "nowhere.yaml"], "nowhere.yaml"),
    "a catalogue that is not there": (["assess", "127.0.0.1", "--catalogue", "nowhere.yaml"], "nowhere.yaml"),
    "a report that cannot be written": (["assess", "127.0.0.1", "--html", "no/where.html"], "no/where.html"),
    "two reports in one file": (["assess", "127.0.0.1", "--html", "x", "--csv", "./x"], "same file"),
    "an unknown check": (["checks", "telnet"], "telnet-open"),
    "an explanation without a store": (["explain", "10.0.0.5", "telnet-open"], "--from"),
    "an explanation of no file": (["explain", "10.0.0.5", "telnet-open", "--from", "nowhere"], "nowhere"),
    "a service on an address of another machine": (
        ["serve", "--host", "192.0.2.1", "--insecure-http"],
        "cannot listen",
    ),
    "half of a certificate": (["serve", "--certificate", "x.pem"], "belong together"),
    "a configuration that is not there": (["serve", "--config", "nowhere.toml"], "nowhere.toml"),
    "a password without a terminal": (["user", "add", "ana"], "--password-stdin"),
    "a simulation outside loopback": (["simulate", "--base", "10.0.0.1"], "loopback"),
    "an interface that does not exist": (["discover", "--interface", "nowhere0"], "nowhere0"),
}


@pytest.fixture(autouse=True)
def _quiet_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sets up logging for its process, which here is pytest's; and variables are settings to it."""
    monkeypatch.setattr(screen, "start_logging", lambda *_level, **_form: None)
    for name in [name for name in os.environ if name.startswith("CAMWARDEN_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(("words", "said"), WRONG_USES.values(), ids=WRONG_USES)
def test_wrong_use_is_2_and_says_what_to_write(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    end = CliRunner().invoke(app, words, prog_name="camwarden", env={"CAMWARDEN_HOME": str(tmp_path), "TERM": "dumb"})
    assert end.exit_code == ExitCode.WRONG_USE, end.output
    assert said in (end.stderr if words else end.output)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - nothing was made


async def test_a_broken_pipe_is_quiet(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = await started(tmp_path, "checks", "--json", stdout=writing)
    os.close(writing)
    end = await ended(process)
    assert (end.code, end.err) == (ExitCode.BROKEN_PIPE, "")


async def test_the_version_is_printed(tmp_path: Path) -> None:
    end = await camwarden(tmp_path, "--version")
    assert (end.code, end.err) == (0, "")
    assert re.fullmatch(r"camwarden \d+\.\d+\.\d+\n", end.out)


FAULT = "import fleet.cli.checks as c; c.CHECKS = None\nfrom fleet.cli import main; main()"


@pytest.mark.parametrize(("words", "traceback"), [(["checks"], False), (["--debug", "checks"], True)])
async def test_a_fault_of_ours_is_4_and_one_line(words: list[str], traceback: bool, tmp_path: Path) -> None:
    process = await started(tmp_path, *words, code=FAULT)
    end = await ended(process)
    assert (end.code, end.out) == (ExitCode.OUR_FAULT, "")
    assert ("Traceback" in end.err) is traceback
    assert end.err.splitlines()[-1].startswith("camwarden: this is our fault")
