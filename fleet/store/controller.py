"""One controller per home and per database: a second one, started by mistake, is refused and told who is there.

Both locks go with the process that holds them, however it ends: a lock on a file in the home, and on PostgreSQL a lock
of a session, which two homes on one database share. Commands beside a running service take neither.
"""

import asyncio
import fcntl
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from fleet.errors import Busy, StoreUnavailable
from fleet.settings import Settings
from fleet.store.postgresql import CONTROLLER, CONTROLLER_LOCK, parameters
from fleet.store.refusals import unavailable
from fleet.unbroken import to_the_end

CHECK_S = 2.0
_TRIES = 15
_TRY_AGAIN_S = 0.1
_MOST_TOLD_BYTES = 300
_log = logging.getLogger(__name__)
_TAKE = "SELECT pg_try_advisory_lock(%s)"
_HOLDER = """
    SELECT a.application_name, coalesce(host(a.client_addr), 'this machine'), a.backend_start
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objid = %s AND l.classid = 0
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Controller:
    """The right to be the only one. `displaced` is set when another took it while the database was gone."""

    def __init__(self) -> None:
        self.displaced = asyncio.Event()


@asynccontextmanager
async def sole_controller(settings: Settings) -> AsyncIterator[Controller]:
    """While the block runs, no other controller serves this home or this database.

    Raises Busy, which says who does, StoreUnavailable, SettingsError.
    """
    controller = Controller()
    descriptor = await asyncio.to_thread(_lock, settings.home / "serving")
    try:
        if settings.database_url is None:
            yield controller
            return
        wanted = await asyncio.to_thread(parameters, settings, CONTROLLER)
        place = _Place(wanted, await _patiently(wanted))
        watching = asyncio.create_task(_watch(controller, place))
        try:
            yield controller
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await to_the_end(_leave(place.session))
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class _Place:
    """How the database is reached, and the connection that holds the lock now."""

    wanted: dict[str, Any]
    session: psycopg.AsyncConnection[Any]


def _lock(path: Path) -> int:
    """Its content, for whoever is refused, says who we are. The file stays: only the lock on it counts. Blocks."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.pread(descriptor, _MOST_TOLD_BYTES, 0).decode("utf-8", "replace").strip() or "one that says no more"
        os.close(descriptor)
        raise Busy(f"another Camwarden serves {path.parent} already: {who}; stop it first") from None
    since = datetime.now(UTC).isoformat(" ", "seconds")
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()} since {since}\n".encode(), 0)
    return descriptor


async def _patiently(wanted: dict[str, Any]) -> psycopg.AsyncConnection[Any]:
    """A process that has just been killed holds its place until the server notices, a moment later. Raises Busy."""
    for _ in range(_TRIES - 1):
        with suppress(Busy):
            return await _session(wanted)
        await asyncio.sleep(_TRY_AGAIN_S)
    return await _session(wanted)


async def _session(wanted: dict[str, Any]) -> psycopg.AsyncConnection[Any]:
    """A connection that holds the lock. Raises Busy, StoreUnavailable."""
    try:
        session = await to_the_end(psycopg.AsyncConnection.connect(**wanted, autocommit=True))
    except psycopg.Error as error:
        raise unavailable("opened", error) from None
    try:
        taken = await (await session.execute(_TAKE, (CONTROLLER_LOCK,))).fetchone()
        if taken and taken[0]:
            return session
        holder = await (await session.execute(_HOLDER, (CONTROLLER_LOCK,))).fetchone()
    except psycopg.Error as error:
        await session.close()
        raise unavailable("opened", error) from None
    except BaseException:
        await session.close()
        raise
    await session.close()
    who = f"{holder[0]}, from {holder[1]}, since {holder[2]:%Y-%m-%d %H:%M:%S} UTC" if holder else "it just went away"
    raise Busy(f"another Camwarden serves this database already: {who}; stop it first")


async def _leave(session: psycopg.AsyncConnection[Any]) -> None:
    """Given back in words: a connection that is merely closed holds its lock until the server notices."""
    with suppress(psycopg.Error):
        await session.execute("SELECT pg_advisory_unlock(%s)", (CONTROLLER_LOCK,))
    await session.close()


async def _watch(controller: Controller, place: _Place) -> None:
    """A session that broke is begun again; where somebody else has the lock by then, we are not the controller."""
    while True:
        await asyncio.sleep(CHECK_S)
        try:
            await place.session.execute("SELECT 1")
        except psycopg.Error:
            _log.warning("the database is gone, and with it the right to be the only controller")
            await place.session.close()
            if not await _again(place):
                _log.error("another controller took the database over: this one ends")
                controller.displaced.set()
                return
            _log.warning("the database is back, and we are its only controller")


async def _again(place: _Place) -> bool:
    """Whether the place is ours again, once the database is back."""
    while True:
        try:
            place.session = await to_the_end(_session(place.wanted))
        except Busy:
            return False
        except StoreUnavailable:
            await asyncio.sleep(CHECK_S)
        else:
            return True
