"""SQLite: one file, write-ahead log, one writer."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

import aiosqlite
from sqlalchemy import URL, AsyncAdaptedQueuePool, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.ext.asyncio import create_async_engine

from fleet.store.opened import WRITING, Opened
from fleet.store.refusals import no_text, unavailable
from fleet.unbroken import to_the_end

_BUSY_TIMEOUT_MS = 5000


def prepare(database: Path) -> None:
    """The file is there, and its owner's only. Blocks."""
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))


def blocking_engine(database: Path) -> Engine:
    """For schema changes: foreign keys are off, since rebuilding a table would delete what refers to it."""
    engine = create_engine(URL.create("sqlite", database=str(database)), poolclass=NullPool, hide_parameters=True)
    _speak(engine, foreign_keys=False)
    return engine


def opened(database: Path) -> Opened:
    connections: set[_UnbrokenConnection] = set()
    engine = create_async_engine(
        "sqlite+aiosqlite://",
        async_creator=lambda: _UnbrokenConnection.opened(database, connections),
        poolclass=AsyncAdaptedQueuePool,
        hide_parameters=True,
        pool_size=4,
        max_overflow=0,
        pool_timeout=30,
    )
    _speak(engine.sync_engine)
    return Opened(
        reading=engine,
        writing=engine.execution_options(**{WRITING: "NORMAL"}),
        durable=engine.execution_options(**{WRITING: "FULL"}),
        claiming=None,
        connections=connections,
        explain=unavailable,
    )


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


def _speak(engine: Engine, *, foreign_keys: bool = True) -> None:
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
        writing = connection.get_execution_options().get(WRITING)
        if writing and connection.info.get(WRITING, "NORMAL") != writing:
            connection.exec_driver_sql(f"PRAGMA synchronous = {writing}")
            connection.info[WRITING] = writing
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    @event.listens_for(engine, "before_cursor_execute")
    def _on_execute(
        _connection: Connection,
        _cursor: object,
        _sql: str,
        values: Any,  # noqa: ANN401 - SQLAlchemy's
        _context: object,
        many: bool,  # noqa: FBT001 - SQLAlchemy's
    ) -> None:
        """SQLite would keep it, and the estate could never move to PostgreSQL."""
        if any(_has_nul(row) for row in (values if many else (values,))):
            raise no_text()


def _has_nul(row: Iterable[object] | Mapping[str, object]) -> bool:
    return any(
        isinstance(value, str) and "\0" in value for value in (row.values() if isinstance(row, Mapping) else row)
    )
