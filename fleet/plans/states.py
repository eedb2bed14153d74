"""The life of a plan: one table of what may follow what. Pure. Of its cameras and steps: `hardening.lifecycle`."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from fleet.errors import Invalid


class PlanState(StrEnum):
    """DRAFT while the cameras are looked at; EXPIRED when nobody started it within a day."""

    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting-approval"
    APPROVED = "approved"
    APPLYING = "applying"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    UNDOING = "undoing"
    UNDONE = "undone"
    EXPIRED = "expired"

    @property
    def at_work(self) -> bool:
        """Whether something is going on now, which a new process takes up again."""
        return self in {PlanState.DRAFT, PlanState.APPLYING, PlanState.UNDOING}


class PlanEvent(StrEnum):
    OBSERVED = "observed"
    APPROVE = "approve"
    START = "start"
    FINISH = "finish"
    FAIL = "fail"
    STOP = "stop"
    UNDO = "undo"
    BACK = "back"
    EXPIRE = "expire"
    RENEW = "renew"


_S, _E = PlanState, PlanEvent

TRANSITIONS: Mapping[tuple[PlanState, PlanEvent], PlanState] = MappingProxyType(
    {
        (_S.DRAFT, _E.OBSERVED): _S.AWAITING_APPROVAL,
        (_S.DRAFT, _E.FAIL): _S.FAILED,
        (_S.DRAFT, _E.STOP): _S.STOPPED,
        (_S.AWAITING_APPROVAL, _E.APPROVE): _S.APPROVED,
        (_S.AWAITING_APPROVAL, _E.STOP): _S.STOPPED,
        (_S.AWAITING_APPROVAL, _E.EXPIRE): _S.EXPIRED,
        (_S.AWAITING_APPROVAL, _E.RENEW): _S.DRAFT,
        (_S.APPROVED, _E.START): _S.APPLYING,
        (_S.APPROVED, _E.STOP): _S.STOPPED,
        (_S.APPROVED, _E.EXPIRE): _S.EXPIRED,
        (_S.APPROVED, _E.RENEW): _S.DRAFT,
        (_S.EXPIRED, _E.RENEW): _S.DRAFT,
        (_S.APPLYING, _E.FINISH): _S.DONE,
        (_S.APPLYING, _E.FAIL): _S.FAILED,
        (_S.APPLYING, _E.STOP): _S.STOPPED,
        (_S.DONE, _E.UNDO): _S.UNDOING,
        (_S.FAILED, _E.UNDO): _S.UNDOING,
        (_S.STOPPED, _E.UNDO): _S.UNDOING,
        (_S.UNDOING, _E.BACK): _S.UNDONE,
        (_S.UNDOING, _E.FAIL): _S.FAILED,
    }
)

_WORDS: Mapping[PlanEvent, str] = MappingProxyType(
    {
        _E.APPROVE: "approved",
        _E.START: "started; it must be approved first",
        _E.STOP: "stopped",
        _E.UNDO: "undone",
        _E.RENEW: "renewed; make a new one",
    }
)


def after(state: PlanState, event: PlanEvent) -> PlanState:
    """The state that follows. Raises Invalid, in words for whoever asked for it."""
    if (state, event) not in TRANSITIONS:
        raise Invalid(f"a plan that is {state} cannot be {_WORDS.get(event, event)}")
    return TRANSITIONS[state, event]
