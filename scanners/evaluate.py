"""Dossier and knowledge in, verdicts out: pure, and every check says something."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from cameras.facts import (
    Accounts,
    AnonymousOnvif,
    AnonymousPictures,
    AnonymousStreams,
    Banners,
    Clock,
    ClockSource,
    CredentialTrials,
    DiscoveryMode,
    Gap,
    GapReason,
    Identity,
    Lockout,
    LoginPages,
    NetworkServices,
    OpenPorts,
    SetupState,
    SnmpAnswer,
    Switches,
    TlsPostures,
    UnsignedApps,
)
from scanners.checks import CHECKS
from scanners.dossier import Dossier
from scanners.knowledge import Knowledge, Table
from scanners.model import Check, Judgement, Outcome, Verdict

log = logging.getLogger(__name__)

WHAT: Mapping[type, str] = MappingProxyType(
    {
        Accounts: "accounts",
        AnonymousOnvif: "answers of the API without a login",
        AnonymousPictures: "pictures without a login",
        AnonymousStreams: "streams without a login",
        Banners: "greetings of the open ports",
        Clock: "clock",
        ClockSource: "time servers",
        CredentialTrials: "default passwords",
        DiscoveryMode: "discovery mode",
        Identity: "manufacturer, model and firmware",
        Lockout: "what wrong passwords lead to",
        LoginPages: "web pages",
        NetworkServices: "declared services",
        OpenPorts: "open ports",
        SetupState: "set-up state",
        SnmpAnswer: "SNMP",
        Switches: "switches of services",
        TlsPostures: "TLS certificates",
        UnsignedApps: "rule for applications that nobody has signed",
    }
)
"""What a check looks at, as an operator calls it."""

TO_DO: Mapping[GapReason, str] = MappingProxyType(
    {
        "unreachable": "look at cable, power, address and firewall, then scan again",
        "unauthorized": "give a credential that works for this camera",
        "locked-out": "wait until the camera's lock-out ends, and correct the credential before the next scan",
        "clock-skewed": "set the camera's clock: it refuses signed requests until then",
        "unsupported": "the camera has no such function; look into its web interface",
        "refused": "read the camera's words in the evidence; the account may lack the right",
        "garbled": "the answer cannot be understood; update the firmware or report the answer",
        "not-asked": "the evidence says why it was not asked",
    }
)
"""What the operator does about a gap."""

_WORST_FIRST = (Outcome.FAIL, Outcome.ERROR, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)


def evaluate(dossier: Dossier, knowledge: Knowledge) -> tuple[Verdict, ...]:
    """The verdicts of all checks, in the order of `CHECKS`; at least one per check, and one per check and subject."""
    visit = knowledge.for_visit(datetime.fromisoformat(dossier.collected_at).date(), dossier.port)
    return tuple(verdict for check in CHECKS for verdict in run(check, dossier, visit))


def run(check: Check, dossier: Dossier, knowledge: Knowledge) -> Sequence[Verdict]:
    """The verdicts of one check. Raises nothing: a fault of the check is a verdict too."""
    try:
        answers = [_answer(need, dossier, knowledge) for need in check.needs]
        gaps = {need: answer for need, answer in zip(check.needs, answers, strict=True) if isinstance(answer, Gap)}
        if gaps:
            return [_unseen(check, gaps)]
        return [_verdict(check, judgement) for judgement in _one_per_subject(check.evaluate(*answers))]
    except Exception as error:  # one broken check must not silence the others
        log.exception("a check failed", extra={"check": check.id, "camera": dossier.address})
        return [_broken(check, error)]


def _answer(need: type, dossier: Dossier, knowledge: Knowledge) -> object:
    return knowledge.answer(need) if issubclass(need, Table) else dossier.answer(need)


def _one_per_subject(judgements: Sequence[Judgement]) -> Iterator[Judgement]:
    """A finding is known by its check and subject, so of two judgements of one subject the worse speaks."""
    if not judgements:
        raise ValueError("the check said nothing")
    by_subject: dict[str, Judgement] = {}
    for judgement in judgements:
        rival = by_subject.setdefault(judgement.subject, judgement)
        if _WORST_FIRST.index(judgement.outcome) < _WORST_FIRST.index(rival.outcome):
            by_subject[judgement.subject] = judgement
    yield from by_subject.values()


def _unseen(check: Check, gaps: Mapping[type, Gap]) -> Verdict:
    need, gap = next(iter(gaps.items()))
    seen = {other.__name__: {"gap": missing.gap, "detail": missing.detail} for other, missing in gaps.items()}
    summary = f"Could not see the {WHAT[need]} ({gap.gap}): {TO_DO[gap.gap]}"
    return _verdict(check, Judgement(Outcome.UNKNOWN, summary, "", seen), gap.gap)


def _broken(check: Check, error: Exception) -> Verdict:
    summary = (
        "The check itself failed, which is a fault of Camwarden and not of the camera; please report it with the log"
    )
    return _verdict(check, Judgement(Outcome.ERROR, summary, "", {}), type(error).__name__)


def _verdict(check: Check, judgement: Judgement, reason: str | None = None) -> Verdict:
    if reason is None and judgement.outcome is Outcome.UNKNOWN:
        reason = "undecided"
    return Verdict(
        check=check.id,
        verdict=judgement.outcome,
        severity=check.severity,
        title=check.title,
        subject=judgement.subject,
        summary=judgement.summary,
        evidence=judgement.evidence,
        remediation=check.remediation,
        references=check.references,
        standards=check.standards,
        reason=reason,
    )
