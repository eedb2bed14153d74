import itertools
import random
import time
from dataclasses import replace

import pytest

from scanners.discovery.sightings import Sighting, merge, says_camera

NOTHING = Sighting(address="10.0.0.5", sources=("sweep",))
SAID = replace(
    NOTHING,
    port=80,
    scheme="http",
    path="/onvif/device_service",
    sources=("ws-discovery",),
    xaddrs=("http://10.0.0.5/onvif/device_service",),
    scopes=("onvif://www.onvif.org/hardware/P1",),
    model="P1",
    mac="00:00:5e:00:53:01",
    epr="urn:uuid:1",
)
ELSEWHERE = replace(SAID, address="10.0.0.6", xaddrs=("http://10.0.0.6/onvif/device_service",))
ANNOUNCED = replace(
    SAID, path=None, sources=("sadp",), xaddrs=(), scopes=(), model=None, epr=None, serial="S1", activated=False
)
NUMBERED = Sighting(address="10.0.0.5", sources=("ssdp",), manufacturer="Acme", serial="S1")

ROWS = {
    "nothing": ([], []),
    "the same twice": ([SAID, SAID], [SAID]),
    "one address seen in two ways": ([NOTHING, SAID], [replace(SAID, sources=("sweep", "ws-discovery"))]),
    "one address that tells more the second time": (
        [replace(SAID, model=None, mac=None), replace(SAID, scopes=("b",), xaddrs=("c",))],
        [replace(SAID, scopes=("onvif://www.onvif.org/hardware/P1", "b"), xaddrs=(SAID.xaddrs[0], "c"))],
    ),
    "one address with two endpoint references": ([SAID, replace(SAID, epr="urn:uuid:2")], [SAID]),
    "two ports of one address": (
        [SAID, replace(SAID, port=8000, epr="urn:uuid:2", mac=None)],
        [SAID, replace(SAID, port=8000, epr="urn:uuid:2", mac=None)],
    ),
    "two ports of one address, and the address itself": (
        [NOTHING, SAID, replace(SAID, port=8000, epr="urn:uuid:2", mac=None)],
        [
            replace(SAID, sources=("sweep", "ws-discovery")),
            replace(SAID, port=8000, epr="urn:uuid:2", mac=None, sources=("sweep", "ws-discovery")),
        ],
    ),
    "two ports of one device": ([SAID, replace(SAID, port=443, scheme="https")], [SAID]),
    "one device with two addresses": (
        [SAID, ELSEWHERE],
        [replace(SAID, xaddrs=(*SAID.xaddrs, *ELSEWHERE.xaddrs, "http://10.0.0.6:80/onvif/device_service"))],
    ),
    "two addresses with a cloned reference and no MAC": (
        [replace(SAID, mac=None), replace(ELSEWHERE, mac=None)],
        [replace(SAID, mac=None), replace(ELSEWHERE, mac=None)],
    ),
    "two addresses with a cloned reference and another MAC": (
        [SAID, replace(ELSEWHERE, mac="00:00:5e:00:53:02")],
        [SAID, replace(ELSEWHERE, mac="00:00:5e:00:53:02")],
    ),
    "two addresses with a cloned MAC and another reference": (
        [SAID, replace(ELSEWHERE, epr="urn:uuid:2")],
        [SAID, replace(ELSEWHERE, epr="urn:uuid:2")],
    ),
    "one camera by several protocols": (
        [SAID, ANNOUNCED, replace(ANNOUNCED, port=None, sources=("ssdp",), serial=None)],
        [replace(SAID, sources=("sadp", "ssdp", "ws-discovery"), serial="S1", activated=False)],
    ),
    "one camera that was moved while it was asked": (
        [replace(SAID, epr=None), replace(ANNOUNCED, address="10.0.0.6")],
        [
            replace(
                SAID,
                epr=None,
                sources=("sadp", "ws-discovery"),
                xaddrs=(*SAID.xaddrs, "http://10.0.0.6:80/"),
                serial="S1",
                activated=False,
            )
        ],
    ),
    "one camera by serial number and manufacturer": (
        [NUMBERED, replace(NUMBERED, address="10.0.0.6", manufacturer="ACME")],
        [replace(NUMBERED, xaddrs=("http://10.0.0.6:80/",))],
    ),
    "two makers with the same serial number": (
        [NUMBERED, replace(NUMBERED, address="10.0.0.6", manufacturer="Other")],
        [NUMBERED, replace(NUMBERED, address="10.0.0.6", manufacturer="Other")],
    ),
    "the same serial number of nobody": (
        [replace(NUMBERED, manufacturer=None), replace(NUMBERED, address="10.0.0.6", manufacturer=None)],
        [replace(NUMBERED, manufacturer=None), replace(NUMBERED, address="10.0.0.6", manufacturer=None)],
    ),
    "a cloned MAC with another serial number": (
        [ANNOUNCED, replace(ANNOUNCED, address="10.0.0.6", serial="S2")],
        [ANNOUNCED, replace(ANNOUNCED, address="10.0.0.6", serial="S2")],
    ),
    "a cloned serial number with another MAC": (
        [replace(NUMBERED, mac=SAID.mac), replace(NUMBERED, address="10.0.0.6", mac="00:00:5e:00:53:02")],
        [replace(NUMBERED, mac=SAID.mac), replace(NUMBERED, address="10.0.0.6", mac="00:00:5e:00:53:02")],
    ),
    "two behind one address, and one that names no port": (
        [
            replace(ANNOUNCED, port=8001),
            replace(ANNOUNCED, port=8002, mac="00:00:5e:00:53:02", serial="S2"),
            replace(ANNOUNCED, port=None, sources=("ssdp",), serial=None),
        ],
        [
            replace(ANNOUNCED, port=8001, sources=("sadp", "ssdp")),
            replace(ANNOUNCED, port=8002, mac="00:00:5e:00:53:02", serial="S2"),
        ],
    ),
    "set up, says one; never set up, says the other": (
        [ANNOUNCED, replace(ANNOUNCED, sources=("dhdiscover",), activated=True)],
        [replace(ANNOUNCED, sources=("dhdiscover", "sadp"))],
    ),
    "addresses in numeric order, IPv4 first": (
        [replace(NOTHING, address=address) for address in ("::1", "10.0.0.10", "fe80::1%eth0", "10.0.0.9")],
        [replace(NOTHING, address=address) for address in ("10.0.0.9", "10.0.0.10", "::1", "fe80::1%eth0")],
    ),
}


@pytest.mark.parametrize(("seen", "expected"), ROWS.values(), ids=ROWS)
def test_merges_in_any_order_of_arrival(seen: list[Sighting], expected: list[Sighting]) -> None:
    for order in itertools.permutations(seen):
        merged = merge(order)
        assert [_essence(one) for one in merged] == [_essence(one) for one in expected]


def _essence(sighting: Sighting) -> Sighting:
    return replace(sighting, xaddrs=tuple(sorted(sighting.xaddrs)), scopes=tuple(sorted(sighting.scopes)))


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_arrival_decides_nothing(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - reproducible on purpose
    seen = [
        Sighting(
            address=f"10.0.0.{dice.randint(1, 4)}",
            sources=(dice.choice(("sadp", "mdns", "ssdp", "snmp")),),
            port=dice.choice((None, 80, 81)),
            manufacturer=dice.choice((None, "Acme", "ACME")),
            mac=dice.choice((None, "00:00:5e:00:53:01", "00:00:5e:00:53:02")),
            epr=dice.choice((None, "urn:uuid:1", "urn:uuid:2")),
            serial=dice.choice((None, "S1", "S2")),
            activated=dice.choice((None, True, False)),
        )
        for _ in range(12)
    ]
    merged = merge(seen)
    assert {url.split("/")[2].split(":")[0] for one in merged for url in one.xaddrs} | {
        one.address for one in merged
    } == {one.address for one in seen}
    for _ in range(10):
        dice.shuffle(seen)
        assert merge(seen) == merged


def test_many_that_claim_to_be_one_cost_little() -> None:
    """Ten thousand with one MAC, each contradicting all others: nobody is compared with everybody."""
    seen = [replace(ANNOUNCED, address=f"10.1.{n // 250}.{n % 250}", serial=f"S{n}") for n in range(10_000)]
    began = time.perf_counter()
    assert len(merge(seen)) == len(seen)
    assert time.perf_counter() - began < 10


CAMERAS = {
    "spoke ONVIF": (NOTHING, True),
    "announces ONVIF scopes": (SAID, True),
    "announces an ONVIF address": (replace(SAID, scopes=()), True),
    "a printer": (replace(SAID, scopes=(), xaddrs=("http://10.0.0.5/printer",)), False),
    "a printer in the camera room": (replace(SAID, scopes=(), xaddrs=("http://camera-room/printer",)), False),
    "SADP": (ANNOUNCED, True),
    "DHDiscover": (replace(ANNOUNCED, sources=("dhdiscover",)), True),
    "a video service": (replace(ANNOUNCED, sources=("mdns",), scopes=("_axis-video._tcp.local.",)), True),
    "a stream of somebody": (replace(ANNOUNCED, sources=("mdns",), scopes=("_rtsp._tcp.local.",)), False),
    "a UPnP device": (NUMBERED, False),
    "a UPnP camera": (replace(NUMBERED, scopes=("AXIS P3265-V Network Camera",)), True),
    "a router by UPnP": (replace(NUMBERED, scopes=("urn:schemas-upnp-org:device:InternetGatewayDevice:1",)), False),
}


@pytest.mark.parametrize(("sighting", "expected"), CAMERAS.values(), ids=CAMERAS)
def test_who_says_to_be_a_camera(sighting: Sighting, expected: bool) -> None:
    assert says_camera(sighting) is expected
