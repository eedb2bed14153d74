import re

import pytest

from cameras.errors import Garbled
from scanners.discovery.sadp import PROTOCOL, read

ANSWER = """<?xml version="1.0" encoding="UTF-8"?>
<ProbeMatch>
<Uuid>1F9B2A6C-4E1D-4F5A-9C3E-7A2B5D8E0C11</Uuid>
<Types>inquiry</Types>
<DeviceType>138</DeviceType>
<DeviceDescription>DS-2CD2143G2-I</DeviceDescription>
<DeviceSN>DS-2CD2143G2-I20220112AAWRJ12345678</DeviceSN>
<CommandPort>8000</CommandPort>
<HttpPort>8080</HttpPort>
<MAC>00-00-5e-00-53-0a</MAC>
<IPv4Address>192.168.1.64</IPv4Address>
<IPv4SubnetMask>255.255.255.0</IPv4SubnetMask>
<IPv4Gateway>192.168.1.1</IPv4Gateway>
<IPv6Address>::</IPv6Address>
<DHCP>false</DHCP>
<SoftwareVersion>V5.7.3build 220112</SoftwareVersion>
<BootTime>2026-07-19 06:14:02</BootTime>
<Activated>true</Activated>
<PasswordResetAbility>true</PasswordResetAbility>
</ProbeMatch>
"""


def answer(**said: str) -> bytes:
    text = ANSWER
    for name, value in said.items():
        before, opening, rest = text.partition(f"<{name}>")
        text = before + opening + value + rest[rest.index("</") :]
    return text.encode()


def test_reads_what_a_camera_announces() -> None:
    (sighting,) = read(answer(), "10.0.0.5")
    assert (sighting.address, sighting.port, sighting.scheme, sighting.path) == ("10.0.0.5", 8080, "http", None)
    assert (sighting.model, sighting.mac) == ("DS-2CD2143G2-I", "00:00:5e:00:53:0a")
    assert sighting.serial == "DS-2CD2143G2-I20220112AAWRJ12345678"
    assert (sighting.sources, sighting.xaddrs) == (("sadp",), ("http://192.168.1.64:8080/",))
    assert (sighting.manufacturer, sighting.activated, sighting.epr) == (None, True, None)


ACTIVATED = {
    "set up": ("true", True),
    "never set up": ("false", False),
    "never set up, written as seen": ("flase", False),
    "in capitals": ("FALSE", False),
    "in other words": ("maybe", None),
    "not said": ("", None),
}


@pytest.mark.parametrize(("word", "expected"), ACTIVATED.values(), ids=ACTIVATED)
def test_tells_whether_it_was_set_up(word: str, expected: bool | None) -> None:
    (sighting,) = read(answer(Activated=word), "10.0.0.5")
    assert sighting.activated is expected


ODD = {
    "a zero byte behind it": (answer() + b"\0", {"port": 8080}),
    "in a namespace": (answer().replace(b"<ProbeMatch>", b'<ProbeMatch xmlns="urn:x">'), {"port": 8080}),
    "names in other letters": (
        answer().replace(b"DeviceSN", b"deviceSn"),
        {"serial": "DS-2CD2143G2-I20220112AAWRJ12345678"},
    ),
    "sold under another name": (answer(DHCP="false</DHCP><OEMInfo>HiLook</OEMInfo><DHCP>"), {"manufacturer": "HiLook"}),
    "no port": (answer(HttpPort="0"), {"port": None, "scheme": None, "xaddrs": ("http://192.168.1.64:80/",)}),
    "a port beyond all ports": (answer(HttpPort="65536"), {"port": None}),
    "a port in words": (answer(HttpPort="eighty"), {"port": None}),
    "a port in many digits": (answer(HttpPort="8" * 5000), {"port": None}),
    "no address": (answer(IPv4Address="0.0.0.0"), {"address": "10.0.0.5", "xaddrs": ()}),  # noqa: S104
    "a name for an address": (answer(IPv4Address="metadata.internal"), {"address": "10.0.0.5", "xaddrs": ()}),
    "no MAC": (answer(MAC="00-00-00-00-00-00"), {"mac": None}),
    "nothing but itself": (b"<ProbeMatch/>", {"port": None, "model": None, "serial": None, "activated": None}),
}


@pytest.mark.parametrize(("datagram", "expected"), ODD.values(), ids=ODD)
def test_reads_odd_answers(datagram: bytes, expected: dict[str, object]) -> None:
    (sighting,) = read(datagram, "10.0.0.5")
    assert {name: getattr(sighting, name) for name in expected} == expected


BAD = {
    "nothing": b"",
    "no XML": b"DHIP",
    "our own question": next(iter(PROTOCOL.questions())),
    "half an answer": answer()[:400],
    "an entity that grows": b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + answer(DeviceSN="&a;"),
    "an entity that reads a file": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + answer(DeviceSN="&a;"),
    "a deep nest": b"<ProbeMatch>" + b"<x>" * 3000 + b"</x>" * 3000 + b"</ProbeMatch>",
    "far too many bytes": answer(DeviceSN="x" * 40_000),
}


@pytest.mark.parametrize("datagram", BAD.values(), ids=BAD)
def test_refuses(datagram: bytes) -> None:
    with pytest.raises(Garbled):
        read(datagram, "10.0.0.5")


def test_keeps_no_escape_and_no_flood() -> None:
    (sighting,) = read(answer(DeviceDescription="a\u202e\u009b31m" * 900, DeviceSN="s\u0085" * 900), "10.0.0.5")
    said = (sighting.model or "") + (sighting.serial or "")
    assert said.isprintable()
    assert "\u202e" not in said
    assert len(said) <= 200


def test_asks_as_the_vendors_tool_does() -> None:
    (question,) = PROTOCOL.questions()
    assert re.fullmatch(
        rb'<\?xml version="1.0" encoding="utf-8"\?><Probe><Uuid>[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}</Uuid>'
        rb"<Types>inquiry</Types></Probe>",
        question,
    )
    assert (PROTOCOL.group, PROTOCOL.port) == ("239.255.255.250", 37020)
