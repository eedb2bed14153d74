"""Every report of one assessment full of attacks: compared with a file, and tried against whoever reads it."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from lxml import etree
from rich.console import Console, RenderableType

from fleet.reports.assessment import AssessedCamera, Assessment
from fleet.reports.junit import to_junit
from fleet.reports.page import to_html
from fleet.reports.sarif import fingerprint, to_sarif
from fleet.reports.spreadsheet import COLUMNS, guarded, to_csv
from fleet.reports.terminal import explained, summary
from scanners.checks import CHECKS
from scanners.model import Outcome, Severity, Verdict
from tests.reports.sample import FORMULA, assessment, camera, compare, everything, hostile_camera, verdict

FORMATS = {
    "report.xml": to_junit,
    "report.csv": to_csv,
    "report.html": to_html,
}


@pytest.mark.parametrize("name", FORMATS)
def test_looks_as_it_did(name: str) -> None:
    compare(name, FORMATS[name](everything()))


@pytest.mark.parametrize("name", FORMATS)
def test_hides_nothing_and_commands_no_terminal(name: str) -> None:
    text = FORMATS[name](everything()).replace("\r\n", "\n")
    assert not {c for c in text if not (c.isprintable() or c in "\n\t")}


@pytest.mark.parametrize("write", [*FORMATS.values(), to_sarif], ids=[*FORMATS, "report.sarif"])
def test_an_assessment_of_nothing_is_a_report_too(write: Callable[[Assessment], str]) -> None:
    assert write(assessment())


# --- SARIF -----------------------------------------------------------------------------------------------------------


def run_of(whole: Assessment) -> dict[str, Any]:
    log = json.loads(to_sarif(whole, CHECKS))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def test_sarif_results_look_as_they_did() -> None:
    run = run_of(everything())
    compare("results.sarif.json", json.dumps({"results": run["results"], "invocations": run["invocations"]}, indent=1))


def test_sarif_has_a_rule_for_every_check_and_every_result() -> None:
    run = run_of(everything())
    rules = run["tool"]["driver"]["rules"]
    names = [rule["id"] for rule in rules]
    assert set(names) >= {check.id for check in CHECKS}
    assert len(set(names)) == len(names)
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["defaultConfiguration"]["level"] == result["level"] in {"error", "warning", "note"}
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
        assert rule.get("helpUri", "https://").startswith("https://")


def test_sarif_has_a_result_for_every_failed_verdict_and_a_notification_for_all_that_is_open() -> None:
    whole = everything()
    run = run_of(whole)
    assert len(run["results"]) == whole.count(Outcome.FAIL).total()
    (invocation,) = run["invocations"]
    opened = whole.count(Outcome.UNKNOWN).total() + whole.count(Outcome.ERROR).total() + len(whole.not_evaluated)
    assert len(invocation["toolExecutionNotifications"]) == opened
    assert invocation["executionSuccessful"] is False  # one check of ours broke


LEVELS = {
    Severity.CRITICAL: ("error", 9.0, 10.0),
    Severity.HIGH: ("error", 7.0, 8.9),
    Severity.MEDIUM: ("warning", 4.0, 6.9),
    Severity.LOW: ("note", 0.1, 3.9),
}


@pytest.mark.parametrize("severity", LEVELS)
def test_sarif_levels_fall_into_the_bands_of_code_hosts(severity: Severity) -> None:
    run = run_of(assessment(camera("10.0.0.5", 80, verdict("made-up", severity=severity))))
    level, low, high = LEVELS[severity]
    (result,) = run["results"]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert (result["level"], low <= float(rule["properties"]["security-severity"]) <= high) == (level, True)


SAME = verdict(summary="one wording", evidence={"seen": 1})
OTHER_WORDS = verdict(summary="another wording", evidence={"seen": 2})
FINGERPRINTS = {
    "other words": (camera(), OTHER_WORDS, True),
    "another address": (camera("10.9.9.9"), SAME, True),
    "another camera": (camera(serial="ACCC8E000002"), SAME, False),
    "another subject": (camera(), verdict(subject="tcp/23"), False),
    "another check": (camera(), verdict("ftp-open"), False),
    "no serial but the same MAC is another key": (camera(serial=None), SAME, False),
}


@pytest.mark.parametrize(("where", "said", "same"), FINGERPRINTS.values(), ids=FINGERPRINTS)
def test_a_fingerprint_belongs_to_a_finding(where: AssessedCamera, said: Verdict, same: bool) -> None:
    assert (fingerprint(where, said) == fingerprint(camera(), SAME)) is same


def test_sarif_places_are_addresses_that_code_hosts_accept() -> None:
    for result in run_of(everything())["results"]:
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.startswith("cameras/")
        assert not set(uri) & set(" %<>\"'\\")


# --- JUnit -----------------------------------------------------------------------------------------------------------


def test_junit_counts_what_it_holds() -> None:
    whole = everything()
    root = etree.fromstring(to_junit(whole).encode())
    verdicts = Counter(one.verdict for each in whole.cameras for one in each.verdicts)
    assert root.get("failures") == str(verdicts[Outcome.FAIL])
    assert root.get("errors") == str(verdicts[Outcome.ERROR] + len(whole.not_evaluated))
    assert root.get("skipped") == str(verdicts[Outcome.UNKNOWN] + verdicts[Outcome.NOT_APPLICABLE])
    assert root.get("tests") == str(verdicts.total() + len(whole.not_evaluated))
    for suite in root.iter("testsuite"):
        assert suite.get("tests") == str(len(suite))


def test_junit_says_why_something_is_skipped() -> None:
    root = etree.fromstring(
        to_junit(assessment(camera("10.0.0.5", 80, verdict(outcome=Outcome.UNKNOWN, reason="unauthorized")))).encode()
    )
    (skipped,) = root.iter("skipped")
    assert str(skipped.get("message")).startswith("unauthorized: ")


# --- CSV -------------------------------------------------------------------------------------------------------------

CELLS = {
    "a formula": (FORMULA, True),
    "a plus": ("+1+1", True),
    "a minus": ("-1", True),
    "an at sign": ("@SUM(A1)", True),
    "a formula after blanks": ("  =1", True),
    "a formula after a line break": ("\r\n=1", True),
    "a tab": ("\t1", True),
    "a full-width sign": ("\uff1d1", True),
    "a control character before the sign": ("\x00=1", True),
    "plain text": ("P3265-V", False),
    "an address": ("10.0.0.5", False),
    "nothing": ("", False),
}


@pytest.mark.parametrize(("cell", "dangerous"), CELLS.values(), ids=CELLS)
def test_no_cell_is_a_formula(cell: str, dangerous: bool) -> None:
    assert guarded(cell) == (f"'{cell}" if dangerous else cell)


def test_every_cell_of_the_hostile_camera_is_guarded() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(everything()), newline="")))
    assert rows[0] == list(COLUMNS)
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert not [cell for row in rows for cell in row if cell.strip().startswith(("=", "+", "@", "-"))]


# --- HTML ------------------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_the_page_runs_nothing_and_loads_nothing() -> None:
    tags = Tags(to_html(everything())).seen
    names = {tag for tag, _ in tags}
    assert not names & {"script", "img", "link", "iframe", "object", "form", "svg"}
    assert not [attrs for _, attrs in tags for name in attrs if name.startswith("on") or name == "src"]
    assert all(str(attrs["href"]).startswith("https://") for tag, attrs in tags if tag == "a")


def test_the_page_names_everything() -> None:
    page = to_html(everything())
    for word in (
        "10.0.0.5:80",
        "[2001:db8::5]:443",
        "10.0.0.6",
        "10.0.0.7:8080",
        "http-basic-cleartext",
        "unauthorized",
    ):
        assert word in page


# --- terminal --------------------------------------------------------------------------------------------------------


def printed(part: RenderableType) -> str:
    out = io.StringIO()
    console = Console(file=out, width=120, markup=False, highlight=False, emoji=False, color_system=None)
    console.print(part)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def test_the_summary_looks_as_it_did() -> None:
    compare("summary.txt", printed(summary(everything())))


def test_an_explanation_looks_as_it_did() -> None:
    compare("explained.txt", printed(explained(hostile_camera().verdicts[0], "10.0.0.5:80", "It harms.")))


@pytest.mark.parametrize("name", ["summary.txt", "explained.txt"])
def test_no_escape_reaches_the_terminal(name: str) -> None:
    text = (
        printed(summary(everything()))
        if name == "summary.txt"
        else printed(explained(hostile_camera().verdicts[0], "x", ""))
    )
    assert not [c for c in text if not (c.isprintable() or c == "\n")]
