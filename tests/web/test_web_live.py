"""Pages of work that goes on, in a real browser: they tell how it goes by themselves, and are not loaded again."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, expect

from fleet import estate, leases
from fleet.people import accounts as people
from fleet.people.permissions import Role
from fleet.rollouts import orders as rollout_orders
from fleet.settings import Settings
from fleet.signing_in import steps as signing_in
from hardening.baseline import parse_baseline
from simulator.manifest import credentials
from tests.fleet.rollout_samples import RULES, firmware
from tests.simulator.asking import estate as simulated
from tests.web.conftest import PASSWORD, House
from tests.web.consoles import Console, watched
from tests.web.jobs_samples import BASELINE

LONG_MS = 30_000  # the work itself takes some seconds
RULES_HERE = replace(RULES, restart_most=timedelta(seconds=60), rollback_after=timedelta(minutes=5))


@asynccontextmanager
async def plan(house: House, camera: str) -> AsyncIterator[str]:
    """The path of one that is being applied, and waits for other work on its camera until this ends."""
    made = await house.plans.create(parse_baseline(BASELINE), [camera], "anna")
    async with aclosing(house.plans.events(made)) as events:
        async for _ in events:
            pass
    await house.plans.approve(made, "anna")
    async with leases.hold(house.store, camera, "other work"):
        await house.plans.start(made, "anna")
        yield f"/plans/{made}"


@asynccontextmanager
async def rotation(house: House, camera: str) -> AsyncIterator[str]:
    """As above: one that has begun and waits."""
    async with leases.hold(house.store, camera, "other work"):
        yield f"/rotations/{await house.service.rotations.start([camera], None, 'anna')}"


@asynccontextmanager
async def rollout(house: House, camera: str) -> AsyncIterator[str]:
    """The path of one that was started and paused, and is resumed when this ends."""
    bundle = await firmware(house.store, house.service.settings, "12.11.99", models=[await model(house, camera)])
    made = await rollout_orders.create(house.store, bundle.id, [camera], "anna", rules=RULES_HERE, name="Spring round")
    work = house.service.rollouts
    await work.approve(made, "berta")
    await rollout_orders.start(house.store, made, "anna")
    await work.pause(made, "anna")
    yield f"/rollouts/{made}"
    await work.resume(made, "anna")


async def model(house: House, camera: str) -> str:
    found = (await estate.device(house.store, camera)).row.model
    assert found
    return found


class Live(NamedTuple):
    """`begin` holds the work; then the state and the camera say what stands here, before and once it went on."""

    begin: Callable[[House, str], AbstractAsyncContextManager[str]]
    before: str
    camera_before: str
    after: str
    camera_after: str
    cameras: str = "#cameras"


WORK = {
    "a plan": Live(plan, "Applying", "Waiting", "Done", "Done"),
    "a change of passwords": Live(rotation, "Changing", "Waiting", "Done", "New password"),
    "a rollout": Live(rollout, "Paused", "Waiting", "Done", "Proved", "#targets"),
}


class Site:
    """A console over as many simulated cameras as there are kinds of work."""

    def __init__(self, home: Path) -> None:
        self.cameras: list[str] = []
        self.session = ""
        self.house: House | None = None
        self.console = Console(Settings(home=home / "home", credentials_file=home / "logins.yaml"), self._furnish)

    async def _furnish(self, stack: AsyncExitStack, house: House) -> dict[str, str]:
        wrong = {"discovery-left-on": len(WORK)}
        running = await stack.enter_async_context(
            simulated(cameras=len(WORK), mix={"axis": 1}, faults=wrong, reboot_s=0.1)
        )
        logins = house.service.settings.credentials_file
        assert logins
        await asyncio.to_thread(logins.write_text, credentials(running.plan))
        await asyncio.to_thread(logins.chmod, 0o600)
        await people.add_user(house.store, "anna", PASSWORD, Role.OPERATOR)
        self.session = (await signing_in.sign_in(house.store, "anna", PASSWORD, "127.0.0.1")).token.reveal()
        where = " ".join(f"http://{one.address}:{one.http_port}" for one in running.plan.cameras)
        scan = await house.scans.start(where, "anna", default_credentials=False)
        async with aclosing(house.scans.events(scan)) as events:
            async for _ in events:
                pass
        self.cameras = [row.id for row in (await estate.devices(house.store)).items]
        self.house = house
        return {}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("live"))
    with closing(site.console):
        yield site


@pytest.mark.parametrize("name", WORK)
def test_a_page_tells_by_itself_how_its_work_goes_on(name: str, browser: Browser, site: Site) -> None:
    live, camera = WORK[name], site.cameras[list(WORK).index(name)]
    assert site.house
    work = live.begin(site.house, camera)
    with watched(browser, site.console, site.session) as page:
        page.goto(site.console.run(work.__aenter__()))
        state, cameras = page.get_by_role("region", name="State"), page.locator(live.cameras)
        expect(state).to_contain_text(live.before)
        expect(cameras).to_contain_text(live.camera_before)
        expect(page).to_have_title(re.compile(live.before))
        page.evaluate("() => { window.stayed = true; }")
        site.console.run(work.__aexit__(None, None, None))
        expect(state).to_contain_text(live.after, timeout=LONG_MS)
        expect(cameras).to_contain_text(live.camera_after)
        expect(page.get_by_role("status")).to_have_text(f"{live.after}: 1 of 1 camera")
        expect(page.get_by_role("progressbar")).to_have_count(0)
        expect(page).to_have_title(re.compile(live.after))
        assert page.evaluate("() => window.stayed") is True, "the page was loaded again"
