import pytest

from cameras.errors import Garbled
from scanners.discovery.probe_matches import choose_xaddr, mac, manufacturer, read, scope_values


def match(*, xaddrs: str = "http://10.0.0.5/d", scopes: str = "", epr: str = "urn:uuid:1") -> str:
    return (
        f"<d:ProbeMatch><a:EndpointReference><a:Address>{epr}</a:Address></a:EndpointReference>"
        f"<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>{scopes}</d:Scopes>"
        f"<d:XAddrs>{xaddrs}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>"
    )


def answer(*matches: str) -> bytes:
    return (
        '<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header/>'
        f"<s:Body><d:ProbeMatches>{''.join(matches)}</d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()


def test_reads_what_a_camera_announces() -> None:
    scopes = (
        "onvif://www.onvif.org/Profile/Streaming onvif://www.onvif.org/name/AXIS%20P3265-V "
        "onvif://www.onvif.org/hardware/P3265-V onvif://www.onvif.org/MAC/00-00-5E-00-53-0A"
    )
    (sighting,) = read(answer(match(scopes=scopes)), "10.0.0.5")
    assert (sighting.address, sighting.port, sighting.scheme, sighting.path) == ("10.0.0.5", 80, "http", "/d")
    assert (sighting.manufacturer, sighting.model, sighting.mac) == ("AXIS", "P3265-V", "00:00:5e:00:53:0a")
    assert (sighting.epr, sighting.sources, sighting.xaddrs) == (
        "urn:uuid:1",
        ("ws-discovery",),
        ("http://10.0.0.5/d",),
    )
    assert sighting.scopes == tuple(scopes.split())


def test_reads_several_devices_behind_one_address() -> None:
    found = read(answer(match(xaddrs="http://10.0.0.5:8001/d"), match(xaddrs="http://10.0.0.5:8002/d")), "10.0.0.5")
    assert [sighting.port for sighting in found] == [8001, 8002]


def test_reads_what_says_next_to_nothing() -> None:
    (sighting,) = read(answer("<d:ProbeMatch/>"), "10.0.0.5")
    assert (sighting.port, sighting.scheme, sighting.path, sighting.epr, sighting.xaddrs) == (
        None,
        None,
        None,
        None,
        (),
    )


BAD = {
    "nothing": b"",
    "no XML": b"M-SEARCH * HTTP/1.1\r\n\r\n",
    "half an answer": answer(match())[:200],
    "no match": answer(),
    "another message": answer(match()).replace(b"ProbeMatches", b"Hello"),
    "another namespace": answer(match()).replace(b"2005/04", b"2009/01"),
    "an entity that grows": b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + answer(match(epr="&a;")),
    "an entity that reads a file": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + answer(match(epr="&a;")),
    "a deep nest": answer("<d:ProbeMatch>" + "<d:x>" * 5000 + "</d:x>" * 5000 + "</d:ProbeMatch>"),
    "far too many matches": answer(*[match()] * 17),
    "far too many bytes": answer(match(scopes="x" * 40_000)),
}


@pytest.mark.parametrize("datagram", BAD.values(), ids=BAD)
def test_refuses(datagram: bytes) -> None:
    with pytest.raises(Garbled):
        read(datagram, "10.0.0.5")


def test_keeps_no_escape_no_secret_and_no_flood() -> None:
    many = " ".join(f"http://10.0.0.5/{n}" for n in range(1000))
    hostile = "http://admin:hunter2@10.0.0.5/d http://a:hunter2@[::1/ http://10.0.0.5/\u202ex " + "y" * 600 + " " + many
    (sighting,) = read(answer(match(xaddrs=hostile, scopes="s\u009b31m " * 500, epr="e\u0085" * 500)), "10.0.0.5")
    said = "".join((*sighting.xaddrs, *sighting.scopes, sighting.epr or ""))
    assert said.isprintable()
    assert "hunter2" not in said
    assert "\u202e" not in said
    assert len(sighting.xaddrs) <= 8
    assert len(said) < 8 * 512


XADDRS = {
    "its own": ("http://10.0.0.5/a", (80, "http", "/a")),
    "the one that names the sender": ("http://192.168.0.9/a https://10.0.0.5:444/b", (444, "https", "/b")),
    "none names the sender": ("http://192.168.0.9:81/a http://192.168.0.8/b", (81, "http", "/a")),
    "a host name": ("http://camera.local/a", (80, "http", "/a")),
    "TLS": ("https://10.0.0.5/a", (443, "https", "/a")),
    "no path": ("http://10.0.0.5", (80, "http", "/")),
    "a port said twice": ("http://10.0.0.5:8106:8106/a", (8106, "http", "/a")),
    "a broken one first": ("http://[::1/ http://10.0.0.5:99999/ http://10.0.0.5/a", (80, "http", "/a")),
    "another scheme": ("soap.udp://10.0.0.5:3702/ ftp://10.0.0.5/", (None, None, None)),
    "none": ("", (None, None, None)),
}


@pytest.mark.parametrize(("xaddrs", "expected"), XADDRS.values(), ids=XADDRS)
def test_asks_at(xaddrs: str, expected: tuple[object, ...]) -> None:
    assert choose_xaddr(xaddrs.split(), "10.0.0.5") == expected


def test_asks_an_ipv6_sender_at_its_own_address() -> None:
    assert choose_xaddr(["http://10.0.0.5/a", "http://[2001:db8::5]:81/b"], "2001:db8::5") == (81, "http", "/b")


MAKERS = {
    "its own scope": ({"manufacturer": "Acme", "name": "AXIS P1", "hardware": "P1"}, "Acme"),
    "the name before the model": ({"name": "HIKVISION DS-2CD", "hardware": "DS-2CD"}, "HIKVISION"),
    "a name that is only the model": ({"name": "DS-2CD", "hardware": "DS-2CD"}, None),
    "a name that somebody gave": ({"name": "Front door", "hardware": "DS-2CD"}, None),
    "a name without a model": ({"name": "AXIS P1"}, None),
    "nothing": ({}, None),
}


@pytest.mark.parametrize(("said", "expected"), MAKERS.values(), ids=MAKERS)
def test_the_manufacturer_is(said: dict[str, str], expected: str | None) -> None:
    assert manufacturer(said) == expected


MACS = {
    "with colons": ("00:00:5E:00:53:0A", "00:00:5e:00:53:0a"),
    "with dashes": ("00-00-5e-00-53-0a", "00:00:5e:00:53:0a"),
    "with dots": ("0000.5e00.530a", "00:00:5e:00:53:0a"),
    "bare": ("00005E00530A", "00:00:5e:00:53:0a"),
    "too short": ("00:00:5e", None),
    "no digits": ("zz:zz:zz:zz:zz:zz", None),
    "all zeros": ("00:00:00:00:00:00", None),
    "everybody": ("ff:ff:ff:ff:ff:ff", None),
    "none": (None, None),
}


@pytest.mark.parametrize(("text", "expected"), MACS.values(), ids=MACS)
def test_a_mac(text: str | None, expected: str | None) -> None:
    assert mac(text) == expected


def test_scopes_are_decoded_and_cleaned() -> None:
    scopes = (
        "ONVIF://www.onvif.org/Name/K%C3%BCche%20%1b%5B31m",
        "onvif://www.onvif.org/name/second",
        "onvif://www.onvif.org/location/",
        "onvif://www.onvif.org/hardware/%ff%fe",
        "http://elsewhere.example/mac/x",
    )
    assert scope_values(scopes) == {"name": "Küche \ufffd[31m", "hardware": "\ufffd\ufffd"}
