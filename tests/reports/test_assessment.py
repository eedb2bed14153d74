"""`camwarden/assessment/1`: its shape, its order, and that nothing asked for is left out."""

import json
from importlib.resources import files

import jsonschema
import pytest

from fleet.reports import assessment as report
from fleet.reports.assessment import Assessment, ReportError, from_json, schema, to_json, to_values
from scanners.assessment import NotEvaluated
from scanners.targets import Target
from tests.reports.sample import ESCAPES, assessment, camera, compare, everything, verdict


def test_looks_as_agreed() -> None:
    values = to_values(everything())
    assert list(values) == ["format", "tool", "started", "finished", "cameras", "not_evaluated"]
    first = values["cameras"][0]
    assert list(first) == ["address", "port", "identity", "verdicts", "score"]
    assert list(first["identity"]) == ["manufacturer", "model", "firmware", "serial", "mac", "driver"]
    assert set(first["verdicts"][0]) == {
        *("check", "verdict", "severity", "title", "subject", "summary"),
        *("evidence", "remediation", "references", "standards", "reason"),
    }
    assert values["not_evaluated"][0] == {
        "address": "10.0.0.6",
        "reason": "unreachable",
        "detail": "no port that we tried answers",
    }
    compare("assessment.json", to_json(everything()))


def test_the_schema_that_ships_is_the_schema_of_the_code() -> None:
    shipped = (files("fleet.reports") / "assessment-1.schema.json").read_text()
    assert json.loads(shipped) == schema()


@pytest.mark.parametrize("whole", [everything(), assessment()], ids=["everything", "nothing"])
def test_obeys_the_schema(whole: Assessment) -> None:
    jsonschema.Draft202012Validator(schema()).validate(json.loads(to_json(whole)))


def test_reads_what_it_wrote() -> None:
    assert to_json(from_json(to_json(everything()))) == to_json(everything())


def test_is_ascii_so_that_no_escape_reaches_a_terminal() -> None:
    text = to_json(everything())
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text)["cameras"][1]["identity"]["model"].endswith(ESCAPES)


def test_services_stand_only_where_nmap_was_asked() -> None:
    alone, twin = camera("10.0.0.5", 80), camera("10.0.0.9", 80)
    whole = report.with_services(
        assessment(alone, twin, camera("10.0.0.9", 81)), {"10.0.0.5": {80: "Boa"}, "10.0.0.9": {80: "x"}}
    )
    assert [one.get("services") for one in to_values(whole)["cameras"]] == [{"80": "Boa"}, None, None]


BAD_FILES = {
    "no JSON": "{",
    "another format": '{"format": "camwarden/discovery/1", "cameras": []}',
    "a list": "[]",
    "a verdict that does not exist": to_json(assessment(camera("10.0.0.5", 80, verdict()))).replace('"fail"', '"bad"'),
    "nothing": "",
}


@pytest.mark.parametrize("text", BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_no_assessment_is_named_so(text: str) -> None:
    with pytest.raises(ReportError, match="this is not camwarden/assessment/1"):
        from_json(text)


def target(address: str, port: int | None = None) -> Target:
    return Target(address, port, None, None, shared=False)


MISSING = {
    "all answered": ([target("10.0.0.5")], [NotEvaluated("10.0.0.5", "unreachable", "")], []),
    "one of two did not": (
        [target("10.0.0.5"), target("10.0.0.6")],
        [NotEvaluated("10.0.0.5", "unreachable", "")],
        ["10.0.0.6"],
    ),
    "one port of a shared address did not": (
        [target("10.0.0.5", 1), target("10.0.0.5", 2)],
        [NotEvaluated("10.0.0.5", "unreachable", "")],
        ["10.0.0.5"],
    ),
    "nothing did": ([target("10.0.0.5"), target("10.0.0.6")], [], ["10.0.0.5", "10.0.0.6"]),
}


@pytest.mark.parametrize(("targets", "results", "expected"), MISSING.values(), ids=MISSING)
def test_nothing_asked_for_is_left_out(targets: list[Target], results: list[NotEvaluated], expected: list[str]) -> None:
    complete = report.with_the_missing(targets, results, "interrupted", "stopped")
    added = complete[len(results) :]
    assert [one.address for one in added if isinstance(one, NotEvaluated) and one.reason == "interrupted"] == expected


def test_the_order_does_not_depend_on_the_order_of_arrival() -> None:
    results = [NotEvaluated(address, "unreachable", "") for address in ("10.0.0.10", "2001:db8::1", "10.0.0.9")]
    for order in (results, results[::-1]):
        whole = report.assessed("0", "", "", order)
        assert [one.address for one in whole.not_evaluated] == ["10.0.0.9", "10.0.0.10", "2001:db8::1"]
