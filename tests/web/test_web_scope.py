"""Numbers and starts of work for somebody who may only see one of two sites: none of the other site's shows in them."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from fleet import changes, estate, lookup, work
from fleet.changes import What
from fleet.errors import Invalid, NotFound
from fleet.people import accounts as people
from fleet.people import members
from fleet.people.grants import Wanted, end, give
from fleet.people.permissions import Role
from fleet.people.scope import EVERYWHERE, Scope
from fleet.plans.runner import PlanId
from fleet.rollouts import bundles
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts.rows import RolloutId
from fleet.rotations import rows as rotation_rows
from fleet.rotations.runner import RotationId
from fleet.store import Store
from fleet.views import DeviceFilter
from hardening.baseline import parse_baseline
from tests.web.jobs_samples import BASELINE
from tests.web.two_sites import BOTH, HERE, THERE, Made, TwoSites, opened
from web.handlers.jobs import follow
from web.visit import meet

ALPHA = Scope(frozenset({HERE}))
BETA = Scope(frozenset({THERE}))


@pytest.fixture
async def two(made: Made, tmp_path: Path) -> AsyncIterator[TwoSites]:
    async with opened(made, tmp_path / "home") as estate_of_two:
        yield estate_of_two


async def ids(store: Store, site: str) -> list[str]:
    return [row.id for row in (await estate.devices(store, DeviceFilter(site=site))).items]


async def test_what_is_counted_at_each_site_and_of_none_adds_up_to_all(two: TwoSites) -> None:
    store = two.house.store
    here, there, everywhere = [await estate.overview(store, scope) for scope in (ALPHA, BETA, EVERYWHERE)]
    assert (here.cameras, there.cameras, everywhere.cameras) == (2, 2, 5)
    assert here.findings.total == there.findings.total
    assert here.findings.total * 5 == everywhere.findings.total * 2
    assert sum(bucket.cameras for bucket in here.scores) == 2
    assert {row.cameras for row in here.checks} == {2}
    opened = [
        sum(one.count for one in (await changes.changes(store, scope=scope)).items if one.what is What.FINDING_NEW)
        for scope in (ALPHA, EVERYWHERE)
    ]
    assert opened[0] * 5 == opened[1] * 2 > 0
    assert (here.last_scan and here.last_scan.id) == two.made.ids[HERE]["scan"]
    found = await estate.findings(store, limit=1, scope=ALPHA)
    assert found.total == here.findings.total
    pictures = two.house.service.pictures
    assert [(await pictures.summary(scope)).cameras for scope in (ALPHA, EVERYWHERE)] == [2, 5]
    assert {tile.camera for tile in (await pictures.wall(scope=ALPHA)).items} == set(await ids(store, HERE))


async def test_work_of_both_sites_counts_only_the_cameras_of_ones_own(two: TwoSites) -> None:
    both, service = two.made.ids[BOTH], two.house.service
    plan = await two.house.plans.get(PlanId(both["plan"]), ALPHA)
    assert (plan.total, (await two.house.plans.get(PlanId(both["plan"]))).total) == (1, 2)
    rotation = await rotation_rows.load(two.house.store, RotationId(both["rotation"]), ALPHA)
    assert len(rotation.cameras) == 1
    rollout = RolloutId(both["rollout"])
    assert sum((await service.rollouts.get(rollout, ALPHA)).counts.values()) == 1
    assert [group.total for group in await service.rollouts.groups(rollout, ALPHA)] == [1]
    assert len(await service.rollouts.targets(rollout, scope=ALPHA)) == 1


async def test_why_work_of_both_sites_stopped_is_told_to_whoever_may_see_all_of_it(two: TwoSites) -> None:
    rollouts, rollout = two.house.service.rollouts, RolloutId(two.made.ids[BOTH]["rollout"])
    await rollouts.abort(rollout, "anna", "10.20.1.51 smells of smoke")
    assert "smoke" in (await rollouts.get(rollout)).reason
    assert "smoke" not in (await rollouts.get(rollout, ALPHA)).reason
    assert not [line for line in await rollouts.history(rollout, scope=ALPHA) if "smoke" in line.detail]


async def test_nothing_is_begun_on_a_camera_of_another_site(two: TwoSites) -> None:
    store, service = two.house.store, two.house.service
    (here, *_), (there, *_) = await ids(store, HERE), await ids(store, THERE)
    bundle = (await bundles.listing(store))[0].id
    wanted, mixed = parse_baseline(BASELINE), [here, there]
    with pytest.raises(NotFound):
        await service.plans.create(wanted, mixed, "anna", ALPHA)
    with pytest.raises(NotFound):
        await service.rotations.start(mixed, None, "anna", ALPHA)
    with pytest.raises(Invalid, match="not known"):
        await rollout_orders.create(store, bundle, [there], "anna", scope=ALPHA)
    assert await service.pictures.queue(mixed, "anna", ALPHA) == 1
    assert set(await lookup.cameras(store, ["@all"], ALPHA)) == set(await ids(store, HERE))
    with pytest.raises(NotFound):
        await lookup.camera(store, "@10.20.1.50", ALPHA)


SCANNED = {
    "an address of the site": ("10.20.1.10", ""),
    "every camera that one may see": ("@all", ""),
    "an address of the other site": ("10.20.1.50", "belongs to none of your sites"),
    "an address of no site": ("10.20.1.90", "belongs to none of your sites"),
    "a network that is wider than the site": ("10.20.1.0/28", "belongs to none of your sites"),
    "one of each": ("10.20.1.10 10.20.1.50", "belongs to none of your sites"),
}


@pytest.mark.parametrize(("targets", "said"), SCANNED.values(), ids=SCANNED)
async def test_only_addresses_of_ones_sites_are_scanned(targets: str, said: str, two: TwoSites) -> None:
    async with two.visitor(Role.INTEGRATOR, HERE) as visitor:
        headers = {"X-CSRF-Token": await visitor.csrf()}
        answer = await visitor.client.post("/api/v1/scans", headers=headers, json={"targets": targets})
        for scan in await two.house.scans.recent():
            await two.house.scans.stop(scan.id)
        assert answer.status_code == (422 if said else 202)
        assert said in answer.text
        if not said:
            assert (await visitor.get(f"/api/v1/scans/{answer.json()['id']}")).status_code == 200
            async with two.visitor(Role.VIEWER, BOTH) as viewer:
                assert (await viewer.get(f"/api/v1/scans/{answer.json()['id']}")).status_code == 200


async def test_findings_of_another_site_are_refused_as_if_there_were_none(two: TwoSites) -> None:
    there = two.made.ids[THERE]["finding"]
    async with two.visitor(Role.OPERATOR, HERE) as visitor:
        answer = await visitor.post("/findings", {"id": there, "action": "acknowledge"})
    assert "there is no such finding" in answer.text
    assert (await estate.finding(two.house.store, there)).row.state == "open"


async def test_a_default_password_is_changed_only_at_ones_own_site(two: TwoSites) -> None:
    found = await estate.findings(two.house.store, limit=500, scope=BETA)
    there = next(row.id for row in found.items if row.check == "default-credentials")
    async with two.visitor(Role.OPERATOR, HERE) as visitor:
        sent = {"id": two.made.ids[HERE]["camera"], "account": "admin"}
        answer = await visitor.post(f"/rotations?finding={there}", sent)
    assert answer.status_code == 404
    assert await two.house.service.vault.current(two.made.ids[THERE]["camera"], "admin") is None


async def test_a_form_offers_only_cameras_that_one_may_choose(two: TwoSites) -> None:
    """Reading everywhere does not make them choosable."""
    store = two.house.store
    who = (await people.named(store, f"operator {HERE}")).id
    await give(store, who, Wanted(Role.VIEWER), "anna")
    async with two.visitor(Role.OPERATOR, HERE) as visitor:
        for page in ("/plans/new", "/rotations/new", "/rollouts/new", "/commissioning"):
            text = (await visitor.get(page)).text
            assert "10.20.1.10" in text, page
            assert "10.20.1.5" not in text, page
        assert "10.20.1.50" in (await visitor.get("/devices")).text


async def test_a_page_that_follows_work_is_told_nothing_more_when_the_grant_ends(two: TwoSites) -> None:
    store = two.house.store
    cookie = f"session={two.made.cookies[Role.VIEWER][HERE]}"
    request = Request({"type": "http", "app": two.house.app, "path": "/", "headers": [(b"cookie", cookie.encode())]})
    visit = await meet(request)
    plan = PlanId(two.made.ids[HERE]["plan"])

    async def changes() -> AsyncGenerator[object, None]:
        yield 1
        yield 2
        for grant in (await members.member(store, (await people.named(store, f"viewer {HERE}")).id)).grants:
            await end(store, grant.id, "anna")
        yield 3

    async def look() -> work.Job:
        return replace(work.of_plan(await two.house.plans.get(plan, visit.reading)), going=True)

    stream = follow(visit, changes(), look)
    assert isinstance(stream, StreamingResponse)
    assert len([line async for line in stream.body_iterator]) == 2
