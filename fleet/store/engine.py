"""The store: transactions over one database, and the one clock."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from fleet.errors import StoreUnavailable
from fleet.settings import Settings
from fleet.store import migrating, postgresql, sqlite
from fleet.store.opened import Opened
from fleet.store.outages import RETRY_S, outlasts
from fleet.store.refusals import cause_of, no_text, too_large, unavailable
from fleet.summaries import Summaries
from fleet.unbroken import to_the_end

_log = logging.getLogger(__name__)
_PLACE = "camwarden_place"


# From so many cameras on, counts over all of them are kept for some seconds.
LARGE = 5_000
_SOME_CAMERAS = text(f"SELECT count(*) FROM (SELECT 1 FROM cameras LIMIT {LARGE + 1}) AS first_cameras")  # noqa: S608 - a number


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a transaction runs, for steps that are given its connection alone. `kept` lives as long as the store."""

    settings: Settings
    now: Callable[[], datetime]
    kept: dict[object, Any] = field(default_factory=dict)


def place_of(connection: AsyncConnection) -> Place:
    """Of any connection that a `Store` gave."""
    assert connection.sync_connection is not None  # it is open  # noqa: S101
    place: Place = connection.sync_connection.get_execution_options()[_PLACE]
    return place


class Store:
    """Readers run side by side; one transaction writes at a time. `now` is the clock of everything that is stored."""

    def __init__(self, database: Opened, now: Callable[[], datetime]) -> None:
        self.now = now
        self.wording: dict[str, object] = {}  # of checks, as it is stored: `fleet.scans.visits.keep_wording`
        self.summaries = Summaries(lambda: self._changes, self._is_large)
        self._changes = 0
        self._database = database
        # One of ours at a time; waiting here is fair and costs nothing, waiting inside the database is neither.
        self._one_writer = asyncio.Lock()
        self.writes = 0  # transactions that wrote, kept or undone
        self._closed = False
        self._ending = asyncio.Event()
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent picture of the database. Raises StoreUnavailable, or Invalid for text that is none."""
        async with self._transaction("read", self._database.reading, writing=False) as connection:
            yield connection

    @asynccontextmanager
    async def write(self, *, durable: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction: kept when the block ends, undone when it raises. Raises StoreUnavailable.

        No other process of ours writes meanwhile: what was read in it stays true until its end. No crash of ours
        loses what was kept; a power cut, or the death of a database server, may lose the last moments, unless it is
        `durable`.
        """
        engine = self._database.durable if durable else self._database.writing
        async with self._one_writer, self._transaction("written", engine, writing=True) as connection:
            yield connection

    @asynccontextmanager
    async def claim(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that waits for no other writer, where the database can: for work that several take of one list.

        Each row to be changed is locked first: `select(...).with_for_update(skip_locked=True)`, which SQLite ignores.
        """
        if self._database.claiming is None:
            async with self.write() as connection:
                yield connection
            return
        async with self._transaction("written", self._database.claiming, writing=True) as connection:
            yield connection

    async def _is_large(self) -> bool:
        async with self.read() as connection:
            return int(await connection.scalar(_SOME_CAMERAS) or 0) > LARGE

    def stop_waiting(self) -> None:
        """The process is about to end: work that waits for a database that is gone is told so now."""
        self._ending.set()

    @property
    def is_ending(self) -> bool:
        return self._ending.is_set()

    async def close(self) -> None:
        """Waits for what is under way: the pool forgets connections that are in use, and nobody would close them.

        So it does with one whose user was cancelled, which then closes by itself, or not at all if we end before.
        """
        await self.summaries.close()
        self._closed = True
        self.stop_waiting()
        await self._idle.wait()
        await self._database.reading.dispose()
        for connection in tuple(self._database.connections):
            await to_the_end(connection.close())

    @asynccontextmanager
    async def _transaction(self, what: str, engine: AsyncEngine, *, writing: bool) -> AsyncIterator[AsyncConnection]:
        """Opening, keeping and closing are not cut off: the driver leaves a file open then, or waits for ever.

        A cancellation in between undoes what was written.
        """
        try:
            with self._counted():
                self.writes += writing
                connection = await self._begun(engine, writing=writing)
                try:
                    yield connection
                    if writing:
                        await to_the_end(connection.commit())
                        self._changes += 1
                finally:
                    await to_the_end(connection.close())
        except UnicodeEncodeError as error:
            raise no_text() from error
        except OverflowError as error:
            raise too_large() from error
        except SQLAlchemyError as error:
            raise unavailable(what, error) from cause_of(error)

    async def _begun(self, engine: AsyncEngine, *, writing: bool) -> AsyncConnection:
        """Again and again while the database is gone, where the task outlasts that (`fleet.store.outages`)."""
        told = False
        while True:
            try:
                return await _begin(engine, writing=writing)
            except OperationalError as error:
                if not outlasts() or self._ending.is_set():
                    raise
                if not told:
                    _log.warning("work waits for the database", extra={"reason": str(unavailable("reached", error))})
                told = True
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ending.wait(), RETRY_S)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        if self._closed:
            raise StoreUnavailable("the database is closed")
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def _begin(engine: AsyncEngine, *, writing: bool) -> AsyncConnection:
    connection = engine.connect()
    try:
        await to_the_end(_started(connection, writing=writing))
    except BaseException:
        if connection.sync_connection is not None:
            await to_the_end(connection.close())
        raise
    return connection


async def _started(connection: AsyncConnection, *, writing: bool) -> None:
    await connection.start()
    if writing:
        await connection.begin()


async def open_store(settings: Settings, now: Callable[[], datetime] = utc_now) -> Store:
    """Open the database of these settings and upgrade its schema; without `database_url` a file in the home, made here.

    `async with await open_store(settings) as store: ...`. Raises StoreUnavailable, SettingsError.
    """
    await asyncio.to_thread(_prepare, settings)
    return await open_prepared(settings, now)


async def open_prepared(settings: Settings, now: Callable[[], datetime] = utc_now) -> Store:
    """The same where the schema is known to be up to date: looking costs more than opening. Raises SettingsError."""
    opened = await postgresql.opened(settings) if settings.database_url else sqlite.opened(settings.database)
    return Store(opened.told(**{_PLACE: Place(settings, now)}), now)


def is_made(settings: Settings) -> bool:
    """Whether anything may be stored: a command that only reads makes no empty file. Blocks."""
    return settings.database_url is not None or settings.database.exists()


def where(settings: Settings) -> str:
    """Which database that is, fit to be shown."""
    return postgresql.place(settings) if settings.database_url else str(settings.database)


def _prepare(settings: Settings) -> None:
    try:
        if settings.database_url is None:
            sqlite.prepare(settings.database)
        migrating.migrate(settings)
    except (OSError, SQLAlchemyError, CommandError) as error:
        raise unavailable("opened", error) from cause_of(error)
