"""Sites: whose camera is it, what may be typed, and what follows a change."""

from dataclasses import replace

import pytest

from bench.paper_cameras import PaperCamera
from fleet import estate, sites
from fleet.errors import Invalid, NotFound
from fleet.findings import triage as findings
from fleet.rollouts import orders as rollout_orders
from fleet.settings import Settings
from fleet.sites import Site, site_of
from fleet.store import Store
from fleet.views import DeviceFilter, FindingFilter
from hardening.windows import parse_window
from tests.fleet import rollout_samples
from tests.fleet.rollout_samples import RULES
from tests.fleet.samples import FAIL, assessed, camera, dossier

CITY, HOUSE = Site("city", ("10.1.0.0/16", "2001:db8::/32")), Site("house", ("10.1.4.0/24",))
DOOR = Site("door", ("10.1.4.7/32",))

PLACES = {
    "the only network": ("10.1.9.9", "city"),
    "the smaller network": ("10.1.4.8", "house"),
    "a single address": ("10.1.4.7", "door"),
    "IPv6": ("2001:db8::7", "city"),
    "IPv6 of one link": ("fe80::1%eth0", None),
    "no network": ("10.2.0.1", None),
    "no address": ("camera.example", None),
}


@pytest.mark.parametrize(("address", "expected"), PLACES.values(), ids=PLACES)
def test_a_camera_belongs_to_the_smallest_network_around_it(address: str, expected: str | None) -> None:
    for order in ((CITY, HOUSE, DOOR), (DOOR, HOUSE, CITY)):
        found = site_of(address, order)
        assert (found and found.name) == expected


async def put(store: Store, *wanted: Site) -> None:
    for site in wanted:
        await sites.put(store, site, "anna")


REFUSED = {
    "no name": (Site(" \t"), "has a name"),
    "no network": (Site("a", ("10.1.0.0/33",)), "is no network"),
    "a host's bits": (Site("a", ("10.1.4.7/16",)), "did you mean 10.1.0.0/16"),
    "no zone": (Site("a", zone="Mars/Olympus"), "no time zone"),
    "no window": (Site("a", window="at night"), "no window"),
    "too many networks": (Site("a", tuple(f"10.0.{n}.0/24" for n in range(201))), "at most 200"),
    "a name that is taken": (Site("CITY"), "'city' already"),
    "a network that is taken": (Site("a", ("10.1.0.0/16",)), "belongs to the site 'city'"),
}


@pytest.mark.parametrize(("site", "why"), REFUSED.values(), ids=REFUSED)
async def test_what_is_no_site_is_refused_and_nothing_is_changed(store: Store, site: Site, why: str) -> None:
    await put(store, CITY)
    with pytest.raises(Invalid, match=why):
        await sites.put(store, site, "anna")
    assert [view.site for view in await sites.sites(store)] == [CITY]


async def add(store: Store, number: int, address: str) -> str:
    seen = assessed({("telnet-open", ""): FAIL}, dossier(address, identity=camera(number)), 40)
    return (await findings.record(store, seen)).camera


async def places(store: Store) -> dict[str, str | None]:
    return {row.address: row.site for row in (await estate.devices(store)).items}


async def test_cameras_follow_their_sites(store: Store) -> None:
    await add(store, 1, "10.1.4.7")
    await add(store, 2, "10.1.9.9")
    await add(store, 3, "10.7.7.7")
    await put(store, CITY, HOUSE)
    assert await places(store) == {"10.1.4.7": "house", "10.1.9.9": "city", "10.7.7.7": None}
    assert (
        await sites.put(store, replace(HOUSE, name="home", networks=("10.7.0.0/16",)), "anna", instead_of="house") == 1
    )
    assert await places(store) == {"10.1.4.7": "city", "10.1.9.9": "city", "10.7.7.7": "home"}
    await sites.remove(store, "city")
    assert await places(store) == {"10.1.4.7": None, "10.1.9.9": None, "10.7.7.7": "home"}
    for lost in (sites.remove(store, "city"), sites.put(store, CITY, "anna", instead_of="city")):
        with pytest.raises(NotFound):
            await lost


async def test_a_camera_that_is_found_or_has_moved_is_put_into_its_site(store: Store) -> None:
    await put(store, CITY)
    await add(store, 1, "10.1.4.7")
    assert await places(store) == {"10.1.4.7": "city"}
    await add(store, 1, "10.2.0.1")
    assert await places(store) == {"10.2.0.1": None}


async def test_a_site_says_how_its_cameras_stand(store: Store) -> None:
    await put(store, CITY, HOUSE)
    await add(store, 1, "10.1.9.9")
    of = dossier("10.1.9.8", identity=camera(2))
    await findings.record(store, assessed({}, of, 91))
    city, house = await sites.sites(store)
    assert (city.cameras, city.urgent, city.score) == (2, 1, 66)
    assert (house.cameras, house.urgent, house.score) == (0, 0, None)


FILTERS = {"of a site": ("city", {"10.1.9.9"}), "of none": ("", {"10.7.7.7"}), "all": (None, {"10.1.9.9", "10.7.7.7"})}


@pytest.mark.parametrize(("site", "expected"), FILTERS.values(), ids=FILTERS)
async def test_lists_are_filtered_by_site(store: Store, site: str | None, expected: set[str]) -> None:
    await put(store, CITY)
    await add(store, 1, "10.1.9.9")
    await add(store, 2, "10.7.7.7")
    cameras = await estate.devices(store, DeviceFilter(site=site))
    weaknesses = await estate.findings(store, FindingFilter(site=site))
    assert {row.address for row in cameras.items} == expected
    assert {row.address for row in weaknesses.items} == expected
    assert (cameras.total, weaknesses.total) == (len(expected), len(expected))


async def test_a_rollout_goes_by_the_clock_and_window_of_each_site(store: Store, settings: Settings) -> None:
    await put(store, Site("tower", ("10.0.0.1",), zone="Asia/Tokyo", window="sat,sun 08:00-12:00"))
    cameras = await rollout_samples.paper(store, PaperCamera(), PaperCamera())
    bundle = await rollout_samples.firmware(store, settings)
    rollout = await rollout_orders.create(
        store, bundle.id, list(cameras.cameras), "anna", rules=RULES, zone="Europe/Oslo"
    )
    assert {(row.address, row.site, row.zone, row.window) for row in await rollout_samples.rows(store, rollout)} == {
        ("10.0.0.1:80", "tower", "Asia/Tokyo", "sat,sun 08:00-12:00"),
        ("10.0.0.2:80", "", "Europe/Oslo", ""),
    }


async def test_windows_that_never_meet_are_refused(store: Store, settings: Settings) -> None:
    await put(store, Site("office", ("10.0.0.0/24",), window="sat,sun 08:00-12:00"))
    cameras = await rollout_samples.paper(store, PaperCamera())
    bundle = await rollout_samples.firmware(store, settings)
    rules = replace(RULES, window=parse_window("mon-fri 22:00-05:00"))
    with pytest.raises(Invalid, match="office may be changed sat,sun"):
        await rollout_orders.create(store, bundle.id, list(cameras.cameras), "anna", rules=rules)
