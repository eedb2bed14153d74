"""Packets made by hand, so that the library that reads them did not write them too."""

import random
import socket
import struct

import pytest

from cameras.errors import Garbled
from scanners.discovery.mdns import PROTOCOL, SERVICES, read

A, PTR, TXT, AAAA, SRV = 1, 12, 16, 28, 33
AXIS = "_axis-video._tcp.local"
INSTANCE = ("AXIS P3265-V - 00005E00530A", AXIS)


def name(*labels: str) -> bytes:
    """The first label may hold dots; the rest are parted by them."""
    first, *rest = labels
    parts = [first, *(part for more in rest for part in more.split("."))] if rest else first.split(".")
    return b"".join(bytes([len(part.encode())]) + part.encode() for part in parts) + b"\0"


def record(owner: bytes, kind: int, data: bytes, *, length: int | None = None) -> bytes:
    return owner + struct.pack("!HHIH", kind, 1, 120, len(data) if length is None else length) + data


def packet(*records: bytes, flags: int = 0x8400, count: int | None = None) -> bytes:
    return struct.pack("!6H", 0, flags, 0, len(records) if count is None else count, 0, 0) + b"".join(records)


def strings(*words: bytes) -> bytes:
    return b"".join(bytes([len(word)]) + word for word in words)


PTR_RECORD = record(name(AXIS), PTR, name(*INSTANCE))
SRV_RECORD = record(name(*INSTANCE), SRV, struct.pack("!3H", 0, 0, 8080) + name("axis-00005e00530a.local"))
TXT_RECORD = record(name(*INSTANCE), TXT, strings(b"a=b", b"macaddress=00005E00530A"))
A_RECORD = record(name("axis-00005e00530a.local"), A, socket.inet_aton("192.168.0.90"))
WHOLE = packet(PTR_RECORD, SRV_RECORD, TXT_RECORD, A_RECORD)


def test_reads_what_a_camera_announces() -> None:
    (sighting,) = read(WHOLE, "10.0.0.5")
    assert (sighting.address, sighting.port, sighting.scheme, sighting.path) == ("10.0.0.5", 8080, None, None)
    assert (sighting.manufacturer, sighting.model, sighting.mac) == ("AXIS", "P3265-V", "00:00:5e:00:53:0a")
    assert (sighting.sources, sighting.xaddrs) == (("mdns",), ("http://192.168.0.90:8080/",))
    assert sighting.scopes == ("_axis-video._tcp.local.",)


def of(service: str, port: int = 80) -> list[bytes]:
    return [
        record(name(service), PTR, name("Front. door", service)),
        record(name("Front. door", service), SRV, struct.pack("!3H", 0, 0, port) + name("camera.local")),
    ]


ODD: dict[str, tuple[bytes, dict[str, object]]] = {
    "the pointer alone": (packet(PTR_RECORD), {"port": None, "mac": None, "model": "P3265-V", "xaddrs": ()}),
    "the text alone": (packet(TXT_RECORD), {"mac": "00:00:5e:00:53:0a", "scopes": ("_axis-video._tcp.local.",)}),
    "another name": (packet(*of(AXIS)), {"manufacturer": "AXIS", "model": None, "port": 80}),
    "a recorder": (packet(*of("_axis-nvr._tcp.local")), {"manufacturer": "AXIS", "port": 80}),
    "PSIA": (packet(*of("_psia._tcp.local", 81)), {"manufacturer": None, "port": 81}),
    "CGI in capitals": (packet(*of("_CGI._tcp.local", 82)), {"port": 82, "scopes": ("_cgi._tcp.local.",)}),
    "a stream's port is not for questions": (packet(*of("_rtsp._tcp.local", 554)), {"port": None}),
    "HTTPS": (
        packet(*of(AXIS, 443), record(name("camera.local"), A, bytes((10, 0, 0, 9)))),
        {"port": 443, "xaddrs": ("https://10.0.0.9:443/",)},
    ),
    "several services": (
        packet(*of("_rtsp._tcp.local", 554), *of("_psia._tcp.local", 8000)),
        {"port": 8000, "scopes": ("_rtsp._tcp.local.", "_psia._tcp.local.")},
    ),
    "port 0": (packet(*of(AXIS, 0)), {"port": None}),
    "a text that is no text": (packet(PTR_RECORD, record(name(*INSTANCE), TXT, b"\xffmacaddress=")), {"mac": None}),
    "a text without a MAC": (packet(record(name(*INSTANCE), TXT, strings(b"macaddress=\xff"))), {"mac": None}),
    "many addresses": (
        packet(PTR_RECORD, *(record(name("a.local"), A, bytes((10, 0, 0, n))) for n in range(1, 50))),
        {"xaddrs": tuple(f"http://10.0.0.{n}:80/" for n in range(1, 9))},
    ),
    "cut off behind the first record": (
        packet(PTR_RECORD, SRV_RECORD[:-9], count=2),
        {"model": "P3265-V", "port": None},
    ),
}


@pytest.mark.parametrize(("datagram", "expected"), ODD.values(), ids=ODD)
def test_reads_odd_answers(datagram: bytes, expected: dict[str, object]) -> None:
    (sighting,) = read(datagram, "10.0.0.5")
    assert {field: getattr(sighting, field) for field in expected} == expected


BAD = {
    "nothing": b"",
    "no DNS": b"HTTP/1.1 200 OK\r\n\r\n",
    "half a header": WHOLE[:7],
    "a question": packet(PTR_RECORD, flags=0),
    "our own question": next(iter(PROTOCOL.questions())),
    "no record": packet(),
    "a printer": packet(*of("_ipp._tcp.local", 631)),
    "an address alone": packet(A_RECORD),
    "a service without an instance": packet(record(name("_services._dns-sd._udp.local"), PTR, name(AXIS))),
    "a name that points to itself": packet(b"\xc0\x0c" + PTR_RECORD),
    "names that point to each other": packet(b"\xc0\x0e\xc0\x0c" + PTR_RECORD),
    "a name that points out of it": packet(b"\xff\xff" + PTR_RECORD),
    "a length beyond what came": packet(record(name(AXIS), PTR, b"\x3fx", length=65535)),
    "more records announced than there is room for": packet(PTR_RECORD, count=60_000),
    "far too many bytes": packet(PTR_RECORD, *[A_RECORD] * 300),
}


@pytest.mark.parametrize("datagram", BAD.values(), ids=BAD)
def test_refuses(datagram: bytes) -> None:
    with pytest.raises(Garbled):
        read(datagram, "10.0.0.5")


def test_keeps_no_escape_and_no_flood() -> None:
    label = "AXIS \u202e\x1b[31mP1 - 00005E00530A"
    (sighting,) = read(packet(record(name(AXIS), PTR, name(label, AXIS))), "10.0.0.5")
    assert sighting.model
    assert sighting.model.isprintable()
    assert "\u202e" not in sighting.model


def test_no_noise_is_more_than_garbled() -> None:
    dice = random.Random(7)  # noqa: S311 - reproducible on purpose
    for _ in range(2000):
        noise = bytearray(WHOLE)
        for _ in range(dice.randint(1, 6)):
            noise[dice.randrange(2, len(noise))] = dice.randrange(256)
        try:
            found = read(bytes(noise), "10.0.0.5")
        except Garbled:
            continue
        assert [one.address for one in found] == ["10.0.0.5"]


def test_asks_for_all_services_at_once() -> None:
    (question,) = PROTOCOL.questions()
    number, flags, questions, *others = struct.unpack("!6H", question[:12])
    assert (number, flags, questions, others) == (0, 0, len(SERVICES), [0, 0, 0])
    assert question[12:].startswith(name(AXIS) + struct.pack("!HH", PTR, 1))
    assert (PROTOCOL.group, PROTOCOL.port, PROTOCOL.ttl) == ("224.0.0.251", 5353, 255)
