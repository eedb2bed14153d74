"""The list of checks is whole, their ids stay, each is documented, and the committed page is the current one."""

import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from scanners import checks
from scanners.checks import CHECKS, catalogue_page
from scanners.knowledge import load_knowledge
from scanners.model import Check, Severity
from scanners.score import WEIGHTS

ROOT = Path(__file__).parents[2]
FOLDER = Path(checks.__file__).parent

SEVERITIES = {
    Severity.CRITICAL: {"default-credentials", "factory-default-state", "telnet-open"},
    Severity.HIGH: {
        "anonymous-onvif",
        "anonymous-rtsp",
        "anonymous-snapshot",
        "firmware-outdated",
        "ftp-open",
        "http-basic-cleartext",
        "snmp-public",
    },
    Severity.MEDIUM: {
        "clock-skew",
        "http-cleartext-management",
        "lockout-off",
        "ntp-not-configured",
        "snmp-v1-v2c",
        "tls-certificate",
        "too-many-administrators",
        "unexpected-port",
    },
    Severity.LOW: {"discovery-left-on", "unsigned-apps"},
}


def test_every_module_of_the_folder_is_in_the_list_under_its_own_name() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")}
    assert modules == {check.id.replace("-", "_") for check in CHECKS}
    for check in CHECKS:
        assert import_module(f"scanners.checks.{check.id.replace('-', '_')}").CHECK is check


def test_ids_are_unique_and_none_was_renamed_or_dropped() -> None:
    """Findings, exceptions and other people's scripts hold these ids: add to the file, never change a line."""
    assert sorted(check.id for check in CHECKS) == (Path(__file__).parent / "ids.txt").read_text().split()


def test_severities() -> None:
    told = {severity: {check.id for check in CHECKS if check.severity is severity} for severity in Severity}
    assert told == SEVERITIES
    assert set(WEIGHTS) == set(Severity)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_says_who_is_harmed_what_to_do_and_where_that_is_written(check: Check) -> None:
    assert check.title
    assert check.title[0].isupper()
    assert not check.title.endswith(".")
    for text in (check.rationale, check.remediation):
        assert len(text) >= 120
        assert text.endswith(".")
        assert "  " not in text
    assert len(check.references) >= 2
    assert all(re.fullmatch(r"https://[^\s/]+\.[a-z]+/\S+", url) for url in check.references)
    assert len(set(check.references)) == len(check.references)


CLAUSES = {
    "CWE": r"CWE-[0-9]+",
    "NIST SP 800-53": r"[A-Z]{2}-[0-9]+(\([0-9]+\))?",
    "IEC 62443-3-3": r"SR [1-7]\.[0-9]+",
    "ETSI EN 303 645": r"5\.[0-9]+(-[0-9]+)?",
    "CIS Controls v8": r"[0-9]+\.[0-9]+",
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_names_clauses_of_standards(check: Check) -> None:
    assert "NIST SP 800-53" in check.standards
    for standard, clauses in check.standards.items():
        assert clauses
        assert all(re.fullmatch(CLAUSES[standard], clause) for clause in clauses), (standard, clauses)


def test_the_committed_page_is_the_current_one() -> None:
    assert (ROOT / "docs" / "checks.md").read_text() == catalogue_page(), (
        "run python -m scanners.checks > docs/checks.md"
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_page_tells_everything_of_a_check(check: Check) -> None:
    chapter = catalogue_page().split(f"### {check.id}\n")[1].split("\n### ")[0]
    clauses = [clause for clauses in check.standards.values() for clause in clauses]
    for text in (check.title, check.severity, check.rationale, check.remediation, *check.references, *clauses):
        assert text in chapter


def test_the_page_names_every_port_that_is_tried() -> None:
    assert all(f"\n| {port} |" in catalogue_page() for port in load_knowledge().ports.numbers)


def test_the_catalogue_of_the_page_can_be_used(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", catalogue_page(), flags=re.DOTALL)
    path = tmp_path / "catalogue.yaml"
    path.write_text(example)
    assert load_knowledge(path).firmware.vendors[0].manufacturers == ("AXIS",)
    assert yaml.safe_load(example)["format"] == "camwarden/firmware/1"
