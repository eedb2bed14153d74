"""Is the service ready for people and work? Cheap, bounded in time, without a word that a stranger must not read."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from fleet.errors import FleetError, StoreUnavailable, VaultUnavailable
from fleet.settings import Settings
from fleet.store import Store, migrating
from fleet.vault.master_key import master_key

WITHIN_S = 2.0
LEAST_FREE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that must be so. `why` is "" where it is."""

    name: str
    why: str = ""

    @property
    def ready(self) -> bool:
        return not self.why


@cache
def head() -> str:
    """The revision of the schema that this version of us works with. Reads files: run it in a thread."""
    return migrating.newest()


class Readiness:
    """`background` says of each kind of work by itself whether it goes on."""

    def __init__(self, store: Store, settings: Settings, background: Mapping[str, Callable[[], bool]]) -> None:
        self._home = settings.home
        self._background = background
        self._store = _Question(partial(_asked, store), "the database does not answer")
        self._key = _Question(partial(_opened, store, settings), "the vault's key cannot be read in time")

    async def parts(self) -> tuple[Part, ...]:
        stopped = [name for name, goes_on in self._background.items() if not goes_on()]
        store, key = await asyncio.gather(self._store.in_time(), self._key.in_time())
        return (
            Part("store", store),
            # What is wrong with the store is said once.
            Part("key", "" if store else key),
            Part("background", f"{', '.join(stopped)} ended; restart the service, the log says why" if stopped else ""),
            Part("disk", await asyncio.to_thread(_disk, self._home)),
        )


class _Question:
    """Answered with "" or why not. One that is not answered in time stays asked, and is not asked beside itself."""

    def __init__(self, ask: Callable[[], Coroutine[None, None, str]], late: str) -> None:
        self._ask = ask
        self._late = late
        self._asking: asyncio.Task[str] | None = None

    async def in_time(self) -> str:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        done, _ = await asyncio.wait({self._asking}, timeout=WITHIN_S)
        return self._asking.result() if done else self._late


async def _asked(store: Store) -> str:
    try:
        async with store.read() as connection:
            there = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    except (FleetError, SQLAlchemyError):
        return "the database cannot be read; the log says more"
    wanted = await asyncio.to_thread(head)
    return "" if there == wanted else "the database has another version than this program"


async def _opened(store: Store, settings: Settings) -> str:
    """A transit engine is asked only where the key changed: one that is in memory goes on while the engine is away."""
    try:
        await master_key(store, settings)
    except (VaultUnavailable, StoreUnavailable):
        return "the vault's key cannot be used; `camwarden doctor` says why"
    return ""


def _disk(home: Path) -> str:
    try:
        free = shutil.disk_usage(home).free
    except OSError:
        return "the folder of the service cannot be looked at"
    mib = LEAST_FREE_BYTES // 2**20
    return "" if free >= LEAST_FREE_BYTES else f"less than {mib} MiB are free: make room, or nothing can be stored soon"
