"""mDNS (Bonjour): services whose names tell of a camera.

We ask from a port of our own, as RFC 6762 §6.7 has it for those who ask once: the answers come back to us alone, and
nothing that already listens on port 5353 here is disturbed.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from zeroconf._dns import DNSAddress, DNSPointer, DNSQuestion, DNSRecord, DNSService, DNSText
from zeroconf._protocol.incoming import DNSIncoming
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.const import _CLASS_IN, _FLAGS_QR_QUERY, _TYPE_A, _TYPE_PTR

from cameras.errors import Garbled
from cameras.untrusted import clean_text
from scanners.discovery.datagrams import Protocol
from scanners.discovery.probe_matches import mac
from scanners.discovery.sightings import Sighting, claimed, port_number

SOURCE = "mdns"
PORT = 5353
GROUP = "224.0.0.251"
MOST_BYTES = 9000
MOST_RECORDS = 128
MOST_CLAIMS = 8

# Each with whether its port is that of the web server. Axis, Hikvision and others, Arecont Vision.
SERVICES: Mapping[str, bool] = MappingProxyType(
    {
        "_axis-video._tcp.local.": True,
        "_axis-nvr._tcp.local.": True,
        "_psia._tcp.local.": True,
        "_cgi._tcp.local.": True,
        "_arec._tcp.local.": True,
        "_rtsp._tcp.local.": False,
    }
)
_OF_AXIS = ("_axis-video._tcp.local.", "_axis-nvr._tcp.local.")
_AXIS_NAME = re.compile(r"AXIS (?P<model>.{1,60}) - [0-9A-F]{12}")


def read(datagram: bytes, sender: str) -> list[Sighting]:
    """The device that one answer announces by these services. Raises Garbled where it tells of none."""
    if len(datagram) > MOST_BYTES:
        raise Garbled(f"the answer is larger than {MOST_BYTES} bytes")
    message = DNSIncoming(datagram)
    if not message.valid or not message.is_response():
        raise Garbled("no answer in DNS")
    records = message.answers()[:MOST_RECORDS]
    instances = dict.fromkeys(name for record in records if (name := _instance(record)))
    if not instances:
        raise Garbled("the answer names no service of a camera")
    services = tuple(dict.fromkeys(_service(name) for name in instances))
    ports = [
        record.port
        for record in records
        if isinstance(record, DNSService) and SERVICES.get(_service(record.name), False)
    ]
    port = next((port for port in ports if port_number(port)), None)
    texts = (record.text for record in records if isinstance(record, DNSText) and _instance(record))
    addresses = [
        ".".join(map(str, record.address))
        for record in records
        if isinstance(record, DNSAddress) and record.type == _TYPE_A
    ]
    models = [match["model"] for name in instances if (match := _AXIS_NAME.match(name))]
    return [
        Sighting(
            address=sender,
            port=port,
            sources=(SOURCE,),
            xaddrs=tuple(dict.fromkeys(url for host in addresses[:MOST_CLAIMS] for url in claimed(host, port))),
            scopes=services,
            manufacturer="AXIS" if any(service in _OF_AXIS for service in services) else None,
            model=clean_text(models[0]) if models else None,
            mac=next((found for text in texts if (found := _mac(text))), None),
        )
    ]


def _instance(record: DNSRecord) -> str | None:
    """The name of a camera's service that this record tells of."""
    name = record.alias if isinstance(record, DNSPointer) else record.name
    told = isinstance(record, DNSPointer | DNSService | DNSText)
    return name if told and _service(name) in SERVICES else None


def _service(name: str) -> str:
    """The last four labels: the first, which a person gives, may hold dots of its own."""
    return ".".join(name.lower().rsplit(".", 4)[1:])


def _mac(text: bytes) -> str | None:
    """`macaddress=` among strings that carry their length."""
    while text:
        entry, text = text[1 : 1 + text[0]], text[1 + text[0] :]
        key, _, value = entry.partition(b"=")
        if key.lower() == b"macaddress":
            return mac(value.decode("ascii", "replace"))
    return None


def _questions() -> Iterable[bytes]:
    asking = DNSOutgoing(_FLAGS_QR_QUERY, multicast=False)
    for service in SERVICES:
        asking.add_question(DNSQuestion(service, _TYPE_PTR, _CLASS_IN))
    return asking.packets()


# Old responders hear nothing that may have come over a router: they want the highest hop count.
PROTOCOL = Protocol(SOURCE, GROUP, PORT, _questions, read, ttl=255)
