"""Engine, transactions, schema and the one clock."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiosqlite
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, AsyncAdaptedQueuePool, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from fleet.errors import Invalid, StoreUnavailable
from fleet.settings import Settings
from fleet.unbroken import to_the_end

_BUSY_TIMEOUT_MS = 5000
_WRITING = "camwarden_writing"
_MIGRATIONS = Path(__file__).parent / "migrations"


def utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """Readers run side by side; one transaction writes at a time. `now` is the clock of everything that is stored."""

    def __init__(
        self,
        engine: AsyncEngine,
        now: Callable[[], datetime],
        connections: "AbstractSet[_UnbrokenConnection]",
    ) -> None:
        self.now = now
        self.wording: dict[str, object] = {}  # of checks, as it is stored: `fleet.visits.keep_wording`
        self._engine = engine
        self._connections = connections
        self._writing = engine.execution_options(**{_WRITING: "NORMAL"})
        self._writing_to_disk = engine.execution_options(**{_WRITING: "FULL"})
        # SQLite has one writer; waiting here is fair and costs nothing, waiting inside SQLite is neither.
        self._one_writer = asyncio.Lock()
        self.writes = 0  # transactions that wrote, kept or undone
        self._closed = False
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent picture of the database. Raises StoreUnavailable, or Invalid for text that is none."""
        try:
            with self._counted():
                async with _opened(self._engine) as connection:
                    yield connection
        except UnicodeEncodeError as error:
            raise _half_a_character() from error
        except SQLAlchemyError as error:
            raise _unavailable("read", error) from error

    @asynccontextmanager
    async def write(self, *, durable: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction: kept when the block ends, undone when it raises. Raises StoreUnavailable.

        No crash of ours loses what was kept; a power cut may lose the last moments, unless it is `durable`.
        """
        async with self._one_writer:
            try:
                engine = self._writing_to_disk if durable else self._writing
                with self._counted():
                    self.writes += 1
                    async with _opened(engine, writing=True) as connection:
                        yield connection
            except UnicodeEncodeError as error:
                raise _half_a_character() from error
            except SQLAlchemyError as error:
                raise _unavailable("written", error) from error

    async def close(self) -> None:
        """Waits for what is under way: the pool forgets connections that are in use, and nobody would close them.

        So it does with one whose user was cancelled, which then closes by itself, or not at all if we end before.
        """
        self._closed = True
        await self._idle.wait()
        await self._engine.dispose()
        for connection in tuple(self._connections):
            await to_the_end(connection.close())

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


@asynccontextmanager
async def _opened(engine: AsyncEngine, *, writing: bool = False) -> AsyncIterator[AsyncConnection]:
    """Opening, keeping and closing are not cut off: the driver leaves a file open then, or waits for ever.

    A cancellation in between undoes what was written.
    """
    connection = engine.connect()
    try:
        await to_the_end(_begun(connection) if writing else connection.start())
        yield connection
        if writing:
            await to_the_end(connection.commit())
    finally:
        if connection.sync_connection is not None:
            await to_the_end(connection.close())


async def _begun(connection: AsyncConnection) -> None:
    await connection.start()
    await connection.begin()


async def open_store(settings: Settings, now: Callable[[], datetime] = utc_now) -> Store:
    """Open (or make) `$CAMWARDEN_HOME/camwarden.db`, readable by its owner only, and upgrade its schema.

    `async with await open_store(settings) as store: ...`. Raises StoreUnavailable.
    """
    await asyncio.to_thread(_prepare, settings.database)
    connections: set[_UnbrokenConnection] = set()
    engine = create_async_engine(
        "sqlite+aiosqlite://",
        async_creator=lambda: _UnbrokenConnection.opened(settings.database, connections),
        poolclass=AsyncAdaptedQueuePool,
        hide_parameters=True,
        pool_size=4,
        max_overflow=0,
        pool_timeout=30,
    )
    _speak_sqlite(engine.sync_engine)
    return Store(engine, now, connections)


class _UnbrokenConnection(aiosqlite.Connection):
    """A cancelled statement is waited for, since the driver's thread runs it to its end anyway, and is then undone.

    Otherwise its open cursor would keep the connection, and the connection the lock of a write that nobody undoes.
    """

    _among: set[Self]

    @classmethod
    async def opened(cls, database: Path, among: set[Self]) -> Self:
        """It is `among` the open ones until it is closed."""
        connection = cls(partial(sqlite3.connect, database), iter_chunk_size=64)
        connection._thread.daemon = True  # as SQLAlchemy has it: a forgotten connection does not keep the process
        await connection
        connection._among = among
        among.add(connection)
        return connection

    async def close(self) -> None:
        try:
            await super().close()
        finally:
            self._among.discard(self)

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the driver's
        try:
            return await to_the_end(super()._execute(fn, *args, **kwargs))  # type: ignore[no-untyped-call]
        except asyncio.CancelledError:
            if self._connection is not None and fn != self._connection.close:
                await to_the_end(super()._execute(self._connection.rollback))  # type: ignore[no-untyped-call]
            raise


def _prepare(database: Path) -> None:
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))
        migrate(database)
    except (OSError, SQLAlchemyError, CommandError) as error:
        raise _unavailable("opened", error) from error


def migrate(database: Path, revision: str = "head") -> None:
    """Bring the schema to that revision, up or (for "base" and earlier ones) down: whole or not at all. Blocks."""
    engine = create_engine(URL.create("sqlite", database=str(database)), poolclass=NullPool, hide_parameters=True)
    _speak_sqlite(engine, foreign_keys=False)  # rebuilding a table would delete what refers to it
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    direction = command.downgrade if revision == "base" else command.upgrade
    with engine.execution_options(**{_WRITING: "NORMAL"}).begin() as connection:
        config.attributes["connection"] = connection
        direction(config, revision)


def _speak_sqlite(engine: Engine, *, foreign_keys: bool = True) -> None:
    """Our own BEGIN: the driver's comes too late to read from one snapshot, and a write must not start as a read."""

    @event.listens_for(engine, "connect")
    def _on_connect(driver: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
        driver.isolation_level = None
        cursor = driver.cursor()
        for pragma in (
            f"busy_timeout = {_BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            f"foreign_keys = {'ON' if foreign_keys else 'OFF'}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITING)
        if writing and connection.info.get(_WRITING, "NORMAL") != writing:
            connection.exec_driver_sql(f"PRAGMA synchronous = {writing}")
            connection.info[_WRITING] = writing
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _half_a_character() -> Invalid:
    """What cameras say is cleaned before it comes here; this was typed, or made up in a URL."""
    return Invalid("this text cannot be stored or looked for: it holds half a character")


def _unavailable(what: str, error: Exception) -> StoreUnavailable:
    """Only the driver's own words: SQLAlchemy's text quotes the statement."""
    cause = getattr(error, "orig", None) or error
    words = str(cause) if isinstance(cause, OSError | sqlite3.Error | CommandError) else type(cause).__name__
    return StoreUnavailable(f"the database cannot be {what}: {words}")
