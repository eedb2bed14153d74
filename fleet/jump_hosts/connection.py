"""One jump host: one SSH connection, shared by everything that goes to its networks, made when it is first needed.

It is made again when it is needed after it broke, not more often than a pause allows that grows with each failure. The
host's key is pinned, and nothing of the user's own SSH is used: no files, no agent, no password.
"""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncssh

from cameras.errors import Unreachable
from cameras.secret import Secret
from cameras.ways import Heard
from fleet.errors import FleetError
from fleet.jump_hosts import words
from fleet.jump_hosts.bridge import Bridge, Knock
from fleet.jump_hosts.host_keys import Door, HostKey, read_private_key
from fleet.jump_hosts.log_in import Client, log_in
from fleet.store.engine import utc_now

SIGN_OF_LIFE_S = 3.0
IDLE_S = 600.0
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
# A key that is refused is not offered again soon: servers lock out who tries on.
REFUSED_PAUSE_S = 300.0
MOST_OPEN = 1024
# Asked for by a sweep and not answered yet. Each holds a socket there until the jump host's own patience ends.
MOST_ASKED = 256
REMEMBERED_S = 60.0
_MOST_REMEMBERED = 8192
_REFUSALS = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED})

OpenKey = Callable[[], Awaitable[Secret]]


@dataclass(frozen=True, slots=True)
class State:
    """`is_up`, since when; else `trouble` says why not, "" where it was not needed yet. `open` go through it now."""

    is_up: bool
    since: datetime | None
    trouble: str
    open: int


class JumpHost:
    """A `cameras.ways.Way`. `name` is what errors call it; `open_key` gives our private key when it connects."""

    def __init__(self, name: str, door: Door, host_key: HostKey, open_key: OpenKey) -> None:
        self.name, self.door, self.host_key = name, door, host_key
        self._open_key = open_key
        self._connection: asyncssh.SSHClientConnection | None = None
        self._connecting: asyncio.Task[asyncssh.SSHClientConnection] | None = None
        self._since: datetime | None = None
        self._trouble = ""
        self._failures = 0
        self._not_before = 0.0
        self._closed = False
        self._open = 0
        self._places = asyncio.Semaphore(MOST_ASKED)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unasked: dict[str, tuple[float, str]] = {}
        self._greeting: asyncio.Task[Any] | None = None
        self._greeted: asyncssh.SSHClientConnection | None = None
        self._idle: asyncio.TimerHandle | None = None

    # --- the way ---

    async def dial(self, address: str, port: int) -> socket.socket:
        for attempt in (1, 2):
            connection = await self._noting(address, self._connected())
            if self._open >= MOST_OPEN:
                raise Unreachable(f"{MOST_OPEN} connections go through {self.name} already")
            opening = self._start(connection.create_connection(lambda: Bridge(self._counted), address, port))
            try:
                _, bridge = await asyncio.shield(opening)
            except asyncssh.ChannelOpenError as error:
                if connection.is_closed() and attempt == 1:
                    continue  # it broke meanwhile: nothing was sent
                raise self._said_no(error, address, port) from error
            except asyncio.CancelledError:
                opening.add_done_callback(_abandon)
                raise
            except (OSError, asyncssh.Error) as error:
                raise self._broke(address) from error
            self._unasked.pop(address, None)
            assert isinstance(bridge, Bridge)  # as the line above makes it  # noqa: S101
            return await bridge.socket()
        raise self._broke(address)

    async def knock(self, address: str, port: int, timeout_s: float) -> Heard:
        for _ in (1, 2):
            await self._places.acquire()
            try:
                connection = await self._noting(address, self._connected())
                asking: asyncio.Task[Heard | None] = self._start(self._ask(connection, address, port))
            except Unreachable:
                self._places.release()
                return "silent"
            except BaseException:
                self._places.release()
                raise
            asking.add_done_callback(lambda _: self._places.release())
            done, _ = await asyncio.wait({asking}, timeout=timeout_s)
            if not done and await self._lives(connection):
                return "silent"
            if not done:
                break
            heard = None if asking.cancelled() else asking.result()
            if heard is not None:
                return heard
        self._broke(address)
        return "silent"

    def trouble(self, address: str) -> str | None:
        at, said = self._unasked.get(address, (0.0, ""))
        if said and asyncio.get_running_loop().time() - at < REMEMBERED_S:
            return said
        return _beyond(self._trouble) if self._trouble else None

    # --- beside ---

    def state(self) -> State:
        is_up = self._connection is not None and not self._connection.is_closed()
        return State(is_up, self._since if is_up else None, "" if is_up else self._trouble, self._open)

    async def prove(self) -> None:
        """It answers, shows its key and takes ours, now, whatever went wrong before. Raises Unreachable."""
        self._not_before = 0.0
        await self._connected()

    async def close(self) -> None:
        """For good, with all that goes through it."""
        self._closed = True
        if self._idle is not None:
            self._idle.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
            await connection.wait_closed()
        if self._tasks:  # whoever waits for a channel is told that there is none
            await asyncio.wait(self._tasks, timeout=1.0)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- the connection ---

    async def _connected(self) -> asyncssh.SSHClientConnection:
        if self._closed:
            raise Unreachable(f"{self.name} is not used any more")
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        if self._connecting is None:
            if asyncio.get_running_loop().time() < self._not_before:
                raise Unreachable(self._trouble)
            self._connecting = self._start(self._connect())
            self._connecting.add_done_callback(self._has_connected)
        connecting = self._connecting
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            if connecting.cancelled() and self._closed:
                raise Unreachable(f"{self.name} is not used any more") from None
            raise

    def _has_connected(self, _: "asyncio.Task[asyncssh.SSHClientConnection]") -> None:
        self._connecting = None

    async def _connect(self) -> asyncssh.SSHClientConnection:
        client = Client(self.host_key, self._lost)
        try:
            key = read_private_key(await self._open_key())
            connection = await log_in(self.door, client, self.host_key.algorithms(), key)
        except FleetError as error:
            raise self._failed(Unreachable(f"our key for {self.name} cannot be used: {error}")) from error
        except (OSError, asyncssh.Error, ValueError) as error:
            refused = isinstance(error, (asyncssh.PermissionDenied, asyncssh.HostKeyNotVerifiable))
            named = words.of_connecting(error, self.name, client.shown)
            raise self._failed(named, REFUSED_PAUSE_S if refused else 0.0) from error
        self._connection, self._since = connection, utc_now()
        self._failures, self._trouble = 0, ""
        self._unasked.clear()
        self._watch_idle()
        return connection

    def _failed(self, error: Unreachable, pause_s: float = 0.0) -> Unreachable:
        self._failures += 1
        growing_s = min(LONGEST_PAUSE_S, SHORTEST_PAUSE_S * 2.0 ** min(self._failures - 1, 10))
        self._not_before = asyncio.get_running_loop().time() + max(pause_s, growing_s)
        self._trouble = str(error)
        return error

    def _lost(self, error: Exception | None) -> None:
        """The next connection waits a little, so that a server that lets in and cuts off is not asked all the time."""
        if self._connection is not None and not self._closed and error is not None:
            self._trouble = f"the connection to {self.name} broke"
            self._not_before = asyncio.get_running_loop().time() + SHORTEST_PAUSE_S / 2

    # --- one connection through it ---

    async def _ask(self, connection: asyncssh.SSHClientConnection, address: str, port: int) -> Heard | None:
        """`None` where the connection to the jump host broke before there was an answer."""
        try:
            channel, _ = await connection.create_connection(Knock, address, port)
        except asyncssh.ChannelOpenError as error:
            if connection.is_closed():
                return None
            if (said := words.of_camera(error)) is None:
                self._said_no(error, address, port)
                return "silent"
            return "closed" if said.errno in _REFUSALS else "silent"
        except (OSError, asyncssh.Error):
            return None
        channel.abort()
        return "open"

    async def _lives(self, connection: asyncssh.SSHClientConnection) -> bool:
        """The silence of a camera is told from that of the jump host: it is asked for a sign of life, once for all."""
        if self._greeting is None or self._greeting.done() or self._greeted is not connection:
            self._greeted = connection
            # The library has no public name for it; its own keepalive comes too late for a sweep.
            self._greeting = self._start(connection._make_global_request(b"keepalive@openssh.com"))  # noqa: SLF001
        await asyncio.wait({self._greeting}, timeout=SIGN_OF_LIFE_S)
        if self._greeting.done() and not connection.is_closed():
            return True
        connection.abort()
        return False

    def _said_no(self, error: asyncssh.ChannelOpenError, address: str, port: int) -> OSError | Unreachable:
        if said := words.of_camera(error):
            return said
        if error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
            return self._note(address, f"{self.name} does not permit connections to port {port} of {address}")
        return self._note(address, f"{self.name} opens no connection to port {port} of {address}")

    async def _noting(
        self, address: str, connected: Coroutine[Any, Any, asyncssh.SSHClientConnection]
    ) -> asyncssh.SSHClientConnection:
        try:
            return await connected
        except Unreachable as error:
            raise self._note(address, _beyond(str(error))) from error

    def _broke(self, address: str) -> Unreachable:
        return self._note(address, _beyond(f"the connection to {self.name} broke"))

    def _note(self, address: str, said: str) -> Unreachable:
        """What is silent because of the way is not silent by itself, and a scan tells the two apart."""
        if len(self._unasked) >= _MOST_REMEMBERED:
            self._unasked.clear()
        self._unasked[address] = asyncio.get_running_loop().time(), said
        return Unreachable(said)

    def _counted(self, more: int) -> None:
        self._open += more

    def _start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it; where nobody did, nobody wants it

    def _watch_idle(self) -> None:
        """Nothing through it for a while: it is closed, and made again when it is needed."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self._connection is None or self._connection.is_closed():
            return
        if self._open or self._tasks:
            self._watch_idle()
        else:
            self._connection.close()
            self._connection = None


def _beyond(trouble: str) -> str:
    return f"not reachable through the jump host: {trouble}"


def _abandon(opening: "asyncio.Task[Any]") -> None:
    """Nobody waits for it any more."""
    if not opening.cancelled() and opening.exception() is None:
        with suppress(OSError):
            opening.result()[0].abort()
