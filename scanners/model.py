"""Checks and what they say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Outcome(StrEnum):
    """Pass, fail and not-applicable are seen; unknown is evidence that is missing; error is a fault of ours."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one check says of one subject ("" is the whole camera). `evidence` quotes what was seen, JSON-ready."""

    outcome: Outcome
    summary: str
    subject: str
    evidence: Mapping[str, object]


def passed(summary: str, *, subject: str = "", **evidence: object) -> Judgement:
    return Judgement(Outcome.PASS, summary, subject, evidence)


def failed(summary: str, *, subject: str = "", **evidence: object) -> Judgement:
    return Judgement(Outcome.FAIL, summary, subject, evidence)


def not_applicable(summary: str, *, subject: str = "", **evidence: object) -> Judgement:
    return Judgement(Outcome.NOT_APPLICABLE, summary, subject, evidence)


def undecided(summary: str, *, subject: str = "", **evidence: object) -> Judgement:
    """The evidence is there but does not say: unknown is not a pass."""
    return Judgement(Outcome.UNKNOWN, summary, subject, evidence)


@dataclass(frozen=True, slots=True)
class Check:
    """One weakness to look for. The id is stable for ever and names the weakness; the title names the good state.

    `needs` are fact types of the dossier, or of `scanners.knowledge`, handed to `evaluate` in that order; where one is
    a `Gap` the runner writes "unknown" and `evaluate` is not called. `evaluate` is pure.
    """

    id: str
    title: str
    severity: Severity
    rationale: str
    remediation: str
    references: tuple[str, ...]
    standards: Mapping[str, tuple[str, ...]]
    needs: tuple[type, ...]
    evaluate: Callable[..., Sequence[Judgement]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement with everything a reader needs beside it: one entry of `verdicts` in `camwarden assess --json`.

    `reason` says why an unknown or an error is one (`GapReason`, "undecided" or the exception's name), else `None`.
    """

    check: str
    verdict: Outcome
    severity: Severity
    title: str
    subject: str
    summary: str
    evidence: Mapping[str, object]
    remediation: str
    references: tuple[str, ...]
    standards: Mapping[str, tuple[str, ...]]
    reason: str | None
