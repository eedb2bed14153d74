"""WS-Discovery: who calls itself a camera, asked by multicast or address by address.

Devices answer to different types (older cameras to the first, newer ones to the second, some only to a probe without
any), and a datagram may get lost: every question is asked in all forms, more than once, each with its own message id.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from uuid import uuid4

from scanners.discovery.datagrams import Protocol, ask_each, told
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
    """Each address asked by itself, as `ask_each` does it. Most cameras answer this."""
    replies = await ask_each(replace(PROTOCOL, port=port), addresses, wait_s, concurrency)
    return told(SOURCE, replies.sightings(), replies)
