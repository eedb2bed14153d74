"""CSV (RFC 4180), a row per verdict, then a row per address that was not evaluated."""

import csv
import io
import json
import re
from collections.abc import Iterator

from fleet.reports.assessment import AssessedCamera, Assessment
from fleet.reports.plain import plain
from scanners.assessment import NotEvaluated
from scanners.model import Verdict

COLUMNS = (
    *("address", "port", "manufacturer", "model", "firmware", "serial", "mac", "score"),
    *("check", "subject", "verdict", "severity", "title", "summary", "reason", "evidence", "remediation", "references"),
)

# A spreadsheet takes a cell that begins so for a formula, also after blanks and in full-width form.
_FORMULA = re.compile(r"[\s\x00-\x1f]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")


def to_csv(assessment: Assessment) -> str:
    """Cells that a spreadsheet would run begin with an apostrophe."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in _rows(assessment):
        writer.writerow([guarded(plain(str(row.get(column) or ""))) for column in COLUMNS])
    return text.getvalue()


def guarded(cell: str) -> str:
    """The cell as text, for a spreadsheet too."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _rows(assessment: Assessment) -> Iterator[dict[str, object]]:
    for camera in assessment.cameras:
        for verdict in camera.verdicts:
            yield _verdict_row(camera, verdict)
    for one in assessment.not_evaluated:
        yield _unseen_row(one)


def _verdict_row(camera: AssessedCamera, verdict: Verdict) -> dict[str, object]:
    return {
        "address": camera.address,
        "port": camera.port,
        "manufacturer": camera.identity.manufacturer,
        "model": camera.identity.model,
        "firmware": camera.identity.firmware,
        "serial": camera.identity.serial,
        "mac": camera.identity.mac,
        "score": str(camera.score),
        "check": verdict.check,
        "subject": verdict.subject,
        "verdict": verdict.verdict.value,
        "severity": verdict.severity.value,
        "title": verdict.title,
        "summary": verdict.summary,
        "reason": verdict.reason,
        "evidence": json.dumps(dict(verdict.evidence), ensure_ascii=False),
        "remediation": verdict.remediation,
        "references": " ".join(verdict.references),
    }


def _unseen_row(one: NotEvaluated) -> dict[str, object]:
    return {
        "address": one.address,
        "port": one.port,
        "verdict": "not-evaluated",
        "reason": one.reason,
        "summary": one.detail,
    }
