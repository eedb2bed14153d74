"""Which TCP ports accept a connection: many addresses at once, gently for each.

The kernel's connect path is the limit here, so the event loop's own connect (a future, two callbacks and a timer for
each attempt) is too dear. All sockets of a sweep hang in one selector of their own, and that selector's descriptor
hangs in the event loop: one callback handles whatever became ready. Linux and macOS: on Windows a selector has none.
"""

import asyncio
import errno
import resource
import selectors
import socket
import struct
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from ipaddress import ip_address

from cameras import ways
from cameras.facts import OpenPorts
from scanners.discovery.sweep_by_way import Allowance, ByWay

PER_ADDRESS = 4
TURN = 64
SHORTAGE_PAUSE_S = 0.05
SHORTAGE_PATIENCE_S = 15.0

Progress = Callable[[int, int], None]

# Our side ran out of something: the camera said nothing, so the attempt is made again.
_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN})
# An answer that says no. Everything else (no route, timed out, forbidden by a firewall) is silence.
_REFUSALS = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED})
# Leave with a reset: no half-closed sockets here, no waiting there.
_LEAVE_AT_ONCE = struct.pack("ii", 1, 0)


async def sweep(
    addresses: Sequence[str],
    ports: Iterable[int],
    *,
    in_flight: int = 256,
    per_second: float | None = None,
    timeout_s: float = 2.0,
    on_progress: Progress | None = None,
) -> AsyncGenerator[tuple[str, OpenPorts], None]:
    """Each address with its ports, as soon as the last of them is known. `on_progress` gets addresses done and in all.

    Never more than `in_flight` sockets (fewer where the process may not open so many), nor `PER_ADDRESS` for one
    address, nor `per_second` new ones a second. Leaving the iteration early closes them all: iterate within
    `contextlib.aclosing`. Raises OSError where the system keeps refusing us sockets.
    """
    wanted = tuple(dict.fromkeys(ports))
    plan = dict.fromkeys(addresses, wanted)
    found = sweep_each(plan, in_flight=in_flight, per_second=per_second, timeout_s=timeout_s, on_progress=on_progress)
    async with aclosing(found):
        async for one in found:
            yield one


async def sweep_each(
    plan: Mapping[str, Sequence[int]],
    *,
    in_flight: int = 256,
    per_second: float | None = None,
    timeout_s: float = 2.0,
    on_progress: Progress | None = None,
) -> AsyncGenerator[tuple[str, OpenPorts], None]:
    """As `sweep`, with ports of its own for each address."""
    by_way = {address: way for address in plan if (way := ways.way_to(address))}
    straight = {address: ports for address, ports in plan.items() if address not in by_way} if by_way else plan
    engine = _Engine(straight, in_flight, per_second, timeout_s)
    others = None
    if by_way:
        others = ByWay(by_way, plan, engine.results, engine.allowance, per_address=PER_ADDRESS, timeout_s=timeout_s)
    try:
        for done in range(1, len(plan) + 1):
            result = await engine.results.get()
            if isinstance(result, Exception):
                raise result
            if on_progress is not None:
                on_progress(done, len(plan))
            yield result
    finally:
        engine.close()
        if others is not None:
            await others.close()


@dataclass(slots=True)
class _Host:
    address: str
    family: socket.AddressFamily
    waiting: deque[int]
    busy: int = 0
    queued: bool = False
    open: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    silent: list[int] = field(default_factory=list)

    def ports(self) -> OpenPorts:
        return OpenPorts(tuple(sorted(self.open)), tuple(sorted(self.closed)), tuple(sorted(self.silent)))


@dataclass(slots=True)
class _Attempt:
    sock: socket.socket
    host: _Host
    port: int
    deadline: float


class _Engine:
    """Starts attempts and books how they end, in turns within the event loop's thread.

    A turn collects what is ready, gives up what is too old, and starts at most `TURN` new ones, so that other work of
    the loop gets its share.
    """

    def __init__(
        self, plan: Mapping[str, Sequence[int]], in_flight: int, per_second: float | None, timeout_s: float
    ) -> None:
        self.results: asyncio.Queue[tuple[str, OpenPorts] | Exception] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._selector = selectors.DefaultSelector()
        self._plan = iter(plan.items())
        self._most = max(1, min(in_flight, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2))
        self._timeout_s = timeout_s
        self.allowance = None if per_second is None else Allowance(per_second, self._loop.time())
        self._ready: deque[_Host] = deque()  # with a port to try and room for it, the longest waiting first
        self._active = 0
        self._live: dict[int, _Attempt] = {}  # by descriptor, the oldest first
        self._short_since: float | None = None
        self._wake: asyncio.Handle | None = self._loop.call_soon(self._turn)
        self._descriptor = self._selector.fileno()
        self._loop.add_reader(self._descriptor, self._turn)

    def close(self) -> None:
        """Closes every socket; may be called twice."""
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            self._selector.close()
            self._descriptor = -1
        for attempt in self._live.values():
            attempt.sock.close()
        self._live.clear()

    def _turn(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        try:
            self._collect()
            self._expire()
            pause_s = self._start_some()
        except Exception as error:  # noqa: BLE001 - a callback has nobody to raise to: the iteration raises it
            self.close()
            self.results.put_nowait(error)
            return
        if self._live:
            expiry_s = max(0.0, next(iter(self._live.values())).deadline - self._loop.time())
            pause_s = expiry_s if pause_s is None else min(expiry_s, pause_s)
        if pause_s is not None:
            self._wake = self._loop.call_later(pause_s, self._turn)

    def _collect(self) -> None:
        for key, _ in self._selector.select(0):
            attempt = self._live.pop(key.fd)
            self._selector.unregister(key.fd)
            self._end(attempt, attempt.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def _expire(self) -> None:
        now = self._loop.time()
        while self._live:
            fd, attempt = next(iter(self._live.items()))
            if attempt.deadline > now:
                return
            del self._live[fd]
            self._selector.unregister(fd)
            self._end(attempt, errno.ETIMEDOUT)

    def _start_some(self) -> float | None:
        """Seconds until there is more to start; `None` where an attempt must end first, or all are started."""
        for _ in range(TURN):
            if len(self._live) >= self._most or not self._admit():
                return None
            if self.allowance is not None and (wait_s := self.allowance.wait_s(self._loop.time())):
                return wait_s
            host = self._ready.popleft()
            host.queued = False
            port = host.waiting.popleft()
            if not self._start(host, port):
                host.waiting.appendleft(port)
                self._queue(host)
                return self._pause_for_shortage()
            self._short_since = None
            self._queue(host)
            if self.allowance is not None:
                self.allowance.take()
        return 0.0

    def _admit(self) -> bool:
        """Fills the window of addresses under way. Taking turns among them spreads the attempts at each over time."""
        while self._active < max(1, self._most // PER_ADDRESS) or not self._ready:
            entry = next(self._plan, None)
            if entry is None:
                break
            address, ports = entry
            family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET  # noqa: PLR2004
            host = _Host(address, family, deque(dict.fromkeys(ports)))
            if host.waiting:
                self._active += 1
                self._queue(host)
            else:
                self.results.put_nowait((address, host.ports()))
        return bool(self._ready)

    def _queue(self, host: _Host) -> None:
        if host.waiting and host.busy < PER_ADDRESS and not host.queued:
            host.queued = True
            self._ready.append(host)

    def _start(self, host: _Host, port: int) -> bool:
        """False where the system had no socket to give."""
        try:
            sock = socket.socket(host.family, socket.SOCK_STREAM)
        except OSError as error:
            if error.errno in _SHORTAGES:
                return False
            self._book(host, port, error.errno or errno.EIO)  # such as no IPv6 here
            return True
        sock.setblocking(False)
        host.busy += 1
        attempt = _Attempt(sock, host, port, self._loop.time() + self._timeout_s)
        try:
            code = sock.connect_ex((host.address, port))
        except Exception:
            sock.close()
            raise
        if code == errno.EINPROGRESS:
            self._selector.register(sock, selectors.EVENT_WRITE)
            self._live[sock.fileno()] = attempt
        elif code in _SHORTAGES:
            sock.close()
            host.busy -= 1
            return False
        else:
            self._end(attempt, code)
        return True

    def _pause_for_shortage(self) -> float:
        """Waits, with fewer sockets for now; gives up where not even the first comes for a long time."""
        now = self._loop.time()
        self._short_since = self._short_since or now
        if not self._live and now - self._short_since > SHORTAGE_PATIENCE_S:
            raise OSError(
                errno.EMFILE, "the system gives us no more sockets: raise the limit of open files (ulimit -n)"
            )
        return SHORTAGE_PAUSE_S

    def _end(self, attempt: _Attempt, code: int) -> None:
        if code == 0:
            attempt.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LEAVE_AT_ONCE)
        attempt.sock.close()
        host = attempt.host
        host.busy -= 1
        self._queue(host)
        self._book(host, attempt.port, code)

    def _book(self, host: _Host, port: int, code: int) -> None:
        (host.open if code == 0 else host.closed if code in _REFUSALS else host.silent).append(port)
        if not host.waiting and host.busy == 0:
            self._active -= 1
            self.results.put_nowait((host.address, host.ports()))
