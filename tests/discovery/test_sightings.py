import itertools
from dataclasses import replace

import pytest

from scanners.discovery.sightings import Sighting, merge

NOTHING = Sighting(
    address="10.0.0.5",
    port=None,
    scheme=None,
    path=None,
    sources=("sweep",),
    xaddrs=(),
    scopes=(),
    manufacturer=None,
    model=None,
    mac=None,
    epr=None,
)
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
