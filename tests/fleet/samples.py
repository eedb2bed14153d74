"""Assessments as the scanners make them, and a clock that the test moves."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from cameras.facts import Gap, Identity
from scanners.assessment import CameraAssessment
from scanners.dossier import Dossier
from scanners.model import Outcome, Severity, Verdict

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOT_ASKED = Gap("not-asked", "not asked in this test")
IDENTITY = Identity(
    manufacturer="AXIS",
    model="P3265-V",
    firmware="12.11.77",
    serial="B8A44F000001",
    hardware="7D2",
    mac="b8:a4:4f:00:00:01",
    driver="axis",
)
PASS, FAIL, UNKNOWN, NOT_APPLICABLE, ERROR = (
    Outcome.PASS,
    Outcome.FAIL,
    Outcome.UNKNOWN,
    Outcome.NOT_APPLICABLE,
    Outcome.ERROR,
)


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


def dossier(address: str = "10.0.0.1", port: int = 80, identity: Identity | Gap = IDENTITY, **facts: object) -> Dossier:
    """A visit that learned its identity and what else is named; everything else is a gap."""
    values: dict[str, object] = {field.name: NOT_ASKED for field in fields(Dossier)}
    values |= {"address": address, "port": port, "scheme": "http", "collected_at": NOON.isoformat(), "login": ""}
    return Dossier(**{**values, "quirks": (), "identity": identity, **facts})  # type: ignore[arg-type] # by name


def camera(number: int, manufacturer: str = "AXIS", model: str = "P3265-V") -> Identity:
    """One of many cameras."""
    mac = f"b8:a4:4f:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
    return replace(IDENTITY, serial=f"B8A44F{number:06X}", mac=mac, manufacturer=manufacturer, model=model)


def verdict(check: str, outcome: Outcome, subject: str = "", severity: Severity = Severity.HIGH) -> Verdict:
    return Verdict(
        check=check,
        verdict=outcome,
        severity=severity,
        title=f"No {check}",
        subject=subject,
        summary=f"{check} on {subject or 'the camera'}: {outcome}",
        evidence={"seen": [check, subject]},
        remediation=f"Close {check}.",
        references=("https://example.org/why",),
        standards={"CWE": ("CWE-319",)},
        reason="undecided" if outcome is UNKNOWN else None,
    )


def assessed(
    outcomes: Mapping[tuple[str, str], Outcome], of: Dossier | None = None, score: int = 40
) -> CameraAssessment:
    verdicts = tuple(verdict(check, outcome, subject) for (check, subject), outcome in outcomes.items())
    return CameraAssessment(of or dossier(), verdicts, score)
