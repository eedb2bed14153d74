import json
import struct

import pytest

from cameras.errors import Garbled
from scanners.discovery.dhdiscover import PROTOCOL, read

# The fields that a door station was seen to send, with another MAC and serial number.
SEEN: dict[str, object] = {
    "AlarmInputChannels": 8,
    "DeviceClass": "VTO",
    "DeviceType": "VTO2000A",
    "Find": "BC",
    "HttpPort": 80,
    "IPv4Address": {"DefaultGateway": "192.168.0.4", "DhcpEnable": False, "IPAddress": "192.168.0.232"},
    "Init": 150,
    "MachineName": "3C06520PAN00001",
    "Manufacturer": "General",
    "Port": 37777,
    "SerialNo": "3C06520PAN00001",
    "Vendor": "General",
    "Version": "3.120.0000.0.R",
}


def framed(body: bytes, *, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"\x20\0\0\0DHIP" + bytes(8) + struct.pack("<IIII", size, 0, size, 0) + body


def message(method: str = "client.notifyDevInfo", mac: object = "00:00:5e:00:53:0a", **changed: object) -> bytes:
    return json.dumps({"mac": mac, "method": method, "params": {"deviceInfo": {**SEEN, **changed}}}).encode()


def test_reads_what_a_device_announces() -> None:
    (sighting,) = read(framed(message() + b"\n\0"), "10.0.0.5")
    assert (sighting.address, sighting.port, sighting.scheme, sighting.path) == ("10.0.0.5", 80, "http", None)
    assert (sighting.manufacturer, sighting.model, sighting.serial) == ("General", "VTO2000A", "3C06520PAN00001")
    assert (sighting.mac, sighting.activated) == ("00:00:5e:00:53:0a", True)
    assert (sighting.sources, sighting.xaddrs) == (("dhdiscover",), ("http://192.168.0.232:80/",))


ODD = {
    "never set up": (framed(message(Init=149)), {"activated": False}),
    "from before there was a set-up": (framed(message(Init=148)), {"activated": None}),
    "no word of a set-up": (framed(message(Init="2")), {"activated": None}),
    "a set-up beyond all bits": (framed(message(Init=2**70 + 1)), {"activated": False}),
    "no length": (framed(message(), length=0), {"model": "VTO2000A"}),
    "zeros between header and body": (framed(bytes(8) + message()), {"model": "VTO2000A"}),
    "bytes that are no UTF-8": (
        framed(message(Vendor="General").replace(b"General", b"\xff\xfe")),
        {"manufacturer": "\ufffd\ufffd"},
    ),
    "no port": (framed(message(HttpPort=0)), {"port": None, "scheme": None}),
    "a port that is none": (framed(message(HttpPort=True)), {"port": None}),
    "a port below all ports": (framed(message(HttpPort=-80)), {"port": None}),
    "no address": (framed(message(IPv4Address={})), {"address": "10.0.0.5", "xaddrs": ()}),
    "an address of another kind": (framed(message(IPv4Address="192.168.0.232")), {"xaddrs": ()}),
    "an address with a path": (framed(message(IPv4Address={"IPAddress": "1.2.3.4/x"})), {"xaddrs": ()}),
    "a MAC of another kind": (framed(message(mac=7)), {"mac": None}),
    "names of another kind": (
        framed(message(DeviceType=[], SerialNo={}, Vendor=None)),
        {"model": None, "serial": None, "manufacturer": None},
    ),
}


@pytest.mark.parametrize(("datagram", "expected"), ODD.values(), ids=ODD)
def test_reads_odd_answers(datagram: bytes, expected: dict[str, object]) -> None:
    (sighting,) = read(datagram, "10.0.0.5")
    assert {name: getattr(sighting, name) for name in expected} == expected


BAD = {
    "nothing": b"",
    "a header alone": framed(b""),
    "bare JSON": message(),
    "another protocol": framed(message()).replace(b"DHIP", b"PIHD"),
    "our own question": next(iter(PROTOCOL.questions())),
    "half an answer": framed(message())[:200],
    "a length beyond what came": framed(message(), length=2**32 - 1),
    "a missing quote": framed(message().replace(b'"Vendor": "General"', b'"Vendor": "General')),
    "a list": framed(b"[]"),
    "a number": framed(b"1"),
    "no device": framed(b'{"method":"client.notifyDevInfo","params":{}}'),
    "no parameters": framed(b'{"method":"client.notifyDevInfo","params":null}'),
    "a device of another kind": framed(b'{"method":"client.notifyDevInfo","params":{"deviceInfo":[]}}'),
    "another method": framed(message("client.notifySomethingElse")),
    "a deep nest": framed(b"[" * 20_000),
    "a number of many digits": framed(message().replace(b"150", b"1" * 10_000)),
    "far too many bytes": framed(message(Vendor="x" * 40_000)),
}


@pytest.mark.parametrize("datagram", BAD.values(), ids=BAD)
def test_refuses(datagram: bytes) -> None:
    with pytest.raises(Garbled):
        read(datagram, "10.0.0.5")


def test_keeps_no_escape_and_no_flood() -> None:
    hostile = "a\u202e\x1b[31m" * 500
    (sighting,) = read(framed(message(DeviceType=hostile, SerialNo=hostile, Vendor=hostile)), "10.0.0.5")
    said = "".join((sighting.model or "", sighting.serial or "", sighting.manufacturer or ""))
    assert said.isprintable()
    assert "\u202e" not in said
    assert len(said) <= 300


def test_asks_with_the_header_that_devices_want() -> None:
    told = [question for question in PROTOCOL.questions() if question == framed(question[32:])]
    asked = [json.loads(question[32:]) for question in told]
    assert [one["method"] for one in asked] == ["DHDiscover.search"] * 2
    assert [one["params"] for one in asked] == [{"mac": "", "uni": 1}, {"mac": "", "uni": 0}]
    assert (PROTOCOL.group, PROTOCOL.port, PROTOCOL.broadcast) == ("239.255.255.251", 37810, True)
