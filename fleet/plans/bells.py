"""What is heard of plans in this process at once. What counts is stored, and others look at it once a second."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from fleet.jobs.model import Asked, Turn
from fleet.plans.rows import PlanId

LOOK_EVERY_S = 1.0


class Bells:
    """`closed`: whoever follows a plan here is told no more of it."""

    def __init__(self) -> None:
        self.closed = False
        self._listeners: dict[PlanId, set[asyncio.Event]] = {}
        self._stopping: set[PlanId] = set()

    def tell(self, plan: PlanId) -> None:
        for listener in self._listeners.get(plan, ()):
            listener.set()

    def close(self) -> None:
        self.closed = True
        for plan in self._listeners:
            self.tell(plan)

    @contextmanager
    def listening(self, plan: PlanId) -> Iterator[asyncio.Event]:
        """Set whenever something was written of that plan."""
        listener = asyncio.Event()
        self._listeners.setdefault(plan, set()).add(listener)
        try:
            yield listener
        finally:
            self._listeners[plan].discard(listener)
            if not self._listeners[plan]:
                del self._listeners[plan]

    @contextmanager
    def stopping(self, plan: PlanId) -> Iterator[None]:
        """While somebody stops it here, its cameras hear of that before it is stored."""
        self._stopping.add(plan)
        self.tell(plan)
        try:
            yield
        finally:
            self._stopping.discard(plan)

    def is_to_stop(self, turn: Turn, plan: PlanId) -> bool:
        return turn.asked is Asked.CANCEL or plan in self._stopping


async def rings(bell: asyncio.Event) -> None:
    """Waits for it, and no longer than until it is time to look again."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_EVERY_S):
            await bell.wait()


@asynccontextmanager
async def closing_in(turn: Turn, most_s: float) -> AsyncIterator[None]:
    """Once the service stops, the block may take so long. Raises CancelledError, as the end of the process would."""
    loop = asyncio.get_running_loop()

    async def closes() -> None:
        await turn.stopping.wait()
        limit.reschedule(loop.time() + most_s)

    try:
        async with asyncio.timeout(None) as limit:
            closing = asyncio.create_task(closes())
            try:
                yield
            finally:
                closing.cancel()
    except TimeoutError:
        if limit.expired():
            raise asyncio.CancelledError from None
        raise
