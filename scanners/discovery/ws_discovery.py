"""WS-Discovery: who calls itself a camera, asked by multicast or address by address.

Devices answer to different types (older cameras to the first, newer ones to the second, some only to a probe without
any), and a datagram may get lost: every question is asked in all forms, more than once, each with its own message id.
"""

import asyncio
import logging
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address
from typing import cast
from uuid import uuid4

from cameras.errors import Garbled
from scanners.discovery import interfaces as network
from scanners.discovery.probe_matches import read
from scanners.discovery.sightings import Sighting, merge

PORT = 3702
GROUP = "239.255.255.250"
ROUNDS = 3
MOST_PER_SENDER = 64
MOST_DEVICES_PER_SENDER = 32
MOST_SENDERS = 65536

_TYPES = (
    '<d:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">dn:NetworkVideoTransmitter</d:Types>',
    '<d:Types xmlns:tds="http://www.onvif.org/ver10/device/wsdl">tds:Device</d:Types>',
    "",
)
_PROBE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
    "<s:Header><a:MessageID>urn:uuid:{message_id}</a:MessageID>"
    "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
    "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header>"
    "<s:Body><d:Probe>{types}</d:Probe></s:Body></s:Envelope>"
)

_log = logging.getLogger(__name__)


class Replies:
    """What came back so far. No sender gets more than its share; `ignored` counts why datagrams were not heard."""

    def __init__(self) -> None:
        self.ignored: Counter[str] = Counter()
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
            sightings = self._sightings.get(sender, set()).union(read(datagram, sender))
        except Garbled:
            self.ignored["garbled"] += 1
            return False
        if len(sightings) > MOST_DEVICES_PER_SENDER:
            self.ignored["too-many-devices"] += 1
            return False
        self._sightings[sender] = sightings
        return True

    def sightings(self) -> list[Sighting]:
        return merge(sighting for from_one in self._sightings.values() for sighting in from_one)


class _Hearer(asyncio.DatagramProtocol):
    """One socket: asks, and hands what comes back to `replies`. `only_expected` hears nobody that was not asked."""

    def __init__(self, replies: Replies, *, only_expected: bool) -> None:
        self._replies = replies
        self._only_expected = only_expected
        self._answered: dict[str, asyncio.Event] = {}
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Before Python 3.12 the loop's datagram transport is no DatagramTransport by class, so it cannot be asked for.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def ask(self, address: str, port: int) -> None:
        """One probe of each form. A send that fails (no route) is as good as no answer."""
        if self._transport is not None:
            for types in _TYPES:
                self._transport.sendto(_PROBE.format(message_id=uuid4(), types=types).encode(), (address, port))

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
async def _hearing(sock: socket.socket, replies: Replies, *, only_expected: bool) -> AsyncIterator[_Hearer]:
    loop = asyncio.get_running_loop()
    transport, hearer = await loop.create_datagram_endpoint(
        lambda: _Hearer(replies, only_expected=only_expected), sock=sock
    )
    try:
        yield hearer
    finally:
        transport.abort()
        await asyncio.sleep(0)  # the socket closes in the loop's next round


def _multicast_socket(address: str) -> socket.socket:
    """Sends from this interface only, and not beyond the first router."""
    sock = _socket(socket.AF_INET, address)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
    return sock


def _socket(family: socket.AddressFamily, address: str) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((address, 0))
    except OSError:
        sock.close()
        raise
    return sock


async def probe_multicast(interfaces: Sequence[str] | None, wait_s: float, *, port: int = PORT) -> list[Sighting]:
    """Everyone who answers on these interfaces (names or addresses; `None` is all but loopback) within `wait_s`.

    IPv4 only. Raises `interfaces.InterfaceError` for an interface that does not exist.
    """
    addresses = network.addresses(interfaces)
    if not addresses:
        return []
    replies = Replies()
    end = asyncio.get_running_loop().time() + wait_s
    async with AsyncExitStack() as stack:
        hearers = [
            await stack.enter_async_context(_hearing(_multicast_socket(address), replies, only_expected=False))
            for address in addresses
        ]
        for _ in range(ROUNDS):
            for hearer in hearers:
                hearer.ask(GROUP, port)
            await asyncio.sleep(min(random.uniform(0.05, 0.5), wait_s / ROUNDS))  # noqa: S311 - keeps scanners apart
        await asyncio.sleep(max(0.0, end - asyncio.get_running_loop().time()))
    return _told(replies)


async def probe_unicast(
    addresses: Iterable[str], wait_s: float, concurrency: int = 64, *, port: int = PORT
) -> list[Sighting]:
    """Each address asked by itself, at most `concurrency` at a time, each given up after `wait_s`.

    Most cameras answer this, and it crosses routers. An answer counts only where it comes from an address that was
    asked.
    """
    wanted = list(dict.fromkeys(addresses))
    families = {address: _family(address) for address in wanted}
    replies = Replies()
    async with AsyncExitStack() as stack:
        hearers = {
            family: await stack.enter_async_context(_hearing(_socket(family, ""), replies, only_expected=True))
            for family in dict.fromkeys(families.values())
        }
        queue = iter(wanted)

        async def work() -> None:
            for address in queue:
                await _ask_one(hearers[families[address]], address, wait_s, port)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(wanted))):
                group.create_task(work())
    return _told(replies)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET  # noqa: PLR2004


async def _ask_one(hearer: _Hearer, address: str, wait_s: float, port: int) -> None:
    answered = hearer.expect(address)
    for _ in range(2):
        hearer.ask(address, port)
        try:
            async with asyncio.timeout(wait_s / 2):
                await answered.wait()
        except TimeoutError:
            continue
        return


def _told(replies: Replies) -> list[Sighting]:
    sightings = replies.sightings()
    _log.info("ws-discovery.done", extra={"sightings": len(sightings), "ignored": dict(replies.ignored)})
    return sightings
