"""WS-Discovery: who calls itself a camera, asked by multicast or address by address.

Devices answer to different types (older cameras to the first, newer ones to the second, some only to a probe without
any), and a datagram may get lost: every question is asked in all forms, more than once, each with its own message id.
"""

import asyncio
import socket
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from ipaddress import ip_address
from uuid import uuid4

from scanners.discovery.datagrams import Hearer, Protocol, Replies, hearing, open_socket, told
from scanners.discovery.probe_matches import SOURCE, read
from scanners.discovery.sightings import Sighting

PORT = 3702
GROUP = "239.255.255.250"

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


def _questions() -> Iterator[bytes]:
    for types in _TYPES:
        yield _PROBE.format(message_id=uuid4(), types=types).encode()


PROTOCOL = Protocol(SOURCE, GROUP, PORT, _questions, read)


async def probe_unicast(
    addresses: Iterable[str], wait_s: float, concurrency: int = 64, *, port: int = PORT
) -> list[Sighting]:
    """Each address asked by itself, at most `concurrency` at a time, each given up after `wait_s`.

    Most cameras answer this, and it crosses routers. An answer counts only where it comes from an address that was
    asked.
    """
    wanted = list(dict.fromkeys(addresses))
    families = {address: _family(address) for address in wanted}
    replies = Replies(read)
    async with AsyncExitStack() as stack:
        hearers = {
            family: await stack.enter_async_context(hearing(open_socket(family, ""), replies, only_expected=True))
            for family in dict.fromkeys(families.values())
        }
        queue = iter(wanted)

        async def work() -> None:
            for address in queue:
                await _ask_one(hearers[families[address]], address, wait_s, port)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(wanted))):
                group.create_task(work())
    return told(SOURCE, replies.sightings(), replies)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET  # noqa: PLR2004


async def _ask_one(hearer: Hearer, address: str, wait_s: float, port: int) -> None:
    answered = hearer.expect(address)
    for _ in range(2):
        hearer.ask(_questions(), address, port)
        try:
            async with asyncio.timeout(wait_s / 2):
                await answered.wait()
        except TimeoutError:
            continue
        return
