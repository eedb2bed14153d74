"""JUnit XML, for the test tabs of CI services: a suite per camera, a case per check and subject."""

import json
from collections import Counter
from collections.abc import Iterable

from lxml import etree

from fleet.reports.assessment import AssessedCamera, Assessment, asked_place
from fleet.reports.plain import plain
from scanners.assessment import NotEvaluated
from scanners.model import Outcome, Verdict

# How an outcome shows in a test tab. What does not apply was not tested, so it is skipped as well, with its own word.
_TAGS = {
    Outcome.FAIL: "failure",
    Outcome.ERROR: "error",
    Outcome.UNKNOWN: "skipped",
    Outcome.NOT_APPLICABLE: "skipped",
}


def to_junit(assessment: Assessment) -> str:
    """An address that was not evaluated is an error: a gate that only reads this file must not take it for clean."""
    root = etree.Element("testsuites", name="camwarden assess", timestamp=assessment.started)
    for camera in assessment.cameras:
        root.append(_suite(assessment, camera))
    if assessment.not_evaluated:
        root.append(_unseen(assessment))
    _total(root, root.iter("testcase"))
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return document.decode()


def _suite(assessment: Assessment, camera: AssessedCamera) -> etree._Element:
    suite = _element("testsuite", name=f"{camera.place} {camera.name}", timestamp=assessment.started)
    for verdict in camera.verdicts:
        name = f"{verdict.check} {verdict.subject}".rstrip()
        case = _element("testcase", classname=camera.place, name=name, time="0")
        suite.append(case)
        if tag := _TAGS.get(verdict.verdict):
            case.append(_outcome(tag, verdict))
    _total(suite, suite)
    return suite


def _outcome(tag: str, verdict: Verdict) -> etree._Element:
    word = verdict.reason or verdict.verdict
    message = verdict.summary if verdict.verdict is Outcome.FAIL else f"{word}: {verdict.summary}"
    element = _element(tag, message=message)
    if tag != "skipped":
        element.set("type", verdict.severity if tag == "failure" else str(word))
        element.text = plain("\n".join((verdict.summary, _seen(verdict), f"How to fix it: {verdict.remediation}")))
    return element


def _seen(verdict: Verdict) -> str:
    return f"Seen: {json.dumps(dict(verdict.evidence), ensure_ascii=False)}"


def _unseen(assessment: Assessment) -> etree._Element:
    suite = _element("testsuite", name="not evaluated", timestamp=assessment.started)
    for number, one in enumerate(assessment.not_evaluated):
        suite.append(_not_evaluated(one, number))
    _total(suite, suite)
    return suite


def _not_evaluated(one: NotEvaluated, number: int) -> etree._Element:
    # Numbered, because several targets may share an address and test tabs fold cases of one name.
    case = _element("testcase", classname=asked_place(one), name=f"evaluated ({number + 1})", time="0")
    case.append(_element("error", type=one.reason, message=f"{one.reason}: {one.detail}"))
    return case


def _total(element: etree._Element, cases: Iterable[etree._Element]) -> None:
    tags = Counter(child.tag if child is not None else "" for case in cases for child in [next(iter(case), None)])
    for name, count in (
        ("tests", tags.total()),
        ("failures", tags["failure"]),
        ("errors", tags["error"]),
        ("skipped", tags["skipped"]),
    ):
        element.set(name, str(count))


def _element(tag: str, **attributes: str) -> etree._Element:
    return etree.Element(tag, {name: plain(value) for name, value in attributes.items()})
