"""What a row of a checklist says, and who may make it say something else. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fleet.commissioning.template import Row
from fleet.errors import Invalid
from scanners.model import Outcome


class State(StrEnum):
    NOT_STARTED = "not-started"
    AUTO_PASS = "auto-pass"  # noqa: S105 - a state, not a password
    AUTO_FAIL = "auto-fail"
    NEEDS_PERSON = "needs-person"
    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not-applicable"
    WAIVED = "waived"


CLOSED = frozenset({State.AUTO_PASS, State.PASSED, State.NOT_APPLICABLE, State.WAIVED})

# What a person may say of a row, by its kind. Nobody passes by hand what the machine has judged: it can be waived.
ANSWERS: Mapping[str, frozenset[State]] = {
    "checks": frozenset({State.NOT_APPLICABLE, State.WAIVED}),
    **dict.fromkeys(
        ("person", "still", "label", "density"),
        frozenset({State.PASSED, State.FAILED, State.NOT_APPLICABLE, State.WAIVED}),
    ),
}
# These want a reason in words.
_WITH_REASON = frozenset({State.FAILED, State.NOT_APPLICABLE, State.WAIVED})


@dataclass(frozen=True, slots=True)
class Seen:
    """A verdict of the camera's last visit, as far as a row cares."""

    check: str
    outcome: Outcome
    summary: str


@dataclass(frozen=True, slots=True)
class Automatic:
    """What the machine makes of a row of kind "checks"."""

    state: State
    reason: str


def automatic(row: Row, verdicts: Iterable[Seen]) -> Automatic:
    """Any failure fails the row; anything that could not be told, or was never asked, leaves it to a person."""
    mine = [verdict for verdict in verdicts if verdict.check in row.checks]
    missing = sorted(set(row.checks) - {verdict.check for verdict in mine})
    failed = [verdict.summary for verdict in mine if verdict.outcome is Outcome.FAIL]
    open_questions = [v.summary for v in mine if v.outcome in (Outcome.UNKNOWN, Outcome.ERROR)]
    if failed:
        return Automatic(State.AUTO_FAIL, "; ".join(failed))
    if missing:
        return Automatic(State.NEEDS_PERSON, f"not looked at yet: {', '.join(missing)}")
    if open_questions:
        return Automatic(State.NEEDS_PERSON, f"could not be told: {'; '.join(open_questions)}")
    return Automatic(State.AUTO_PASS, f"{len(mine)} verdicts, none of them failed")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says of a row. `evidence` are SHA-256 sums of stored files; `value` a number or a label."""

    state: State
    note: str = ""
    evidence: tuple[str, ...] = ()
    value: str = ""


def refuse(row: Row, answer: Answer, *, still: bool) -> None:
    """Raises Invalid for an answer that this row does not take. `still`: a still of the camera is at hand."""
    if answer.state not in ANSWERS[row.kind]:
        allowed = ", ".join(sorted(ANSWERS[row.kind]))
        raise Invalid(f"the row {row.title!r} takes only: {allowed}")
    if answer.state in _WITH_REASON and not answer.note.strip():
        raise Invalid("say why in a few words")
    if answer.state is State.PASSED:
        if "photo" in row.evidence and not answer.evidence:
            raise Invalid("this row is closed with a photo; take one first")
        if "still" in row.evidence and not still:
            raise Invalid("there is no still of this camera yet; take one first")


def label_matches(typed: str, known: Sequence[str | None]) -> bool:
    """Whether the typed or scanned label names one of the camera's own numbers, whatever separators it has."""
    wanted = _bare(typed)
    return len(wanted) >= 6 and any(  # noqa: PLR2004 - shorter than any serial number
        wanted == _bare(number) or _bare(number) in wanted
        for number in known
        if number and len(_bare(number)) >= 6  # noqa: PLR2004
    )


def _bare(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text.lower())


def progress(states: Iterable[State]) -> tuple[int, int, int]:
    """Rows that are closed, that failed, and all of them."""
    every = list(states)
    bad = sum(state in (State.FAILED, State.AUTO_FAIL) for state in every)
    return sum(state in CLOSED for state in every), bad, len(every)
