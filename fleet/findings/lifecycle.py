"""The life of a finding: one table of what may follow what. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from scanners.model import Outcome, Verdict


class FindingState(StrEnum):
    """A live finding is open or acknowledged."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RISK_ACCEPTED = "risk-accepted"
    FIXED = "fixed"


class TriageAction(StrEnum):
    """What a person may do. `ACCEPT` needs a reason and an `until`."""

    ACKNOWLEDGE = "acknowledge"
    ACCEPT = "accept"
    REOPEN = "reopen"


class Seen(StrEnum):
    """What a visit or the clock did to a finding."""

    FAILED = "failed"
    CLEARED = "cleared"
    EXPIRED = "expired"


class Event(StrEnum):
    """A line of a finding's history."""

    OPENED = "opened"
    REOPENED = "reopened"
    FIXED = "fixed"
    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"


_OPEN, _ACKNOWLEDGED, _ACCEPTED, _FIXED = FindingState

# What is not in the table does not happen: a person is refused, a visit changes nothing.
TRANSITIONS: Mapping[tuple[FindingState | None, Seen | TriageAction], tuple[FindingState, Event]] = MappingProxyType(
    {
        (None, Seen.FAILED): (_OPEN, Event.OPENED),
        (_FIXED, Seen.FAILED): (_OPEN, Event.REOPENED),
        (_OPEN, Seen.CLEARED): (_FIXED, Event.FIXED),
        (_ACKNOWLEDGED, Seen.CLEARED): (_FIXED, Event.FIXED),
        (_ACCEPTED, Seen.CLEARED): (_FIXED, Event.FIXED),
        (_ACCEPTED, Seen.EXPIRED): (_OPEN, Event.REOPENED),
        (_OPEN, TriageAction.ACKNOWLEDGE): (_ACKNOWLEDGED, Event.ACKNOWLEDGED),
        (_OPEN, TriageAction.ACCEPT): (_ACCEPTED, Event.ACCEPTED),
        (_ACKNOWLEDGED, TriageAction.ACCEPT): (_ACCEPTED, Event.ACCEPTED),
        (_ACCEPTED, TriageAction.ACCEPT): (_ACCEPTED, Event.ACCEPTED),
        (_ACKNOWLEDGED, TriageAction.REOPEN): (_OPEN, Event.REOPENED),
        (_ACCEPTED, TriageAction.REOPEN): (_OPEN, Event.REOPENED),
    }
)

_DECIDED = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.NOT_APPLICABLE})


def seen(subject: str, verdicts: Mapping[str, Verdict]) -> Seen | None:
    """What these verdicts (of one check, by subject) say of a finding on that subject; `None`: they do not tell.

    A subject that is no longer named is cleared only when the check could tell everything it was asked.
    """
    here = verdicts.get(subject)
    told = {here.verdict} if here else {verdict.verdict for verdict in verdicts.values()}
    if here and here.verdict is Outcome.FAIL:
        return Seen.FAILED
    return Seen.CLEARED if told and told <= _DECIDED else None
