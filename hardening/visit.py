"""One camera kept open while it is changed: fresh connections where proof wants one, some patience with reboots."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from cameras.driver import Driver
from cameras.errors import ClockSkewed, DeviceError, LockedOut, Unauthorized, Unreachable
from cameras.place import Place
from hardening.observing import OpenCamera, Question, gap

# What forbids going on; everything else is a gap in one answer.
_ENDS_THE_VISIT = (Unreachable, Unauthorized, LockedOut, ClockSkewed)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a camera that fell silent is tried, and how long to wait between: a camera reboots in a minute or two.

    Only silence is waited for, and only from a camera that we have changed: a refused login is never tried again, and a
    camera that does not answer at all costs one try. A door that must be proved gets `door_tries`.
    """

    tries: int = 16
    door_tries: int = 3
    pause_s: float = 10.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Visit:
    """`async with Visit(place, open_camera, patience) as visit`; `place` is where the camera is spoken to now.

    `waits` says that the camera has answered before, or has been changed before, so that its silence is waited for.
    `fell_silent` says that it had to be waited for when it was last opened.
    """

    def __init__(self, place: Place, open_camera: OpenCamera, patience: Patience, *, waits: bool) -> None:
        self.place = place
        self.fell_silent = False
        self._tries = patience.tries if waits else 1
        self._open = open_camera
        self._patience = patience
        self._stack = AsyncExitStack()
        self._driver: Driver | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        self._driver = None
        await self._stack.aclose()

    async def driver(self, *, anew: bool = False) -> Driver:
        """The open camera, over a fresh connection if `anew`. Raises `cameras.errors`."""
        if anew or self._driver is None:
            await self.close()
            self._driver = await self._opened(self.place, self._tries)
            self._tries = self._patience.tries
        return self._driver

    async def ask(self, question: Question, *, anew: bool = False) -> Any:  # noqa: ANN401 - each has its own answer
        """The answer, or a Gap. A connection that died meanwhile is replaced once. Raises what forbids going on."""
        driver = await self.driver(anew=anew)
        try:
            return await _answer(question, driver)
        except Unreachable:
            return await _answer(question, await self.driver(anew=True))

    async def move(self, place: Place) -> None:
        """Stand at another door, proved by a login over a fresh connection there. Where that fails, we stay."""
        await self.close()
        self._driver = await self._opened(place, self._patience.door_tries)
        self.place = place

    async def _opened(self, place: Place, tries: int) -> Driver:
        self.fell_silent = False
        for tries_left in reversed(range(tries)):
            try:
                return await self._stack.enter_async_context(self._open(place))
            except Unreachable:
                self.fell_silent = True
                if not tries_left:
                    raise
                await self._patience.sleep(self._patience.pause_s)
        raise Unreachable("the camera was not tried")


async def _answer(question: Question, driver: Driver) -> Any:  # noqa: ANN401
    try:
        return await question(driver)
    except _ENDS_THE_VISIT:
        raise
    except DeviceError as error:
        return gap(error)
