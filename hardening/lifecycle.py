"""The life of a step and of a camera under a plan: one table of what may follow what. Pure."""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class StepState(Enum):
    """The first three are settled by planning; a step that drifts is WAITING until it is its turn."""

    IN_ORDER = "in-order"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"
    WAITING = "waiting"
    APPLYING = "applying"  # written down before anything is sent: it may or may not have been
    DONE = "done"
    STALE = "stale"  # the camera is not what the plan saw; nothing was sent
    REFUSED = "refused"  # by the camera or by us; nothing has changed
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"
    SKIPPED = "skipped"  # the camera was given up, or stopped, before its turn


class StepEvent(Enum):
    BEGIN = "begin"
    ALREADY = "already"  # it is as wanted without us
    MOVED = "moved"  # it is neither what the plan saw nor what is wanted
    REFUSE = "refuse"
    PROVED = "proved"
    DISPROVED = "disproved"
    LOST = "lost"  # nothing could be observed after sending
    REVERTED = "reverted"  # proved, and at the end of the visit no longer so
    UNDO = "undo"
    BACK = "back"
    STUCK = "stuck"
    SKIP = "skip"


class CameraState(Enum):
    WAITING = "waiting"
    APPLYING = "applying"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    UNDOING = "undoing"
    UNDONE = "undone"


class CameraEvent(Enum):
    START = "start"
    FINISH = "finish"
    FAIL = "fail"
    STOP = "stop"
    UNDO = "undo"
    BACK = "back"


State = StepState | CameraState
Event = StepEvent | CameraEvent

_S, _E, _C, _D = StepState, StepEvent, CameraState, CameraEvent

# What is not in the table does not happen.
TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (_S.WAITING, _E.BEGIN): _S.APPLYING,
        (_S.WAITING, _E.ALREADY): _S.IN_ORDER,
        (_S.WAITING, _E.MOVED): _S.STALE,
        (_S.WAITING, _E.REFUSE): _S.REFUSED,
        (_S.WAITING, _E.SKIP): _S.SKIPPED,
        (_S.APPLYING, _E.PROVED): _S.DONE,
        (_S.APPLYING, _E.REFUSE): _S.REFUSED,
        (_S.APPLYING, _E.DISPROVED): _S.UNDOING,
        (_S.APPLYING, _E.LOST): _S.FAILED,
        (_S.DONE, _E.REVERTED): _S.FAILED,
        (_S.DONE, _E.UNDO): _S.UNDOING,
        (_S.UNDOING, _E.BACK): _S.UNDONE,
        (_S.UNDOING, _E.STUCK): _S.FAILED,
        (_C.WAITING, _D.START): _C.APPLYING,
        (_C.WAITING, _D.FAIL): _C.FAILED,
        (_C.WAITING, _D.STOP): _C.STOPPED,
        (_C.APPLYING, _D.FINISH): _C.DONE,
        (_C.APPLYING, _D.FAIL): _C.FAILED,
        (_C.APPLYING, _D.STOP): _C.STOPPED,
        (_C.APPLYING, _D.UNDO): _C.UNDOING,  # of a plan that ended by a fault of ours
        (_C.DONE, _D.UNDO): _C.UNDOING,
        (_C.FAILED, _D.UNDO): _C.UNDOING,
        (_C.STOPPED, _D.UNDO): _C.UNDOING,
        (_C.UNDOING, _D.BACK): _C.UNDONE,
        (_C.UNDOING, _D.FAIL): _C.FAILED,
    }
)
# Of the states that a step can end in, those that leave the camera other than the plan promised.
SHORT_OF_WANTED = frozenset({_S.STALE, _S.REFUSED, _S.UNDONE, _S.FAILED, _S.SKIPPED})

# Nothing more happens to a step in these while its plan is applied, but for DONE, which is looked at once more.
SETTLED = frozenset(StepState) - {_S.WAITING, _S.APPLYING, _S.UNDOING, _S.DONE}


class Impossible(Exception):
    """A fault of ours: this event cannot happen in this state."""


def after(state: State, event: Event) -> State:
    """The state that follows. Raises Impossible."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise Impossible(f"{event.value!r} cannot happen to a {type(state).__name__} that is {state.value!r}") from None


def step_after(state: StepState, event: StepEvent) -> StepState:
    """As `after`, for a step."""
    found = after(state, event)
    if not isinstance(found, StepState):
        raise Impossible(f"{event.value!r} makes no step")
    return found


def camera_after(state: CameraState, event: CameraEvent) -> CameraState:
    """As `after`, for a camera."""
    found = after(state, event)
    if not isinstance(found, CameraState):
        raise Impossible(f"{event.value!r} makes no camera")
    return found
