"""How a camera gets a new password without locking anybody out: a pure state machine.

    planned ─► sealed ─► sending ─► sent ─► proving ─► current
                                               ├─────► undone      the old one is the password, as before
                                               ├─────► undoing     two account stores disagree: the old one is put back
                                               └─────► unclear     both are kept; `reconcile` goes on from here

A new password is sealed in the vault before it is sent, and becomes current only when the camera takes it everywhere
and refuses the old one. That refusal is the one wrong try that a rotation may cost. So that it is the only one, tries
go in this order:

1. The old password, first of all, and first at the account store that our change is least likely to have reached. A
   camera that ignored the change lets it in: nothing was wrong, and we may wait and ask again, in case it is only late.
   A camera that obeyed refuses it: that is the try which has to be spent anyway.
2. The new password only after the old one was refused: by then it is the one that must be right.
3. Where the old one works at one store and not at the other, the new one is right at the other: we log in with it there
   and put the old one back, so that the camera has one password again.

A try that was cut off, or during which we died, counts as spent, and its answer as unknown: we then wait until a late
camera is through, try the new password, and go back to the old one only when the new one is refused, for then the old
one is right. Only a camera that cuts passwords shorter than ours (`hardening.password_rules`) can cost a second wrong
try: it refuses both. Nothing is guessed then; both stay in the vault and the operator is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, Self, cast

from cameras.driver import AccountStore

LATE_WAITS = 5
SILENT_WAITS = 6
MOST_UNKNOWN = 2
Which = Literal["old", "new"]
Said = Literal["yes", "no", "silence"]


class State(StrEnum):
    PLANNED = "planned"
    SEALED = "sealed"
    SENDING = "sending"
    SENT = "sent"
    PROVING = "proving"
    UNDOING = "undoing"
    CURRENT = "current"
    UNDONE = "undone"
    UNCLEAR = "unclear"

    @property
    def final(self) -> bool:
        return not TRANSITIONS[self]

    @property
    def resting(self) -> bool:
        """Nothing more is done by itself."""
        return self.final or self is State.UNCLEAR

    @property
    def may_be_new(self) -> bool:
        """The camera may know either password: logging in would be a guess."""
        return self not in {State.PLANNED, State.SEALED, State.CURRENT, State.UNDONE}


TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.PLANNED: frozenset({State.SEALED, State.UNDONE}),
        State.SEALED: frozenset({State.SENDING, State.UNDONE}),
        State.SENDING: frozenset({State.SENT, State.PROVING}),
        State.SENT: frozenset({State.PROVING}),
        State.PROVING: frozenset({State.CURRENT, State.UNDONE, State.UNDOING, State.UNCLEAR}),
        State.UNDOING: frozenset({State.UNDONE, State.UNCLEAR}),
        State.UNCLEAR: frozenset({State.PROVING, State.UNDONE}),
        State.CURRENT: frozenset(),
        State.UNDONE: frozenset(),
    }
)


class Answer(StrEnum):
    WORKS = "works"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Try:
    """One login with that password at that account store, over a fresh connection."""

    which: Which
    store: AccountStore

    @property
    def name(self) -> str:
        return f"{self.which}@{self.store}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one rotation; stored before and after every step, so that another process can go on.

    `stores` is where the password must be proved, the one that a driver changes for certain first. `answers` is keyed
    by `Try.name`. `begun` names a step whose end is not known: a try, "look", "send" or "put-back". `wrong` counts
    tries that were wrong or may have been. `waits` are waits for a late camera, `silences` questions without an answer,
    of which the last is still to be waited for where `rest` is true. `trouble` is why nothing more may be tried.
    """

    stores: tuple[AccountStore, ...] = ()
    said: Said | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    begun: str | None = None
    wrong: int = 0
    waits: int = 0
    silences: int = 0
    unknown: int = 0
    rest: bool = False
    put_back: Said | None = None
    trouble: str | None = None

    def answer(self, which: Which, store: AccountStore) -> Answer | None:
        return self.answers.get(Try(which, store).name)

    def answered(self, name: str, answer: Answer) -> Self:
        wrong = self.wrong + (answer is not Answer.WORKS)
        unknown = self.unknown + (answer is Answer.UNKNOWN)
        answers = {**self.answers, name: answer}
        return replace(self, answers=answers, begun=None, wrong=wrong, unknown=unknown)

    def silent(self) -> Self:
        """Nothing answered: before anything more there is a wait."""
        return replace(self, begun=None, silences=self.silences + 1, rest=True)

    def waited(self) -> Self:
        """After a wait for a late camera what worked before has to work again."""
        kept = {name: answer for name, answer in self.answers.items() if answer is not Answer.WORKS}
        return replace(self, waits=self.waits + 1, answers=kept)

    def spent_in_sending(self, tries: int) -> Self:
        """The driver itself tried the old password while it changed it (`cameras.driver`), and was refused.

        That tells something where both doors are known to us; where only one is, it may have asked at the other.
        """
        if not tries:
            return self
        answer = Answer.REFUSED if self.said == "yes" and len(self.stores) > 1 else Answer.UNKNOWN
        answers = {**self.answers, Try("old", self.stores[-1]).name: answer}
        return replace(self, wrong=self.wrong + tries, answers=answers)

    def resumed(self) -> Self:
        """As another process finds it: what was begun may have happened, and may have been a wrong try.

        So may the driver's own try of the old password while it changed it: the budget cannot tell, for what was spent
        last may have died with the process that spent it.
        """
        if self.begun is None:
            return self
        if self.begun == "send":
            return replace(self, begun=None).spent_in_sending(1)
        if self.begun in _DIED:
            return replace(self, begun=None, trouble=_DIED[self.begun], wrong=self.wrong + 1)
        return self.answered(self.begun, Answer.UNKNOWN)

    def again(self) -> Self:
        """For a reconcile: a new look with one wrong try of its own, which goes to what was not refused before."""
        answers = {}
        for store in self.stores:
            old, new = self.answer("old", store), self.answer("new", store)
            if old is new is Answer.REFUSED:
                answers[Try("old", store).name] = Answer.REFUSED
            elif new is None and old not in {None, Answer.WORKS}:
                answers[Try("old", store).name] = Answer.UNKNOWN
        return type(self)(stores=self.stores, said=self.said or "silence", answers=answers, waits=LATE_WAITS)

    def as_json(self) -> dict[str, Any]:
        names = type(self).__dataclass_fields__
        return {name: getattr(self, name) for name in names} | {
            "stores": list(self.stores),
            "answers": {name: answer.value for name, answer in self.answers.items()},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Names that an earlier version kept and this one does not are passed over."""
        kept = {name: value for name, value in stored.items() if name in cls.__dataclass_fields__}
        answers = {name: Answer(answer) for name, answer in stored.get("answers", {}).items()}
        stores = tuple(cast("list[AccountStore]", stored.get("stores", [])))
        return cls(**{**kept, "stores": stores, "answers": answers})


_DIED = {
    "look": "the process ended while it logged in; start again",
    "put-back": "the process ended while the old password was put back; reconcile finds out which one it has",
}


# --- what is done next ---


@dataclass(frozen=True, slots=True)
class Look:
    """Log in as before, and ask where the camera keeps accounts."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Make a new password and keep it in the vault."""


@dataclass(frozen=True, slots=True)
class Send:
    """Tell the camera."""


@dataclass(frozen=True, slots=True)
class Move:
    """Only the state changes."""

    to: State


@dataclass(frozen=True, slots=True)
class Wait:
    """`number` counts from 0; each wait is longer than the one before."""

    why: Literal["late", "silent"]
    number: int


@dataclass(frozen=True, slots=True)
class PutBack:
    """Log in with the new password and set the old one again."""


@dataclass(frozen=True, slots=True)
class Settle:
    """The end, at least for now. `reason` is for the operator."""

    to: State
    reason: str


Action = Look | Seal | Send | Move | Try | Wait | PutBack | Settle


def next_action(state: State, evidence: Evidence) -> Action:
    """Pure. Raises ValueError for a state in which nothing is done by itself."""
    if state.resting:
        raise ValueError(f"nothing is next after {state}")
    if evidence.rest and state in {State.PROVING, State.UNDOING}:
        if evidence.silences > SILENT_WAITS:
            return Settle(State.UNCLEAR, _SILENT)
        return Wait("silent", evidence.silences - 1)
    return _NEXT[state](evidence)


def _planned(evidence: Evidence) -> Action:
    if evidence.trouble:
        return Settle(State.UNDONE, f"nothing was sent: {evidence.trouble}")
    return Seal() if evidence.stores else Look()


def _sealed(evidence: Evidence) -> Action:
    if evidence.trouble:
        return Settle(State.UNDONE, f"nothing was sent: {evidence.trouble}")
    return Send()


def _to_proving(_evidence: Evidence) -> Action:
    return Move(State.PROVING)


def _proving(evidence: Evidence) -> Action:
    if evidence.trouble:
        return Settle(State.UNCLEAR, f"{evidence.trouble.rstrip('.')}. {_BOTH_KEPT}")
    first, *others = reversed(evidence.stores)
    found = _whose(evidence, first)
    if not isinstance(found, str):
        return found
    if found == "neither":
        return Settle(State.UNCLEAR, _NEITHER)
    if found == "lost":
        return Settle(State.UNCLEAR, f"it was cut off too often. {_BOTH_KEPT}")
    return _as_before(evidence, others) if found == "old" else _taken(evidence, first, others)


def _whose(evidence: Evidence, store: AccountStore) -> Action | Literal["old", "new", "neither", "lost"]:
    """Whose password that store has: a try to find out, or what is known. One table, the old password's answer first.

    Only the first store of all is waited for: the others are asked when a late camera is through.
    """
    old, new = evidence.answer("old", store), evidence.answer("new", store)
    late = store == evidence.stores[-1] and evidence.waits < LATE_WAITS
    if new is Answer.WORKS:
        return "new"
    if old is Answer.WORKS:
        return Wait("late", evidence.waits) if late and evidence.said != "no" and new is None else "old"
    if old is None:
        return Try("old", store)
    if new is None:
        return Wait("late", evidence.waits) if late and old is Answer.UNKNOWN else Try("new", store)
    if (old, new) == (Answer.REFUSED, Answer.REFUSED):
        return "neither"
    if evidence.unknown > MOST_UNKNOWN or (old, new) == (Answer.UNKNOWN, Answer.UNKNOWN):
        return "lost"
    # One was refused, the other cut off: by elimination that one is right.
    return Try("new" if old is Answer.REFUSED else "old", store)


def _as_before(evidence: Evidence, others: list[AccountStore]) -> Action:
    """The first store still has the old password: has every other?"""
    for store in others:
        found = _whose(evidence, store)
        if found == Try("old", store) and evidence.wrong:
            # It may be the store that our change has reached, and the one wrong try is spent.
            return Settle(State.UNCLEAR, f"{store} was not asked: a wrong try was spent already. {_BOTH_KEPT}")
        if not isinstance(found, str):
            return found
        if found != "old":
            return Move(State.UNDOING) if found == "new" else Settle(State.UNCLEAR, _NEITHER)
    said = {"yes": "it said yes to the new password and kept the old one", "no": "it refused the new password"}
    return Settle(State.UNDONE, f"{said.get(evidence.said or '', 'the change did not reach it')}; the old one works")


def _taken(evidence: Evidence, first: AccountStore, others: list[AccountStore]) -> Action:
    """The first store has the new password: has every other? It is the likely one, so the old one is not tried."""
    for store in others:
        new = evidence.answer("new", store)
        if new is None or (new is Answer.UNKNOWN and evidence.unknown <= MOST_UNKNOWN):
            return Try("new", store)
        if new is not Answer.WORKS:
            return Settle(State.UNCLEAR, f"{store} does not take the new password though {first} does. {_BOTH_KEPT}")
    if evidence.answer("old", first) is Answer.REFUSED:
        return Settle(State.CURRENT, "the new password works everywhere and the old one is refused")
    return Settle(State.CURRENT, "the new password works everywhere; the old one was not tried to its end")


def _undoing(evidence: Evidence) -> Action:
    if evidence.trouble:
        return Settle(State.UNCLEAR, f"{evidence.trouble.rstrip('.')}. {_BOTH_KEPT}")
    if evidence.put_back is None:
        return PutBack()
    if evidence.put_back != "yes":
        return Settle(
            State.UNCLEAR, f"its account stores disagree, and the old password could not be put back. {_BOTH_KEPT}"
        )
    for store in evidence.stores:
        old = evidence.answer("old", store)
        if old is None or (old is Answer.UNKNOWN and evidence.unknown <= MOST_UNKNOWN):
            return Try("old", store)
        if old is not Answer.WORKS:
            return Settle(State.UNCLEAR, f"{store} does not take the old password that was put back. {_BOTH_KEPT}")
    return Settle(State.UNDONE, _TWO_STORES)


_NEXT = MappingProxyType(
    {
        State.PLANNED: _planned,
        State.SEALED: _sealed,
        State.SENDING: _to_proving,
        State.SENT: _to_proving,
        State.PROVING: _proving,
        State.UNDOING: _undoing,
    }
)

_BOTH_KEPT = "Both passwords are kept: run `camwarden passwords reconcile` when the camera answers again"
_SILENT = f"it does not answer. {_BOTH_KEPT}"
_NEITHER = (
    "it refuses both the old and the new password; it may have cut the new one short. Nothing more is tried. Set a "
    "password at the camera itself, then tell it with `camwarden passwords set`; the new one is in the vault "
    "(`camwarden passwords reveal`)"
)
_TWO_STORES = (
    "its web server keeps accounts of its own, which the change did not reach; the old password is back everywhere. "
    "Change the password on the camera's own page, then tell it with `camwarden passwords set`"
)
