"""A setting: what can be put right on a camera, and the words of judging it. Pure, but for the two calls that ask and
tell.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter

from cameras.driver import Driver
from cameras.facts import Gap
from cameras.secret import Secret

Fact = TypeVar("Fact")
State = TypeVar("State")
AnyJson = Any
Door = Literal["http", "https"]


class Parameters(BaseModel):
    """What a baseline may say of a setting. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)


class Order(Enum):
    """How a camera stands to what is wanted of it."""

    IN_ORDER = "in-order"
    DRIFT = "drift"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"


class Risk(Enum):
    NONE = "none"
    MAY_CUT_CONNECTION = "may-cut-connection"


@dataclass(frozen=True, slots=True)
class Compared:
    order: Order
    reason: str


def in_order(reason: str) -> Compared:
    return Compared(Order.IN_ORDER, reason)


def drift(reason: str) -> Compared:
    return Compared(Order.DRIFT, reason)


def unknown(reason: str) -> Compared:
    return Compared(Order.UNKNOWN, reason)


def not_applicable(reason: str) -> Compared:
    return Compared(Order.NOT_APPLICABLE, reason)


class Missing(Exception):
    """A change needs something that nobody gave us. Nothing was sent. The text says what to give."""


async def no_password(account: str) -> Secret:
    """For callers that have no vault and were given no password."""
    raise Missing(f"no password was given for the account {account!r}")


# Gives the password of the account with this name; where it makes a new one, it has stored it before it returns.
PasswordFor = Callable[[str], Awaitable[Secret]]


@dataclass(frozen=True, slots=True)
class Trial(Generic[State]):
    """Of a setting whose changes a camera takes back by itself unless it is told that they may stay.

    `runs` says of a state that was seen and one that is wanted whether they are the same, but for the trial; `keep`
    tells the camera, once that was seen over a connection that was made under it.
    """

    runs: Callable[[State, State], bool]
    keep: Callable[[Driver], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Setting(Generic[Fact, State]):
    """One thing to put right. `State` is both what is seen of a camera and what is wanted, so that they compare.

    `observe` asks the camera; `state` takes from its answer the part that this setting is about; `judge` compares two
    states. `tell` sends a state. `back` is the state to send in order to undo, `None` where what was seen does not
    suffice for that; `half_way` tells whether a state lies between two others because sending broke off. `closes` and
    `opens` name the door that sending a state may close, or must open; `trial` is there where what is sent goes back by
    itself unless it is kept.
    """

    name: str
    title: str
    parameters: Any  # what `TypeAdapter` takes: a class of Parameters, or a Literal
    observe: Callable[[Driver], Awaitable[Fact]]
    wanted: Callable[[Any], State]
    state: Callable[[Fact, State], State]
    judge: Callable[[State, State], Compared]
    tell: Callable[[Driver, State, PasswordFor], Awaitable[None]]
    words: Callable[[State], Sequence[str]]
    shape: Any  # the class State, for reading it back
    back: Callable[[State], State | None]
    obstacle: Callable[[State, State], str | None] = field(default=lambda _seen, _wanted: None)
    closes: Callable[[State], Door | None] = field(default=lambda _wanted: None)
    opens: Callable[[State], Door | None] = field(default=lambda _wanted: None)
    half_way: Callable[[State, State, State], bool] = field(default=lambda now, before, _wanted: bool(now == before))
    trial: Trial[State] | None = None
    risk: Risk = Risk.NONE

    def see(self, answer: Fact | Gap, wanted: State) -> State | Gap:
        """What an answer says of this setting."""
        return answer if isinstance(answer, Gap) else self.state(answer, wanted)

    def compare(self, seen: State | Gap, wanted: State) -> Compared:
        """A gap is unknown, with its reason: never in order, and never left out."""
        if isinstance(seen, Gap):
            return unknown(f"the camera could not be asked ({seen.gap}): {seen.detail}")
        return self.judge(seen, wanted)

    def dump(self, state: State) -> AnyJson:
        return _adapter(self.shape).dump_python(state, mode="json")

    def load(self, values: AnyJson) -> State:
        loaded: State = _adapter(self.shape).validate_python(values)
        return loaded


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - what pydantic takes
    return TypeAdapter(shape)
