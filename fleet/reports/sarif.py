"""SARIF 2.1.0, for the security tabs of code hosts: a rule per check, a result per failed verdict.

What could not be judged is a notification of the invocation: an empty list of results never hides a camera nobody saw.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import quote

from fleet.reports.assessment import AssessedCamera, Assessment, asked_place
from scanners.checks import CHECKS
from scanners.model import Check, Outcome, Severity, Verdict

Json = dict[str, object]

_LEVELS: Mapping[Severity, str] = MappingProxyType(
    {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
)
# GitHub's bands: above 9 critical, from 7 high, from 4 medium. `rank` is the same on SARIF's scale of 100.
_SECURITY_SEVERITY: Mapping[Severity, float] = MappingProxyType(
    {Severity.CRITICAL: 9.5, Severity.HIGH: 8.0, Severity.MEDIUM: 5.5, Severity.LOW: 2.5}
)
_NOTIFIED = (Outcome.ERROR, Outcome.UNKNOWN)


def to_sarif(assessment: Assessment, checks: Sequence[Check] = CHECKS) -> str:
    """The whole log as JSON. A failed check that this version does not know gets a rule made from its verdict."""
    rules = _rules(assessment, checks)
    index = {str(rule["id"]): number for number, rule in enumerate(rules)}
    driver: Json = {"name": assessment.tool.name, "version": assessment.tool.version, "rules": rules}
    run: Json = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "camwarden/assess/"},
        "columnKind": "utf16CodeUnits",
        "invocations": [_invocation(assessment)],
        "results": [
            _result(camera, verdict, index[verdict.check])
            for camera in assessment.cameras
            for verdict in camera.having(Outcome.FAIL)
        ],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1)


def fingerprint(camera: AssessedCamera, verdict: Verdict) -> str:
    """The same finding on the same camera, whatever its address, its words and the order of the day."""
    what = f"{camera.key}\0{verdict.check}\0{verdict.subject}"
    return hashlib.sha256(what.encode(errors="backslashreplace")).hexdigest()


def _rules(assessment: Assessment, checks: Sequence[Check]) -> list[Json]:
    rules = {check.id: _rule(check, check.rationale) for check in checks}
    for camera in assessment.cameras:
        for verdict in camera.having(Outcome.FAIL):
            if verdict.check not in rules:
                rules[verdict.check] = _rule(verdict, verdict.title)
    return list(rules.values())


def _rule(said: Check | Verdict, rationale: str) -> Json:
    words = [rationale, f"How to fix it: {said.remediation}", *said.references]
    rule: Json = {
        "id": said.id if isinstance(said, Check) else said.check,
        "shortDescription": {"text": said.title},
        "fullDescription": {"text": rationale},
        "help": {"text": "\n\n".join(words)},
        "defaultConfiguration": {"level": _LEVELS[said.severity]},
        "properties": {
            "security-severity": str(_SECURITY_SEVERITY[said.severity]),
            "tags": ["security", *_tags(said.standards)],
        },
    }
    if web := [reference for reference in said.references if reference.startswith("https://")]:
        rule["helpUri"] = web[0]
    return rule


def _tags(standards: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for standard, controls in standards.items():
        for control in controls:
            yield f"external/cwe/{control.lower()}" if standard == "CWE" else f"{standard} {control}"


def _result(camera: AssessedCamera, verdict: Verdict, rule_index: int) -> Json:
    subject = f" ({verdict.subject})" if verdict.subject else ""
    return {
        "ruleId": verdict.check,
        "ruleIndex": rule_index,
        "level": _LEVELS[verdict.severity],
        "rank": _SECURITY_SEVERITY[verdict.severity] * 10,
        "message": {"text": f"{camera.name} at {camera.place}{subject}: {verdict.summary}"},
        "locations": [_location(camera, verdict)],
        "partialFingerprints": {"camwardenFinding/v1": fingerprint(camera, verdict)},
        "properties": {
            "subject": verdict.subject,
            "evidence": dict(verdict.evidence),
            "remediation": verdict.remediation,
        },
    }


def _location(camera: AssessedCamera, verdict: Verdict) -> Json:
    # Code hosts drop a result without a file; a camera has none, so its place serves as the name of one.
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": f"cameras/{quote(camera.address, safe=':')}/{camera.port}"},
            "region": {"startLine": 1},
        },
        "logicalLocations": [
            {
                "name": camera.place,
                "fullyQualifiedName": "/".join(word for word in (camera.place, verdict.subject) if word),
                "kind": "device",
            }
        ],
    }


def _invocation(assessment: Assessment) -> Json:
    ours = any(camera.having(Outcome.ERROR) for camera in assessment.cameras)
    notified = [
        _notification(camera.place, verdict) for camera in assessment.cameras for verdict in camera.having(*_NOTIFIED)
    ]
    not_seen: list[Json] = [
        {
            "level": "warning",
            "descriptor": {"id": f"not-evaluated/{one.reason}"},
            "message": {"text": f"{asked_place(one)} was not evaluated: {one.reason}: {one.detail}"},
        }
        for one in assessment.not_evaluated
    ]
    return {
        "executionSuccessful": not ours,
        "startTimeUtc": assessment.started,
        "endTimeUtc": assessment.finished,
        "toolExecutionNotifications": [*notified, *not_seen],
    }


def _notification(place: str, verdict: Verdict) -> Json:
    return {
        "level": "error" if verdict.verdict is Outcome.ERROR else "note",
        "descriptor": {"id": f"{verdict.verdict}/{verdict.check}"},
        "message": {"text": f"{place}: {verdict.check}: {verdict.verdict} ({verdict.reason}): {verdict.summary}"},
    }
