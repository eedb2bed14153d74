"""Asking a network by UDP and hearing what comes back: a socket for each interface, and who may say how much.

What is asked and how an answer is read is each protocol's own. A datagram may get lost: everything is asked more than
once.
"""

import asyncio
import logging
import random
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import cast

from cameras.errors import Garbled
from scanners.discovery.sightings import Sighting, merge

ROUNDS = 3
MOST_PER_SENDER = 64
MOST_DEVICES_PER_SENDER = 32
MOST_SENDERS = 65536
HEARING_SHARE = 2 / 3
"""Of the wait, where a protocol has something left to do with what it heard."""

BROADCAST = "255.255.255.255"
_IP_MULTICAST_ALL = 49  # of Linux; the socket module does not name it

_log = logging.getLogger(__name__)

Read = Callable[[bytes, str], Sequence[Sighting]]


@dataclass(frozen=True, slots=True)
class Protocol:
    """One way in which devices announce themselves to whoever asks the group.

    `questions` makes those of one round; `read` makes sightings of an answer and its sender, or raises Garbled. With
    `broadcast` everybody is asked, not only the group. With `answers_to_group` an answer may go to the group, so that
    it is heard only at the protocol's own port. `look_closer` makes more of the sightings, and must bear to be cut off.
    One that asks address by address only has no `group`.
    """

    name: str
    group: str
    port: int
    questions: Callable[[], Iterable[bytes]]
    read: Read
    ttl: int = 1
    broadcast: bool = False
    answers_to_group: bool = False
    look_closer: Callable[[list[Sighting]], Awaitable[None]] | None = None


class Replies:
    """What came back so far. No sender gets more than its share; `ignored` counts why datagrams were not heard."""

    def __init__(self, read: Read) -> None:
        self.ignored: Counter[str] = Counter()
        self._read = read
        self._sightings: dict[str, set[Sighting]] = {}
        self._heard: Counter[str] = Counter()

    def add(self, datagram: bytes, sender: str) -> bool:
        """True where the datagram was an answer. Never raises."""
        if len(self._heard) >= MOST_SENDERS and sender not in self._heard:
            self.ignored["too-many-senders"] += 1
            return False
        self._heard[sender] += 1
        if self._heard[sender] > MOST_PER_SENDER:
            self.ignored["too-many-from-one"] += 1
            return False
        try:
            sightings = self._sightings.get(sender, set()).union(self._read(datagram, sender))
        except Garbled:
            self.ignored["garbled"] += 1
            return False
        if len(sightings) > MOST_DEVICES_PER_SENDER:
            self.ignored["too-many-devices"] += 1
            return False
        self._sightings[sender] = sightings
        return True

    def sightings(self) -> list[Sighting]:
        return [sighting for from_one in self._sightings.values() for sighting in from_one]


class Hearer(asyncio.DatagramProtocol):
    """One socket: asks, and hands what comes back to `replies`. `only_expected` hears nobody that was not asked."""

    def __init__(self, replies: Replies, *, only_expected: bool) -> None:
        self._replies = replies
        self._only_expected = only_expected
        self._answered: dict[str, asyncio.Event] = {}
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Before Python 3.12 the loop's datagram transport is no DatagramTransport by class, so it cannot be asked for.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def ask(self, questions: Iterable[bytes], address: str, port: int) -> None:
        """A send that fails (no route) is as good as no answer."""
        if self._transport is not None:
            for question in questions:
                self._transport.sendto(question, (address, port))

    def expect(self, address: str) -> asyncio.Event:
        """Set when that address has answered."""
        return self._answered.setdefault(address, asyncio.Event())

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        sender = _sender(addr)
        if self._only_expected and sender not in self._answered:
            self._replies.ignored["not-asked"] += 1
        elif self._replies.add(data, sender) and sender in self._answered:
            self._answered[sender].set()

    def error_received(self, exc: Exception) -> None:
        self._replies.ignored[f"error {type(exc).__name__}"] += 1


def _sender(address: tuple[object, ...]) -> str:
    """The sender as text; a link-local one carries its interface, without which it cannot be reached."""
    host = str(address[0])
    if len(address) == 4 and isinstance(address[3], int) and address[3] and "%" not in host:  # noqa: PLR2004 - AF_INET6
        return f"{host}%{socket.if_indextoname(address[3])}"
    return host


@asynccontextmanager
async def hearing(sock: socket.socket, replies: Replies, *, only_expected: bool) -> AsyncIterator[Hearer]:
    loop = asyncio.get_running_loop()
    transport, hearer = await loop.create_datagram_endpoint(
        lambda: Hearer(replies, only_expected=only_expected), sock=sock
    )
    try:
        yield hearer
    finally:
        transport.abort()
        await asyncio.sleep(0)  # the socket closes in the loop's next round


def open_socket(family: socket.AddressFamily, address: str, port: int = 0, *, shared: bool = False) -> socket.socket:
    """A `shared` one takes a port that others have too, if they share it. Raises OSError."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def _voice(protocol: Protocol, address: str) -> socket.socket:
    """Sends from this interface only, and hears what is sent back to it."""
    at_port = protocol.port if protocol.answers_to_group else 0
    sock = open_socket(socket.AF_INET, address, at_port, shared=protocol.answers_to_group)
    try:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, protocol.ttl)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, protocol.broadcast)
    except OSError:
        sock.close()
        raise
    return sock


def _ear(protocol: Protocol, address: str) -> socket.socket:
    """Hears what is sent to the group on this interface, our own questions among it."""
    sock = open_socket(socket.AF_INET, protocol.group, protocol.port, shared=True)
    try:
        member = socket.inet_aton(protocol.group) + socket.inet_aton(address)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        if sys.platform == "linux":
            sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)  # not what others here have joined elsewhere
    except OSError:
        sock.close()
        raise
    return sock


async def ask_group(protocol: Protocol, addresses: Sequence[str], wait_s: float) -> list[Sighting]:
    """Everyone who answers on the interfaces with these addresses within `wait_s`. IPv4 only.

    Where the system gives no socket, nobody is asked there, and a warning says why.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + wait_s
    heard_until = end if protocol.look_closer is None else loop.time() + wait_s * HEARING_SHARE
    replies = Replies(protocol.read)
    async with AsyncExitStack() as stack:
        voices: dict[str, Hearer] = {}
        for address in addresses:
            try:
                voices[address] = await stack.enter_async_context(_asking(protocol, address, replies))
            except OSError as error:
                why = error.strerror or str(error)
                _log.warning("discovery.skipped", extra={"protocol": protocol.name, "address": address, "error": why})
        if not voices:
            return []
        for _ in range(ROUNDS):
            for address, voice in voices.items():
                for to in _asked(protocol, address):
                    voice.ask(protocol.questions(), to, protocol.port)
            pause_s = min(random.uniform(0.05, 0.5), (heard_until - loop.time()) / ROUNDS)  # noqa: S311 - keeps scanners apart
            await asyncio.sleep(max(0.0, pause_s))
        await asyncio.sleep(max(0.0, heard_until - loop.time()))
    sightings = replies.sightings()
    if protocol.look_closer is not None:
        try:
            async with asyncio.timeout_at(end):
                await protocol.look_closer(sightings)
        except TimeoutError:
            pass  # what is known by now has to do
    return told(protocol.name, sightings, replies)


async def ask_each(protocol: Protocol, addresses: Iterable[str], wait_s: float, concurrency: int) -> Replies:
    """What each address answers when it is asked by itself, at most `concurrency` at a time, for `wait_s` each.

    This crosses routers. An answer counts only where it comes from an address that was asked.
    """
    wanted = list(dict.fromkeys(addresses))
    families = {address: _family(address) for address in wanted}
    replies = Replies(protocol.read)
    async with AsyncExitStack() as stack:
        hearers = {
            family: await stack.enter_async_context(hearing(open_socket(family, ""), replies, only_expected=True))
            for family in dict.fromkeys(families.values())
        }
        queue = iter(wanted)

        async def work() -> None:
            for address in queue:
                await _ask_one(hearers[families[address]], protocol, address, wait_s)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(wanted))):
                group.create_task(work())
    return replies


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET  # noqa: PLR2004


async def _ask_one(hearer: Hearer, protocol: Protocol, address: str, wait_s: float) -> None:
    answered = hearer.expect(address)
    for _ in range(2):
        hearer.ask(protocol.questions(), address, protocol.port)
        try:
            async with asyncio.timeout(wait_s / 2):
                await answered.wait()
        except TimeoutError:
            continue
        return


@asynccontextmanager
async def _asking(protocol: Protocol, address: str, replies: Replies) -> AsyncIterator[Hearer]:
    async with AsyncExitStack() as stack:
        voice = await stack.enter_async_context(hearing(_voice(protocol, address), replies, only_expected=False))
        if protocol.answers_to_group:
            await stack.enter_async_context(hearing(_ear(protocol, address), replies, only_expected=False))
        yield voice


def _asked(protocol: Protocol, address: str) -> tuple[str, ...]:
    """A broadcast leaves by the interface whose address it is sent from; loopback has none."""
    if protocol.broadcast and not ip_address(address).is_loopback:
        return protocol.group, BROADCAST
    return (protocol.group,)


def told(protocol: str, sightings: Iterable[Sighting], replies: Replies) -> list[Sighting]:
    """What was seen, one for each device."""
    merged = merge(sightings)
    found = {"protocol": protocol, "sightings": len(merged), "ignored": dict(replies.ignored)}
    _log.info("discovery.done", extra=found)
    return merged
