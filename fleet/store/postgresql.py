"""PostgreSQL: a server that others may share, several connections, one writer of ours at a time.

Check-then-write inside a transaction stays right without a word of it in the callers: whoever writes first takes one
advisory lock of the database, which every process of ours takes. Queues that several processes empty do not take it.
"""

import asyncio
import os
import select
import socket
from collections.abc import Mapping
from typing import Any, Self, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import AsyncAdaptedQueuePool, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from fleet.errors import SettingsError
from fleet.settings import Settings
from fleet.store.opened import WRITING, Opened
from fleet.store.refusals import unavailable
from fleet.unbroken import to_the_end

CONTROLLER = "camwarden serve"
# Of our advisory locks: "cam" in ASCII, and which of them.
WRITER_LOCK = 0x63616D01
CONTROLLER_LOCK = 0x63616D02
_POOL = 8
_CONNECT_TIMEOUT_S = 10
# Another process of ours that writes: a moment, else something is wrong with it.
_LOCK_TIMEOUT_MS = 30_000
# A network that swallows packets is noticed within half a minute; the system's own default is two hours.
_ALIVE = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
# A count over a large estate, in several processes or compiled first, would take the machine from every page meanwhile.
_UNHURRIED = "-c max_parallel_workers_per_gather=0 -c jit=off"
_BEGIN = f"SELECT set_config('synchronous_commit', %s, true), pg_advisory_xact_lock({WRITER_LOCK})"
_BEGIN_CLAIM = "SELECT set_config('synchronous_commit', 'off', true)"


def parameters(settings: Settings, who: str = "camwarden") -> dict[str, Any]:
    """What the driver connects with. `who` is how the server's own lists name us. Raises SettingsError. Blocks."""
    given = conninfo_to_dict(settings.database_url or "")
    options = f"{_UNHURRIED} -c timezone=UTC -c lock_timeout={_LOCK_TIMEOUT_MS} {given.get('options') or ''}".strip()
    ours = {"options": options, "client_encoding": "UTF8", "connect_timeout": _CONNECT_TIMEOUT_S, **_ALIVE}
    return {**ours, **given, "options": options, "application_name": name_of(who), **_password(settings)}


def name_of(who: str) -> str:
    """Of a connection of this process."""
    return f"{who} {os.getpid()} on {socket.gethostname()}"[:63]


def _password(settings: Settings) -> Mapping[str, str]:
    path = settings.database_password_file
    if path is None:
        return {}
    try:
        found = path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"database_password_file: it cannot be read ({type(error).__name__})") from None
    if not found:
        raise SettingsError("database_password_file: it is empty")
    return {"password": found}


def place(settings: Settings) -> str:
    """Where the database is, fit to be shown."""
    given = conninfo_to_dict(settings.database_url or "")
    return f"PostgreSQL database {given.get('dbname')} on {given.get('host') or 'this machine'}"


def blocking_engine(settings: Settings) -> Engine:
    """For schema changes. Raises SettingsError."""
    wanted = parameters(settings)
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(**wanted),
        poolclass=NullPool,
        hide_parameters=True,
        use_native_hstore=False,
    )
    _speak(engine)
    return engine


async def opened(settings: Settings) -> Opened:
    """Raises SettingsError."""
    connections: set[_Counted] = set()
    wanted = await asyncio.to_thread(parameters, settings)
    engine = create_async_engine(
        "postgresql+psycopg://",
        async_creator=lambda: _Counted.opened(wanted, connections),
        poolclass=AsyncAdaptedQueuePool,
        hide_parameters=True,
        pool_size=_POOL,
        max_overflow=0,
        pool_timeout=30,
        use_native_hstore=False,
    )
    _speak(engine.sync_engine)
    return Opened(
        reading=engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
        writing=engine.execution_options(**{WRITING: "off"}),
        durable=engine.execution_options(**{WRITING: "on"}),
        claiming=engine.execution_options(**{WRITING: "claim"}),
        connections=connections,
        explain=unavailable,
    )


class _Counted(psycopg.AsyncConnection[Any]):
    """Known until it is closed, so that the store can close what its pool has forgotten."""

    among: set[Self]

    @classmethod
    async def opened(cls, wanted: Mapping[str, Any], among: set[Self]) -> Self:
        connection = await to_the_end(cls.connect(**wanted))
        connection.among = among
        among.add(connection)
        return connection

    async def close(self) -> None:
        try:
            await super().close()
        finally:
            self.among.discard(self)


def _speak(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(WRITING)
        if writing == "claim":
            connection.exec_driver_sql(_BEGIN_CLAIM)
        elif writing:
            connection.exec_driver_sql(_BEGIN, (writing,))

    @event.listens_for(engine, "checkout")
    def _on_checkout(_adapted: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        """An idle connection has nothing to say, except that the server has gone: a look costs no round trip."""
        driver = cast("psycopg.AsyncConnection[Any]", record.driver_connection)
        if driver.closed or _has_something_to_say(driver.fileno()):
            raise InvalidatePoolError


def _has_something_to_say(descriptor: int) -> bool:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(waiting.poll(0))
