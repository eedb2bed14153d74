"""The first steps, by forms alone as a browser without script sends them, over real cameras that are simulated."""

import re
from collections.abc import AsyncIterator

import pytest

from fleet import estate, first_steps
from fleet.errors import Invalid
from fleet.people import accounts as people
from fleet.people.permissions import Role
from fleet.scans.runner import ScanId
from fleet.signing_in import steps as signing_in
from fleet.standing import Standing
from fleet.store import attempts
from fleet.views import DeviceFilter
from simulator import Estate
from tests.simulator.asking import estate as simulated
from tests.web.conftest import PASSWORD, House, Visit, Visitor, browser

HERE = "/first-steps"
NETWORKS = {
    "one of ours": ("192.168.10.0/24", ""),
    "several": ("10.1.0.0/16 172.16.4.0/22 169.254.7.0/24", ""),
    "behind a carrier": ("100.64.8.0/24", ""),
    "IPv6 of ours": ("fd00:1::/120", ""),
    "a /8": ("10.0.0.0/8", "16,777,216 addresses"),
    "many that are a /8 together": (" ".join(f"10.{n}.0.0/12" for n in (0, 16, 32)), "3,145,728 addresses"),
    "public": ("8.8.8.0/24", "8.8.8.0/24 is not private"),
    "half private": ("172.0.0.0/8", "is not private"),
    "everything": ("0.0.0.0/0", "is not private"),
    "many receivers": ("224.0.0.0/24", "is not private"),
    "no network at all": ("harbour", ""),  # told by whoever stores it
}


@pytest.mark.parametrize(("networks", "why"), NETWORKS.values(), ids=NETWORKS)
def test_a_first_scan_stays_at_home(networks: str, why: str) -> None:
    if not why:
        first_steps.refuse_wide(networks.split())
        return
    with pytest.raises(Invalid, match=why):
        first_steps.refuse_wide(networks.split())


@pytest.fixture
async def anna(empty_house: House) -> AsyncIterator[Visitor]:
    """The administrator of a console in which nothing is yet."""
    await people.add_user(empty_house.store, "anna", PASSWORD, Role.ADMINISTRATOR)
    session = await signing_in.sign_in(empty_house.store, "anna", PASSWORD, "127.0.0.1")
    async with browser(empty_house.app) as client:
        client.cookies.set("session", session.token.reveal())
        yield Visitor(client)


async def where(visitor: Visitor) -> str:
    return (await visitor.get(HERE)).headers["location"].removeprefix(HERE)


async def test_who_is_not_led(empty_house: House, anna: Visitor) -> None:
    first = await anna.get("/")
    assert 'href="/first-steps"' in first.text
    assert "Begin" in first.text
    assert await where(anna) == "/account"
    assert (await anna.post(f"{HERE}/dismiss", {})).headers["location"] == "/"
    assert HERE not in (await anna.get("/")).text
    assert "Where are your cameras?" in (await anna.get("/")).text
    assert (await anna.get(f"{HERE}/site")).status_code == 200
    await people.add_user(empty_house.store, "otto", PASSWORD, Role.OPERATOR)
    session = await signing_in.sign_in(empty_house.store, "otto", PASSWORD, "127.0.0.1")
    async with browser(empty_house.app) as client:
        client.cookies.set("session", session.token.reveal())
        otto = Visitor(client)
        assert HERE not in (await otto.get("/")).text
        assert (await otto.get(HERE)).status_code == 403


async def scanned(house: House, page: str) -> None:
    """The scan that this page shows has ended."""
    found = re.search(r'data-scan-events="/scans/([^/]+)/events"', page)
    assert found, page
    async for _ in house.scans.events(ScanId(found[1])):
        pass


def ticked(page: str) -> dict[str, str]:
    """What a form says of radio buttons and choices that nobody touches."""
    radios = re.findall(r'name="([^"]+)" value="([^"]*)"[^>]* checked', page)
    return {name: value for name, value in radios if name.startswith("make:")}


async def spent(house: House) -> list[tuple[str, str]]:
    return [(one.camera, one.outcome) for one in await attempts.load(house.store)]


async def test_each_step_is_done_once_what_it_makes_is_stored(empty_house: House, anna: Visitor) -> None:
    # Half of them announce themselves; the others are known by a sign that only their vendor gives.
    faults = {"telnet-open": 1, "default-credentials": 1, "discovery-left-on": 2}
    mix = {"axis": 1, "hikvision": 1}
    async with simulated(cameras=4, mix=mix, one_login=True, faults=faults, discovery=True) as running:
        await walk(empty_house, anna, running)


async def walk(house: House, anna: Visitor, running: Estate) -> None:
    addresses = [plan.address for plan in running.plan.cameras]
    network = f"{addresses[0].rpartition('.')[0]}.0/29"
    site = {"name": "Harbour", "zone": "Europe/Berlin", "networks": "10.0.0.0/8"}
    refused = await anna.post(f"{HERE}/site", site, form=f"{HERE}/site")
    assert (refused.status_code, "16,777,216 addresses" in refused.text) == (422, True)
    assert 'value="Harbour"' in refused.text
    put = await anna.post(f"{HERE}/site", {**site, "networks": network}, form=f"{HERE}/site")
    assert put.headers["location"] == f"{HERE}/find"

    other = await anna.post(f"{HERE}/find", {"targets": "10.9.9.0/24"}, form=f"{HERE}/find")
    assert (other.status_code, "changed meanwhile" in other.text) == (422, True)
    begun = await anna.post(f"{HERE}/find", {"targets": network}, form=f"{HERE}/find")
    assert begun.headers["location"] == f"{HERE}/find"
    await scanned(house, (await anna.get(f"{HERE}/find")).text)
    found = (await anna.get(f"{HERE}/find")).text
    assert "4 cameras found" in found
    assert f'href="{HERE}/adopt">Next' in found
    assert await spent(house) == []
    (scan,) = await house.scans.recent()
    assert (scan.looks_only, scan.default_credentials, scan.targets) == (True, False, network)
    assert "First steps: 2 of 6 done." in (await anna.get("/")).text

    rows = (await estate.devices(house.store, DeviceFilter(standing="new"))).items
    assert all(row.manufacturer and row.site == "Harbour" for row in rows)
    aside = rows[-1]
    page = (await anna.get(f"{HERE}/adopt")).text
    words = ticked(page)
    assert set(words.values()) == {Standing.ADOPTED}
    each = {f"one:{row.id}": Standing.ADOPTED for row in rows} | {f"one:{aside.id}": Standing.QUARANTINED}
    one_by_one = {**words, f"make:{aside.manufacturer}": "each", **each}
    assert (await anna.post(f"{HERE}/adopt", one_by_one, form=f"{HERE}/adopt")).headers["location"] == f"{HERE}/login"

    login = running.plan.cameras[0].login
    assert login
    first = next(row for row in rows if row.id != aside.id)
    form = {"account": login.name, "password": "mistyped", "first": first.id, "then": "all"}
    wrong = await anna.post(f"{HERE}/login", form, form=f"{HERE}/login")
    assert (wrong.status_code, f"{first.address} refuses this login" in wrong.text) == (502, True)
    assert ("No other camera was asked" in wrong.text, "mistyped" in wrong.text) == (True, False)
    assert await spent(house) == [(first.address, "wrong")]
    right = await anna.post(f"{HERE}/login", {**form, "password": login.password}, form=f"{HERE}/login")
    assert right.headers["location"] == f"{HERE}/login"
    for job in (await house.service.queue.unfinished("login")).values():
        await house.service.queue.ended(job)
    assert "Every adopted camera has a login" in (await anna.get(f"{HERE}/login")).text
    assert len(await spent(house)) == 1

    assert (await anna.post(f"{HERE}/assess", {}, form=f"{HERE}/assess")).status_code == 422
    fields = {"targets": "@all", "default_credentials": "1"}
    await anna.post(f"{HERE}/assess", fields, form=f"{HERE}/assess")
    await scanned(house, (await anna.get(f"{HERE}/assess")).text)
    logins = {row.id: await used(house, row.id) for row in rows}
    assert logins == {row.id: "" if row is aside else login.name for row in rows}
    assert await where(anna) == "/account"
    last = (await anna.get(f"{HERE}/findings")).text
    assert "Begin here" in last
    assert "What to do." in last
    assert "First steps" not in (await anna.get("/")).text

    await anna.post(f"/devices/{first.id}/standing", {"standing": "ignored"})
    assert first.id not in (await anna.get("/devices")).text
    assert first.id in (await anna.get("/devices?standing=ignored")).text
    assert "camera.decide" in (await anna.get(f"/devices/{first.id}")).text


async def test_a_login_is_tried_on_one_camera_and_then_on_others_by_the_api(empty_house: House, anna: Visitor) -> None:
    anna.client.headers["X-CSRF-Token"] = await anna.csrf()
    async with simulated(cameras=3, mix={"axis": 1}, one_login=True) as running:
        targets = " ".join(f"http://{plan.address}:{plan.http_port}" for plan in running.plan.cameras)
        begun = await anna.client.post("/api/v1/scans", json={"targets": targets, "looks_only": True})
        async for _ in empty_house.scans.events(ScanId(begun.json()["id"])):
            pass
        rows = (await anna.get("/api/v1/cameras?standing=new")).json()["items"]
        ours = {"cameras": [row["id"] for row in rows], "standing": "adopted"}
        assert (await anna.client.post("/api/v1/decisions", json=ours)).status_code == 200
        wanting = (await anna.get("/api/v1/vault/wanting?limit=2")).json()
        assert (len(wanting["items"]), wanting["total"]) == (2, 3)
        first, login = wanting["items"][0], running.plan.cameras[0].login
        assert login
        there = f"/api/v1/vault/{first['camera']}/try"
        body = {"account": login.name, "password": "mistyped", "then": "make"}
        wrong = await anna.client.post(there, json=body)
        assert (wrong.status_code, "refuses this login" in wrong.json()["detail"]) == (502, True)
        assert "mistyped" not in wrong.text
        assert await spent(empty_house) == [(first["address"], "wrong")]
        tried = await anna.client.post(there, json={**body, "password": login.password})
        assert tried.json() == {"camera": first["camera"], "account": login.name, "offered": 2}
        for job in (await empty_house.service.queue.unfinished("login")).values():
            await empty_house.service.queue.ended(job)
        assert (await anna.get("/api/v1/vault/wanting")).json()["total"] == 0
        assert login.password not in (await anna.get("/api/v1/audit")).text


async def used(house: House, camera: str) -> str:
    """The account that the last visit logged in with."""
    dossier = (await estate.device(house.store, camera)).dossier
    assert dossier
    return dossier.login


async def test_what_nobody_has_decided_on_is_told_among_the_devices(visit: Visit) -> None:
    page = (await visit("administrator").get("/devices")).text
    assert "12 new devices." in page
    assert "new devices" not in (await visit("operator").get("/devices")).text
