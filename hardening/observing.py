"""Ask a camera what a baseline wants to know, each question once."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

from cameras.driver import Driver
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
from cameras.facts import Gap, GapReason, Identity
from cameras.place import Place
from hardening.baseline import Baseline
from hardening.plan import CameraPlan, plan_camera, unseen

# A fresh connection to the camera through this door, logged in to. Raises `cameras.errors`.
OpenCamera = Callable[[Place], AbstractAsyncContextManager[Driver]]
Question = Callable[[Driver], Awaitable[Any]]

_REASONS: dict[type[DeviceError], GapReason] = {
    Unreachable: "unreachable",
    Unauthorized: "unauthorized",
    LockedOut: "locked-out",
    ClockSkewed: "clock-skewed",
    Unsupported: "unsupported",
    Refused: "refused",
    Garbled: "garbled",
}
# After one of these, further questions would cost time or tries and bring nothing.
_ENDS_THE_VISIT = (Unreachable, LockedOut, ClockSkewed)


def gap(error: DeviceError) -> Gap:
    return Gap(_REASONS[type(error)], str(error))


async def observe(driver: Driver, questions: Iterable[Question]) -> dict[Question, Any]:
    """The answer to each question, or the gap in its place."""
    answers: dict[Question, Any] = {}
    closed: Gap | None = None
    for question in dict.fromkeys(questions):
        if closed is not None:
            answers[question] = closed
            continue
        try:
            answers[question] = await question(driver)
        except DeviceError as error:
            answers[question] = gap(error)
            if isinstance(error, _ENDS_THE_VISIT):
                closed = Gap(gap(error).gap, f"not asked any more: {error}")
    return answers


async def plan_for(place: Place, open_camera: OpenCamera, baseline: Baseline) -> CameraPlan:
    """Look at one camera and plan. Changes nothing; a camera that cannot be opened has only unknown steps."""
    try:
        async with open_camera(place) as driver:
            answers = await observe(driver, [ask_identity, *(setting.observe for setting, _ in baseline.wanted())])
    except DeviceError as error:
        return unseen(place, baseline, gap(error))
    who = answers[ask_identity]
    return plan_camera(place, who if isinstance(who, Identity) else None, baseline, answers)


async def ask_identity(driver: Driver) -> Identity:
    return await driver.identity()


def is_another(before: Identity | None, now: object) -> bool:
    """Whether a camera with another serial number, or of another maker, answers.

    One that does not say is taken for the same: some name their maker only where a login is to spare for asking.
    """
    if before is None or not before.serial or not isinstance(now, Identity) or not now.serial:
        return False
    makers = {before.manufacturer, now.manufacturer} - {None}
    return before.serial != now.serial or len(makers) > 1
