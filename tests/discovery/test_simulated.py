"""Several simulated cameras of all makers, found by everything that they announce themselves with.

Many hosts are many addresses of the loopback network: that runs where network namespaces are forbidden too. Estates of
other tests may answer beside ours.
"""

import os
from dataclasses import replace
from itertools import count

import pytest

from scanners.discovery import ask_everybody
from scanners.discovery.sightings import Sighting, merge, says_camera
from simulator.estate import Estate
from simulator.plan import CameraPlan
from simulator.vapix.parameters import remembered
from tests.simulator.asking import estate

WAIT_S = 1.5
_numbers = count(1)


async def found(running: Estate) -> dict[str, Sighting]:
    """By address, asked from an address that nobody else asks from."""
    here = f"127.{1 + os.getpid() % 250}.78.{next(_numbers)}"
    ours = {plan.address for plan in running.plan.cameras}
    seen = merge(await ask_everybody([here], WAIT_S))
    return {one.address: one for one in seen if one.address in ours}


EVERYWHERE = {"discovery-left-on": 6, "no-https": 1, "factory-default": 1}
SOURCES = {
    "axis": ("mdns", "ssdp", "ws-discovery"),
    "hikvision": ("sadp", "ws-discovery"),
    "dahua": ("dhdiscover", "ws-discovery"),
}


async def test_each_camera_is_one_sighting_by_all_its_protocols() -> None:
    mix = {"axis": 2, "hikvision": 2, "dahua": 2}
    async with estate(cameras=6, mix=mix, faults=EVERYWHERE, discovery=True) as running:
        seen = await found(running)
        assert running.discovery.problems == []
    assert len(seen) == 6
    for plan in running.plan.cameras:
        one = seen[plan.address]
        assert (one.sources, one.port, one.scheme) == (SOURCES[plan.vendor], plan.http_port, "http")
        assert (one.model, one.mac, one.path) == (plan.model, plan.mac, "/onvif/device_service")
        assert one.serial == plan.serial
        assert one.activated is (None if plan.vendor == "axis" else plan.setup_done)
        assert says_camera(one)


async def test_cameras_that_hide_from_ws_discovery_may_announce_themselves_still() -> None:
    async with estate(cameras=3, mix={"axis": 1, "hikvision": 1, "dahua": 1}, discovery=True) as running:
        seen = await found(running)
    (axis,) = [plan for plan in running.plan.cameras if plan.vendor == "axis"]
    assert list(seen) == [axis.address]
    assert seen[axis.address].sources == ("mdns", "ssdp")


async def test_several_cameras_at_one_address_stay_apart() -> None:
    async with estate(cameras=4, mix={"axis": 1}, one_address=True, discovery=True) as running:
        here = f"127.{1 + os.getpid() % 250}.78.{next(_numbers)}"
        seen = {one.mac: one for one in merge(await ask_everybody([here], WAIT_S))}
    for plan in running.plan.cameras:
        assert (seen[plan.mac].address, seen[plan.mac].port) == ("127.0.0.1", plan.http_port)
        assert seen[plan.mac].serial == plan.serial


ODD = {
    "a typo": ("hikvision", {"sadp-typo": 1, "factory-default": 1}, ("sadp", "ws-discovery"), False),
    "an answer to the whole group": ("hikvision", {"sadp-to-all": 1}, ("sadp", "ws-discovery"), True),
    "a missing quote": ("dahua", {"dhdiscover-unquoted": 1}, ("ws-discovery",), None),
    "a hostile name, which makes no XML of ONVIF's answer": (
        "hikvision",
        {"discovery-left-on": 1, "hostile-name": 1},
        ("sadp",),
        True,
    ),
}


@pytest.mark.parametrize(("vendor", "faults", "sources", "activated"), ODD.values(), ids=ODD)
async def test_odd_cameras_are_found_too(
    vendor: str, faults: dict[str, int], sources: tuple[str, ...], activated: bool | None
) -> None:
    async with estate(mix={vendor: 1}, faults=faults, discovery=True) as running:
        (seen,) = (await found(running)).values()
    assert (seen.sources, seen.activated) == (sources, activated)
    assert (seen.model or "").isprintable()


async def test_two_cameras_that_share_an_endpoint_reference_stay_two() -> None:
    mix = {"hikvision": 1, "dahua": 1}
    async with estate(cameras=2, mix=mix, faults={"shared-epr": 2}, discovery=True) as running:
        seen = await found(running)
    assert len(seen) == 2
    assert len({one.epr for one in seen.values()}) == 1
    assert {one.sources for one in seen.values()} == {("sadp", "ws-discovery"), ("dhdiscover", "ws-discovery")}


def switched_off(plan: CameraPlan, name: str) -> CameraPlan:
    return replace(plan, **remembered(plan, name, "no"))  # type: ignore[arg-type]


async def test_what_is_switched_off_keeps_silent() -> None:
    async with estate(mix={"axis": 1}, discovery=True) as running:
        (camera,) = running.cameras
        for switch, sources in (("Network.UPnP.Enabled", ("mdns",)), ("Network.Bonjour.Enabled", None)):
            camera.become(switched_off(camera.plan, switch))
            seen = await found(running)
            assert [one.sources for one in seen.values()] == ([] if sources is None else [sources])
