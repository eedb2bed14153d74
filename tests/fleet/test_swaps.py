"""Another unit where a known camera was seen last: who is displaced, who is not, and what is sent to nobody then."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from cameras.budget import AttemptBudget
from cameras.errors import Unreachable
from cameras.facts import Gap, Identity, NetworkInterface, NetworkInterfaces
from cameras.secret import Credential, Secret
from fleet import camera_events, estate, lookup, standing
from fleet.camera_events import EarlierPlace
from fleet.changes import What, changes
from fleet.errors import Displaced, FleetError
from fleet.findings import triage as findings
from fleet.jobs.queue import Queue
from fleet.pictures import rows as picture_rows
from fleet.pictures.access import looking
from fleet.plans.reach import reaching
from fleet.reach import as_device_errors, open_stored, place_and_credential, place_of, stored_rules
from fleet.rotations.runner import Rotations
from fleet.settings import Settings
from fleet.standing import Standing
from fleet.store import Store
from fleet.store.pictures_tables import Notice
from fleet.vault.logins import Logins
from fleet.vault.passwords import open_vault
from fleet.views import DeviceFilter
from tests.fleet.samples import FAIL, IDENTITY, NOON, Clock, assessed, camera, dossier

HERE, THERE = "10.0.0.1", "10.0.0.2"
GAP = Gap("unauthorized", "it wants a login")
OLD, NEW = camera(1), camera(2)
BOTH = NetworkInterfaces(
    (NetworkInterface("wlan0", "b8:a4:4f:00:00:09", (), None), NetworkInterface("eth0", str(OLD.mac), (), None))
)


async def seen(store: Store, identity: Identity | Gap, address: str = HERE, port: int = 80, **facts: Any) -> str:  # noqa: ANN401
    kept = dossier(address, port, identity=identity, **facts)
    return (await findings.record(store, assessed({("telnet-open", ""): FAIL}, kept))).camera


async def told(store: Store, camera: str) -> list[tuple[str, str]]:
    return [(one.event, one.detail) for one in await camera_events.of_camera(store, camera)]


async def displaced(store: Store, camera: str) -> str | None:
    return (await estate.device(store, camera)).row.displaced_by


# What is seen at the address of OLD afterwards, and whether that proves that OLD is not there.
AFTERWARDS: Mapping[str, tuple[Identity | Gap, dict[str, Any], bool]] = {
    "another serial number and MAC": (NEW, {}, True),
    "another serial number, no MAC": (replace(NEW, mac=None), {}, True),
    "no serial number, another MAC": (replace(NEW, serial=None), {}, True),
    "a serial number that says nothing, another MAC": (replace(NEW, serial="123456"), {}, True),
    "another maker, no serial number, another MAC": (replace(camera(2, "Dahua"), serial=None), {}, True),
    "the same again": (OLD, {}, False),
    "its serial number in another spelling": (replace(OLD, serial="b8a44f000001"), {}, False),
    "its serial number with its model before it": (replace(OLD, serial="P3265-VB8A44F000001", mac=None), {}, False),
    "a serial number that ends alike": (replace(NEW, serial="B8A44F100001", mac=None), {}, True),
    "another serial number, the same MAC": (replace(OLD, serial="DS-2CD-1"), {}, False),
    "its MAC, at the second interface": (replace(NEW, mac=None, serial=None), {"network_interfaces": BOTH}, False),
    "no login": (GAP, {}, False),
    "neither serial number nor MAC": (replace(NEW, serial=None, mac=None), {}, False),
    "another port": (NEW, {"port": 8001}, False),
    "another address": (NEW, {"address": THERE}, False),
}  # fmt: skip


@pytest.mark.parametrize(("identity", "where", "swapped"), AFTERWARDS.values(), ids=AFTERWARDS)
async def test_only_what_is_proved_to_be_another_unit_takes_the_place(
    identity: Identity | Gap, where: dict[str, Any], *, swapped: bool, store: Store
) -> None:
    old = await seen(store, OLD)
    other = await seen(store, identity, **where)
    assert (await displaced(store, old) is not None) is swapped
    if swapped:
        assert await displaced(store, old) == other


async def test_a_unit_that_was_known_by_its_mac_alone_is_not_displaced_by_its_serial_number(store: Store) -> None:
    this = await seen(store, replace(OLD, serial=None))
    assert await seen(store, replace(OLD, mac=None)) != this  # what cannot be told to be one stays two
    assert await displaced(store, this) is None


async def test_both_are_told_of_it_once(store: Store, clock: Clock) -> None:
    old = await seen(store, OLD)
    clock.forward(days=2)
    new = await seen(store, NEW)
    clock.forward(hours=1)
    assert await seen(store, NEW) == new
    assert (await told(store, old))[0] == (
        "displaced",
        "another unit answers at 10.0.0.1:80: P3265-V (serial B8A44F000002)",
    )
    assert (await told(store, new))[0] == ("replaced", "replaced P3265-V (serial B8A44F000001) at 10.0.0.1:80")
    assert [len(await told(store, one)) for one in (old, new)] == [2, 2]
    found = {one.what: one.count for one in (await changes(store)).items}
    assert found[What.CAMERA_SWAPPED] == 1
    page = await estate.devices(store, DeviceFilter(event="displaced", since=NOON))
    assert [row.id for row in page.items] == [old]


async def test_a_visit_that_finds_it_again_anywhere_ends_it(store: Store, clock: Clock) -> None:
    old, new = await seen(store, OLD), await seen(store, NEW)
    assert await seen(store, GAP) == new  # whatever answers there without a word is not the old one
    clock.forward(hours=1)
    assert await seen(store, OLD, THERE) == old
    assert (await displaced(store, old), await displaced(store, new)) == (None, None)
    assert (await estate.device(store, old)).places == (EarlierPlace("10.0.0.1:80", clock.at),)
    assert await seen(store, OLD) == old  # back where it was: now the other one is looked for
    assert (await displaced(store, old), await displaced(store, new)) == (None, old)
    places = (await estate.device(store, old)).places
    assert [one.place for one in places] == ["10.0.0.2:80", "10.0.0.1:80"]


async def test_where_the_other_one_has_left_too_nobody_is_guessed_to_be_there(store: Store) -> None:
    old, new = await seen(store, OLD), await seen(store, NEW)
    await seen(store, NEW, THERE)
    unknown = await seen(store, GAP)
    assert unknown not in (old, new)
    assert await displaced(store, old) == new


async def test_two_that_exchange_their_addresses_are_both_found(store: Store) -> None:
    one, two = await seen(store, OLD, HERE), await seen(store, NEW, THERE)
    assert (await seen(store, NEW, HERE), await seen(store, OLD, THERE)) == (two, one)
    assert (await displaced(store, one), await displaced(store, two)) == (None, None)


async def test_a_made_up_serial_number_makes_no_one_camera_of_two(store: Store) -> None:
    made_up = replace(IDENTITY, serial="SN-0001")
    two_macs = [replace(made_up, mac=f"b8:a4:4f:00:00:0{number}") for number in (1, 2)]
    one, two = [await seen(store, identity, f"10.0.0.{n}") for n, identity in enumerate(two_macs, 1)]
    again = [await seen(store, identity, f"10.0.0.{n}") for n, identity in enumerate(two_macs, 1)]
    assert (one != two, again) == (True, [one, two])


async def test_nothing_that_is_meant_for_it_is_sent_to_the_other_unit(
    store: Store, settings: Settings, clock: Clock
) -> None:
    vault, budget = await open_vault(store, settings), AttemptBudget()
    old = await seen(store, OLD)
    await vault.put(old, "root", Secret("a-password"), "anna", login=True)
    assert [(rule.match, rule.port) for rule in await stored_rules(store, vault)] == [(HERE, None)]
    clock.forward(hours=1)
    new = await seen(store, NEW)
    said = "another camera answers at 10.0.0.1:80 since 2026-03-01 13:00 UTC: scan the network to find it again"
    with pytest.raises(Displaced, match=said):
        await place_and_credential(store, vault, settings, old)
    row = await picture_rows.camera(store, old)
    ways: Sequence[Any] = (
        looking(store, vault, settings, budget)(row),
        reaching(lambda camera: place_and_credential(store, vault, settings, camera), budget)(old),
        Rotations(store, vault, settings).start([old], None, "anna"),
        Logins(store, vault, budget, Queue(store)).try_first(old, Credential("root", Secret("b")), "anna"),
        open_stored(store, vault, settings, budget, old).__aenter__(),
    )
    for way in ways:
        with pytest.raises(FleetError, match="another camera answers"):
            await way
    with pytest.raises(Unreachable, match="another camera answers"):
        await as_device_errors(place_and_credential(store, vault, settings, old))
    assert await stored_rules(store, vault) == []
    assert not (await place_of(store, new)).shared
    await seen(store, OLD, THERE)
    assert (await place_and_credential(store, vault, settings, old))[0].address == THERE


async def test_its_address_means_the_other_one(store: Store) -> None:
    old, new = await seen(store, OLD), await seen(store, NEW)
    assert [await lookup.camera(store, word) for word in (HERE, f"{HERE}:80", "B8A44F000001")] == [new, new, old]
    assert await lookup.targets(store) == [HERE]
    await standing.decide(store, {new: Standing.IGNORED}, "anna")
    assert await lookup.targets(store) == []
    await seen(store, NEW, THERE)
    assert await lookup.camera(store, HERE) == old


async def test_what_was_decided_on_it_does_not_hold_for_the_other_one(store: Store) -> None:
    await standing.decide(store, {await seen(store, OLD): Standing.QUARANTINED}, "anna")
    assert await standing.without_login(store) == {HERE, f"{HERE}:80"}
    await seen(store, NEW)
    assert await standing.without_login(store) == frozenset()


async def notices(store: Store) -> list[tuple[str, str]]:
    async with store.read() as connection:
        rows = (await connection.execute(select(Notice).order_by(Notice.id))).all()
    return [(row.state, row.content["subject"]) for row in rows]


async def test_somebody_is_told_unless_it_is_found_again_soon_or_is_ignored(store: Store, settings: Settings) -> None:
    settings.__dict__["mail_to"] = ["ops@example.org"]
    old = await seen(store, OLD)
    await seen(store, NEW)
    assert await notices(store) == [("pending", "Camwarden: another unit answers at 10.0.0.1:80")]
    await seen(store, OLD, THERE)
    assert [state for state, _ in await notices(store)] == ["withdrawn"]
    await standing.decide(store, {old: Standing.IGNORED}, "anna")
    await seen(store, camera(3), THERE)
    assert len(await notices(store)) == 1
