"""How a rollout reaches the cameras of the store: where each one is, and with which login."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Literal, cast

from sqlalchemy import func, select

from cameras.budget import Attempt, AttemptBudget
from cameras.driver import Driver
from cameras.errors import Unauthorized
from cameras.opening import open_camera
from cameras.place import Place
from fleet.errors import NotFound
from fleet.settings import Settings
from fleet.store import Store, attempts
from fleet.store import tables as t
from scanners.credentials import CredentialRule, for_address, load_credentials


class Doors:
    """Opens cameras by their id. The login is the first of the credentials file for that address, and no other."""

    def __init__(
        self, store: Store, rules: Sequence[CredentialRule], budget: AttemptBudget, *, timeout_s: float = 8.0
    ) -> None:
        self._store = store
        self._rules = rules
        self._budget = budget
        self._timeout_s = timeout_s

    def connect(self, camera: str) -> AbstractAsyncContextManager[Driver]:
        """A fresh connection. Raises `cameras.errors`."""
        return self._connected(camera)

    @asynccontextmanager
    async def _connected(self, camera: str) -> AsyncIterator[Driver]:
        place = await self._place(camera)
        logins = for_address(self._rules, place.address)
        if not logins:
            raise Unauthorized("the credentials file has no login for this camera")
        async with open_camera(place, logins[0], self._budget, timeout_s=self._timeout_s) as driver:
            yield driver

    async def _place(self, camera: str) -> Place:
        async with self._store.read() as connection:
            asked = select(t.Camera.address, t.Camera.port, t.Camera.scheme).where(t.Camera.id == camera)
            row = (await connection.execute(asked)).first()
            if row is None:
                raise NotFound("this camera is not in the store any more")
            others = select(func.count()).where(t.Camera.address == row.address, t.Camera.id != camera)
            shared = bool((await connection.execute(others)).scalar_one())
        return Place(row.address, row.port, cast("Literal['http', 'https']", row.scheme), shared=shared)


@asynccontextmanager
async def doors(store: Store, settings: Settings) -> AsyncIterator[Doors]:
    """For a process that runs rollouts and nothing else: with a budget of its own, kept across restarts.

    The service has one budget for everything; it makes `Doors` with that.
    """
    rules = await asyncio.to_thread(load_credentials, settings.credentials_file) if settings.credentials_file else []
    spent: asyncio.Queue[Attempt] = asyncio.Queue()
    budget = AttemptBudget(earlier=await attempts.load(store), on_spent=spent.put_nowait, now=store.now)
    keeping = asyncio.create_task(_keep(store, spent))
    try:
        yield Doors(store, rules, budget)
    finally:
        await spent.join()
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


async def _keep(store: Store, spent: "asyncio.Queue[Attempt]") -> None:
    while True:
        attempt = await spent.get()
        try:
            await attempts.record(store, attempt)
        finally:
            spent.task_done()
