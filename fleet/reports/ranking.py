"""Which weakness of an estate to put right first."""

from collections.abc import Iterable
from dataclasses import dataclass

from fleet.reports.assessment import AssessedCamera
from scanners.model import Outcome, Severity, Verdict
from scanners.score import WEIGHTS


@dataclass(frozen=True, slots=True)
class Weakness:
    """One check that failed, and where."""

    check: str
    title: str
    severity: Severity
    remediation: str
    cameras: tuple[AssessedCamera, ...]


def weaknesses(cameras: Iterable[AssessedCamera]) -> list[Weakness]:
    """The most severe first, among equals the one on most cameras."""
    seen: dict[str, tuple[Verdict, dict[str, AssessedCamera]]] = {}
    for camera in cameras:
        for verdict in camera.having(Outcome.FAIL):
            seen.setdefault(verdict.check, (verdict, {}))[1][camera.place] = camera
    found = [
        Weakness(check, verdict.title, verdict.severity, verdict.remediation, tuple(where.values()))
        for check, (verdict, where) in seen.items()
    ]
    return sorted(found, key=lambda weakness: (-WEIGHTS[weakness.severity], -len(weakness.cameras), weakness.check))
