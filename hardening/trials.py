"""What was sent on trial: told to stay once it was seen under its own rules, and the words for when it was not."""

from collections.abc import Awaitable, Callable
from typing import Any

from cameras.errors import DeviceError
from cameras.facts import Gap
from hardening.model import Trial
from hardening.visit import Visit

SENT_AGAIN = (
    "it was begun before and is not in force (what was on trial may be over, unconfirmed), so it was sent again; "
)
NOBODY_CAME_IN = (
    "it was on trial, nothing answered from here meanwhile, and the camera took it back by itself: had it counted, it "
    "would have shut us out"
)
MOST_TIMES = 2


async def kept(
    visit: Visit,
    trial: Trial[Any] | None,
    goal: Any,  # noqa: ANN401 - each setting has its own
    now: Any,  # noqa: ANN401
    look_anew: Callable[[], Awaitable[Any]],
) -> tuple[Any, Exception | None]:
    """What the camera shows in the end, and what it said against staying. `now` was seen over a connection made under
    the trial; whether a cut connection told it to stay, the camera knows.
    """
    said: Exception | None = None
    for _ in range(MOST_TIMES):
        if trial is None or isinstance(now, Gap) or not trial.runs(now, goal):
            break
        said = None
        try:
            await trial.keep(await visit.driver())
        except DeviceError as error:
            said = error
        now = await look_anew()
    return now, said
