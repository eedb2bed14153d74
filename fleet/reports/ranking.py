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

    @property
    def weight(self) -> int:
        return WEIGHTS[self.severity] * len(self.cameras)


def weaknesses(cameras: Iterable[AssessedCamera]) -> list[Weakness]:
    """The one that costs the estate most points first."""
    seen: dict[str, tuple[Verdict, dict[str, AssessedCamera]]] = {}
    for camera in cameras:
        for verdict in camera.having(Outcome.FAIL):
            seen.setdefault(verdict.check, (verdict, {}))[1][camera.place] = camera
    found = [
        Weakness(check, verdict.title, verdict.severity, verdict.remediation, tuple(where.values()))
        for check, (verdict, where) in seen.items()
    ]
    return sorted(found, key=lambda weakness: (-weakness.weight, weakness.check))
