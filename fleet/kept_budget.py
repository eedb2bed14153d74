"""The attempt budget of this process, with what earlier processes spent, and what it spends kept for the next one."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cameras.budget import Attempt, AttemptBudget
from fleet.errors import StoreUnavailable
from fleet.store import Store, attempts
from fleet.store.outages import RETRY_S

_log = logging.getLogger(__name__)


@asynccontextmanager
async def kept_budget(store: Store) -> AsyncIterator[AttemptBudget]:
    """All that was spent is stored when the block has ended. Raises StoreUnavailable on entry.

    A try that cannot be stored closes the budget until it is: after a restart the camera would be given it again.
    """
    spent: asyncio.Queue[Attempt | None] = asyncio.Queue()
    budget = AttemptBudget(earlier=await attempts.load(store), on_spent=spent.put_nowait, now=store.now)
    keeping = asyncio.create_task(_keep(store, spent, budget))
    try:
        yield budget
    finally:
        spent.put_nowait(None)
        await keeping


async def _keep(store: Store, spent: "asyncio.Queue[Attempt | None]", budget: AttemptBudget) -> None:
    while (attempt := await spent.get()) is not None:
        while not await _kept(store, attempt):
            budget.close("no login is tried while the database cannot keep count of them")
            if store.is_ending:
                return
            await asyncio.sleep(RETRY_S)
        budget.reopen()


async def _kept(store: Store, attempt: Attempt) -> bool:
    try:
        await attempts.record(store, attempt)
    except StoreUnavailable:
        _log.exception("a spent login could not be stored")
        return False
    return True
