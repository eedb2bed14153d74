"""Everything that runs for as long as the service does, opened and closed in order."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from fleet.plan_reach import by_file, reaching
from fleet.plans import Plans
from fleet.proof import proving
from fleet.scans import Scans
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.store.engine import utc_now


@dataclass(frozen=True, slots=True)
class Service:
    """The controller: its store, and the kinds of work that go on in the background."""

    settings: Settings
    store: Store
    scans: Scans
    plans: Plans


@asynccontextmanager
async def open_service(settings: Settings, now: Callable[[], datetime] = utc_now) -> AsyncIterator[Service]:
    """Open the store and take up what an earlier process left unfinished. Raises StoreUnavailable, SettingsError."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(await open_store(settings, now))
        scans = await stack.enter_async_context(Scans(store, settings))
        reach = reaching(by_file(store, settings), scans.budget)
        plans = await stack.enter_async_context(Plans(store, reach, proving(store, settings, scans.budget)))
        yield Service(settings=settings, store=store, scans=scans, plans=plans)
