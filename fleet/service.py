"""Everything that runs for as long as the service does, opened and closed in order."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from cameras.budget import AttemptBudget
from fleet.kept_budget import kept_budget
from fleet.plan_reach import reaching
from fleet.plans import Plans
from fleet.proof import proving
from fleet.reach import place_and_credential, stored_rules
from fleet.rotations import Rotations
from fleet.scans import Scans
from fleet.service_passwords import service_password
from fleet.settings import Settings
from fleet.stills import take_still
from fleet.store import Store, open_store
from fleet.store.engine import utc_now
from fleet.vault import Vault, open_vault


@dataclass(frozen=True, slots=True)
class Service:
    """The controller: its store, and the kinds of work that go on in the background.

    `budget` is the one budget of login attempts that all of them share.
    """

    settings: Settings
    store: Store
    vault: Vault
    budget: AttemptBudget
    scans: Scans
    plans: Plans
    rotations: Rotations

    async def still(self, camera: str) -> bytes:
        """A picture of a stored camera, taken now. Raises `cameras.errors` and FleetError."""
        return await take_still(self.store, self.vault, self.settings, self.budget, camera)


@asynccontextmanager
async def open_service(settings: Settings, now: Callable[[], datetime] = utc_now) -> AsyncIterator[Service]:
    """Open the store and take up what an earlier process left unfinished. Raises StoreUnavailable, VaultUnavailable."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(await open_store(settings, now))
        vault = await open_vault(store, settings)
        budget = await stack.enter_async_context(kept_budget(store))
        scans = await stack.enter_async_context(
            Scans(store, settings, budget=budget, logins=partial(stored_rules, store, vault))
        )
        rotations = await stack.enter_async_context(Rotations(store, vault, settings, budget=budget))
        reach = reaching(partial(place_and_credential, store, vault, settings), budget)
        plans = await stack.enter_async_context(
            Plans(
                store,
                reach,
                proving(store, settings, budget),
                password_for=partial(service_password, store, vault),
            )
        )
        yield Service(settings, store, vault, budget, scans, plans, rotations)
