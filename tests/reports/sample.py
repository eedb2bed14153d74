"""One assessment with everything in it that a report must survive, and files to compare reports with."""

import os
from pathlib import Path

from fleet.reports.assessment import AssessedCamera, Assessment, CameraIdentity, Tool
from scanners.assessment import NotEvaluated
from scanners.model import Outcome, Severity, Verdict

FOLDER = Path(__file__).parent / "snapshots"
WRITE = "WRITE_SNAPSHOTS"

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>]]>"
ESCAPES = "\x1b[31mred\x1b]0;title\x07\x9b2J\u202eevil\r\nSet: x\0"
FORMULA = '=cmd|"/c calc"!A1'


def verdict(
    check: str = "telnet-open",
    outcome: Outcome = Outcome.FAIL,
    severity: Severity = Severity.CRITICAL,
    *,
    subject: str = "",
    summary: str = "Telnet answers on port 23",
    reason: str | None = None,
    evidence: dict[str, object] | None = None,
    references: tuple[str, ...] = ("https://www.rfc-editor.org/rfc/rfc854",),
) -> Verdict:
    return Verdict(
        check=check,
        verdict=outcome,
        severity=severity,
        title="No Telnet service",
        subject=subject,
        summary=summary,
        evidence={"banner": "login:"} if evidence is None else evidence,
        remediation="Switch Telnet off.",
        references=references,
        standards={"CWE": ("CWE-319",), "NIST SP 800-53": ("SC-8",)},
        reason=reason,
    )


def camera(
    address: str = "10.0.0.5",
    port: int = 80,
    *verdicts: Verdict,
    manufacturer: str | None = "AXIS",
    serial: str | None = "ACCC8E000001",
    mac: str | None = "ac:cc:8e:00:00:01",
    model: str | None = "P3265-V",
    score: int = 60,
) -> AssessedCamera:
    who = CameraIdentity(manufacturer, model, "10.12.130", serial, mac, "axis")
    return AssessedCamera(address, port, who, verdicts, score)


def assessment(*cameras: AssessedCamera, not_evaluated: tuple[NotEvaluated, ...] = ()) -> Assessment:
    return Assessment(
        Tool("camwarden", "0.1.0"), "2026-01-02T03:04:05Z", "2026-01-02T03:05:06Z", cameras, not_evaluated
    )


def hostile_camera() -> AssessedCamera:
    """A camera whose every word is an attack on whoever reads the report."""
    said = f"{MARKUP}{ESCAPES}"
    return camera(
        "2001:db8::5",
        443,
        verdict(subject=FORMULA, summary=f"{FORMULA} {said}", evidence={MARKUP: [ESCAPES, FORMULA]}),
        verdict("made-up", Outcome.UNKNOWN, reason=MARKUP, summary=said, references=("javascript:alert(3)",)),
        verdict("made-up-too", Outcome.FAIL, Severity.LOW, summary=said, references=("javascript:alert(4)",)),
        manufacturer=FORMULA,
        model=said,
        serial=f"@{MARKUP}",
        mac=None,
        score=57,
    )


def everything() -> Assessment:
    plain = camera(
        "10.0.0.5",
        80,
        verdict(),
        verdict("http-basic-cleartext", Outcome.FAIL, Severity.HIGH, subject="tcp/80", summary="Basic is offered"),
        verdict("clock-skew", Outcome.FAIL, Severity.MEDIUM, summary="The clock is 26 h off"),
        verdict("firmware-outdated", Outcome.UNKNOWN, Severity.HIGH, reason="unauthorized", summary="Could not see it"),
        verdict("ftp-open", Outcome.PASS, Severity.HIGH, summary="No FTP answers"),
        verdict("tls-certificate", Outcome.NOT_APPLICABLE, Severity.MEDIUM, summary="No TLS endpoint"),
        verdict("anonymous-rtsp", Outcome.ERROR, Severity.HIGH, reason="ValueError", summary="The check itself failed"),
        score=32,
    )
    unseen = (
        NotEvaluated("10.0.0.6", "unreachable", "no port that we tried answers"),
        NotEvaluated("10.0.0.7", "not-a-camera", f"says {MARKUP}{ESCAPES}", 8080),
    )
    return assessment(plain, hostile_camera(), not_evaluated=unseen)


def compare(name: str, text: str) -> None:
    """With the file of that name; `WRITE_SNAPSHOTS=1` makes it new, and a person reads the difference."""
    path = FOLDER / name
    if os.environ.get(WRITE):
        FOLDER.mkdir(exist_ok=True)
        path.write_bytes(text.encode("utf-8", "replace"))
    assert text.encode("utf-8", "replace").decode() == path.read_bytes().decode(), (
        f"{name} differs; {WRITE}=1 writes it"
    )
