"""Errors as gaps in the evidence: the one place where a device error becomes an outcome."""

from collections.abc import Awaitable
from typing import TypeVar

from cameras.errors import (
    ClockSkewed,
    DeviceError,
    Garbled,
    LockedOut,
    Refused,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from cameras.facts import Gap, GapReason

T = TypeVar("T")

_REASONS: dict[type[DeviceError], GapReason] = {
    Unreachable: "unreachable",
    Unauthorized: "unauthorized",
    LockedOut: "locked-out",
    ClockSkewed: "clock-skewed",
    Unsupported: "unsupported",
    Refused: "refused",
    Garbled: "garbled",
}


def gap(error: DeviceError) -> Gap:
    return Gap(_REASONS[type(error)], str(error))


async def answer_or_gap(question: Awaitable[T]) -> T | Gap:
    """The fact, or why there is none."""
    try:
        return await question
    except DeviceError as error:
        return gap(error)
