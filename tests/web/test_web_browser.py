"""The console in a real browser: reachable, quiet, accessible, and whole without script."""

import re
import shutil
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from cameras.secret import Secret
from fleet import estate, sites
from fleet.jump_hosts import rows as jump_hosts
from fleet.jump_hosts.host_keys import Door, HostKey, new_key, written
from fleet.people import members
from fleet.pictures.runner import Pictures
from fleet.settings import Settings
from fleet.sites import Site
from fleet.views import DeviceFilter, FindingFilter
from health.visit import Pace
from tests.fleet.eyes import Estate, Eye
from tests.health.rendering import covered, street
from tests.web.conftest import PASSWORD, Furnished, House
from tests.web.consoles import Console, watched
from tests.web.jobs_samples import a_job, a_plan, a_rollout, a_rotation, a_schedule
from tests.web.pictures_samples import labelled
from web.words import FIRST_STEPS

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 640}


EMPTY = {"overview": "/", "devices": "/devices", "scans": "/scans", "checks": "/checks", "missing": "/nowhere"}


async def every_page(_stack: AsyncExitStack, house: House) -> dict[str, str]:
    scan = await house.scans.start("127.0.0.88 127.0.0.89", "operator", default_credentials=False)
    async for _ in house.scans.events(scan):
        pass
    camera = (await estate.devices(house.store, DeviceFilter(text="10.20.1.13"))).items[0]
    finding = (await estate.findings(house.store, FindingFilter(camera=camera.id))).items[0]
    seen = await seen_camera(house)
    await house.service.vault.put(camera.id, "root", Secret("a-password-of-a-camera"), "anna", login=True)
    house.service.audit.begin_check()
    person = (await members.members(house.store))[0].person.id
    await sites.put(house.store, Site("Harbour office", ("10.20.1.0/27",), "Europe/Berlin", "22:00-05:00"), "anna")
    door = Door("camwarden", "gate.example.com")
    await jump_hosts.put(house.store, "Harbour office", door, HostKey(written(new_key())), "anna")
    await sites.put(house.store, Site("Depot"), "anna")
    return {
        **EMPTY,
        "device": f"/devices/{camera.id}",
        "search": "/search?q=10.20.1",
        "nothing found": "/search?q=nothing-is-called-so",
        "cameras that came": "/devices?event=found&since=2020-01-01T00:00:00Z",
        "findings": "/findings",
        "findings by check": "/findings?by=check",
        "no findings": "/findings?q=nothing-is-called-so",
        "finding": f"/findings/{finding.id}",
        "scan": f"/scans/{scan}",
        "images": "/images",
        "no images": "/images?q=nothing-is-called-so",
        "image": f"/images/{seen}",
        "accuracy": f"/images/{seen}/accuracy",
        "settings": "/settings",
        "people": f"/settings/people?person={person}",
        "person access": f"/people/{person}/access",
        "account": "/account",
        "audit": "/settings/audit",
        "vault": "/settings/vault",
        "vault of a camera": f"/settings/vault/{camera.id}",
        "sites": "/sites?edit=Harbour+office",
        "expected": "/expected?all=1",
        "jump host": "/sites/Harbour%20office/jump",
        "reports": "/reports",
        "jobs": "/jobs",
        "queue": "/jobs/queue",
        "job": f"/jobs/queue/{await a_job(house)}",
        "schedules": f"/schedules?edit={await a_schedule(house)}",
        "new plan": f"/plans/new?camera={camera.id}&setting=discovery-mode",
        "plan": f"/plans/{await a_plan(house)}",
        "new password change": "/rotations/new",
        "password change": f"/rotations/{await a_rotation(house)}",
        "rollouts": "/rollouts",
        "rollout": f"/rollouts/{await a_rollout(house)}",
        "new rollout": "/rollouts/new?q=AXIS",
    }


async def nothing(_stack: AsyncExitStack, _house: House) -> dict[str, str]:
    return EMPTY


async def seen_camera(house: House) -> str:
    """A camera with an approved view, a newer picture beside it, a watch and labels."""
    camera = (await estate.devices(house.store, DeviceFilter(text="10.20.1.50"))).items[0].id
    eyes = Estate()
    eyes.eyes["10.20.1.50"] = Eye()
    settings = Settings(home=house.home, picture_minutes=0)
    async with Pictures(house.store, settings, eyes.access_to, pace=Pace(pictures=3, seconds=0)) as pictures:
        await pictures.approve(camera, "anna")
        eyes.eyes["10.20.1.50"].look = covered(0.6, 30)(street())
        for _ in range(4):
            await pictures.check_now(camera)
    await labelled(house.service, camera)
    return camera


PAGES = (
    "overview",
    "devices",
    "device",
    "search",
    "nothing found",
    "cameras that came",
    "findings",
    "findings by check",
    "no findings",
    "finding",
    "scans",
    "scan",
    "checks",
    "images",
    "no images",
    "image",
    "accuracy",
    "settings",
    "people",
    "person access",
    "account",
    "sites",
    "expected",
    "jump host",
    "reports",
    "jobs",
    "queue",
    "job",
    "schedules",
    "new plan",
    "plan",
    "new password change",
    "password change",
    "rollouts",
    "rollout",
    "new rollout",
    "missing",
    "audit",
    "vault",
    "vault of a camera",
)
OF_ADMINISTRATORS = frozenset({"audit", "people", "person access", "vault", "vault of a camera"})


@pytest.fixture(scope="module")
def console(furnished: Furnished, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    home = tmp_path_factory.mktemp("console") / "home"
    shutil.copytree(furnished.home, home)
    with closing(Console(Settings(home=home), every_page)) as running:
        yield running


@pytest.fixture
def new_console(tmp_path: Path) -> Iterator[Console]:
    with closing(Console(Settings(home=tmp_path / "home"), nothing)) as running:
        yield running


def visitor_of(name: str) -> str:
    return "administrator" if name in OF_ADMINISTRATORS else "operator"


def look(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.locator("h1")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_accessibility_violation(
    name: str, scheme: str, browser: Browser, console: Console, furnished: Furnished
) -> None:
    with watched(browser, console, furnished.tokens[visitor_of(name)], color_scheme=scheme, viewport=DESK) as page:
        look(page, console.paths[name])
        page.evaluate("() => { for (const folded of document.querySelectorAll('details')) folded.open = true; }")
        assert violations(page) == []


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_door_has_no_accessibility_violation(scheme: str, browser: Browser, console: Console) -> None:
    with watched(browser, console, None, color_scheme=scheme) as page:
        look(page, "/sign-in")
        assert violations(page) == []


@pytest.mark.parametrize("size", [PHONE, NARROW], ids=["390 px", "320 px"])
@pytest.mark.parametrize("name", PAGES)
def test_a_phone_never_scrolls_sideways(
    name: str, size: dict[str, int], browser: Browser, console: Console, furnished: Furnished
) -> None:
    with watched(browser, console, furnished.tokens[visitor_of(name)], viewport=size) as page:
        look(page, console.paths[name])
        assert page.evaluate("() => document.documentElement.scrollWidth") <= size["width"]


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_from_the_token_to_the_overview(*, script: bool, browser: Browser, new_console: Console) -> None:
    with watched(browser, new_console, None, java_script_enabled=script) as page:
        page.goto("/")
        expect(page).to_have_url(f"{new_console.origin}/set-up")
        page.get_by_label("Set-up token").fill(new_console.token or "")
        page.get_by_label("Your name for signing in").fill("anna")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password once more").fill(PASSWORD)
        page.get_by_role("button", name="Create the first administrator").click()
        expect(page.get_by_role("heading", name="Protect your account")).to_be_visible()
        page.get_by_role("link", name="Leave for now").click()
        expect(page.get_by_role("heading", name="Find your cameras")).to_be_visible()
        page.get_by_role("button", name="Do not show this again").click()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Find your cameras")).to_be_visible()
        page.get_by_label("Where are your cameras?").fill("127.0.0.66")
        page.get_by_label("Try documented default passwords").uncheck()
        page.get_by_role("button", name="Start the first scan").click()
        # The page comes to its end by itself: by events with script, by refreshing without.
        expect(page.get_by_text("Finished")).to_be_visible(timeout=30_000)
        came_back = page.url
        page.get_by_role("link", name="Devices").first.click()
        page.goto(came_back)
        expect(page.get_by_role("cell", name="127.0.0.66")).to_be_visible()


def test_the_first_steps_in_the_dark_on_a_phone(browser: Browser, console: Console, furnished: Furnished) -> None:
    token, size = furnished.tokens["administrator"], PHONE
    with watched(browser, console, token, color_scheme="dark", viewport=size) as page:
        for path in (*(step.href for step in FIRST_STEPS.values()), "/first-steps/findings"):
            look(page, path)
            assert page.evaluate("() => document.documentElement.scrollWidth") <= size["width"], path
            assert violations(page) == [], path


def test_findings_are_triaged_without_script(browser: Browser, console: Console, furnished: Furnished) -> None:
    with watched(browser, console, furnished.tokens["operator"], java_script_enabled=False) as page:
        look(page, "/findings?q=10.20.1.12")
        page.get_by_role("checkbox").first.check()
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_role("heading", name="1 finding acknowledged")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("heading", name="1 finding opened again")).to_be_visible()


def test_the_selection_says_how_many_of_how_many(browser: Browser, console: Console, furnished: Furnished) -> None:
    with watched(browser, console, furnished.tokens["operator"], viewport=DESK) as page:
        look(page, "/findings?severity=critical")
        boxes = page.locator("input[name=id]")
        acknowledge = page.get_by_role("button", name="Acknowledge")
        expect(acknowledge).to_be_disabled()
        page.get_by_label("Select all on this page").check()
        matching = page.locator("output").get_attribute("data-matching")
        expect(page.locator("output")).to_contain_text(f"{boxes.count()} selected of {matching} matching")
        boxes.first.uncheck()
        expect(page.locator("output")).to_contain_text(f"{boxes.count() - 1} selected of {matching} matching")
        expect(acknowledge).to_be_enabled()


def test_the_theme_changes_at_once_and_stays(browser: Browser, console: Console, furnished: Furnished) -> None:
    with watched(browser, console, furnished.tokens["viewer"]) as page:
        look(page, "/checks")
        page.get_by_role("button", name="Dark colours").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        look(page, "/devices")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(page.get_by_role("button", name="Dark colours")).to_have_attribute("aria-pressed", "true")


def test_the_keyboard_reaches_the_content_and_the_search(
    browser: Browser, console: Console, furnished: Furnished
) -> None:
    with watched(browser, console, furnished.tokens["viewer"]) as page:
        look(page, "/")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.keyboard.press("/")
        expect(page.locator("#search")).to_be_focused()
        page.keyboard.type("10.20.1.13")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Cameras")).to_be_visible()
        expect(page.locator("main a[href^='/devices/']")).to_have_count(1)


def test_the_palette_answers_while_one_types_and_jumps(
    browser: Browser, console: Console, furnished: Furnished
) -> None:
    with watched(browser, console, furnished.tokens["viewer"], viewport=DESK) as page:
        look(page, "/checks")
        page.keyboard.press("Control+k")
        field = page.locator("#search")
        expect(field).to_be_focused()
        page.keyboard.type("commiss")
        expect(page.get_by_role("option")).to_have_count(1)
        page.keyboard.press("ArrowDown")
        expect(field).to_have_attribute("aria-activedescendant", "palette-0")
        assert violations(page) == []
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{console.origin}/commissioning")
        page.keyboard.press("Control+k")
        page.keyboard.type("10.20.1.13")
        expect(page.get_by_role("option").first).to_contain_text("10.20.1.13")
        page.keyboard.press("Escape")
        expect(page.get_by_role("option")).to_have_count(0)
        page.keyboard.type(" ")
        page.get_by_role("option").first.click()
        expect(page).to_have_url(re.compile("/devices/[0-9a-f-]+$"))


def test_the_palette_finds_people_for_whoever_may_read_who_there_is(
    browser: Browser, console: Console, furnished: Furnished
) -> None:
    with watched(browser, console, furnished.tokens["auditor"], viewport=DESK) as page:
        look(page, "/checks")
        page.keyboard.press("Control+k")
        page.keyboard.type("integrat")
        page.get_by_role("option", name="integrator").click()
        expect(page.locator("details[open] summary")).to_contain_text("integrator")


def test_one_searches_without_script(browser: Browser, console: Console, furnished: Furnished) -> None:
    with watched(browser, console, furnished.tokens["viewer"], java_script_enabled=False) as page:
        look(page, "/")
        page.get_by_label("Find anything").fill("10.20.1.13")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Cameras")).to_be_visible()


def test_times_are_told_as_distances_with_the_date_beside(
    browser: Browser, console: Console, furnished: Furnished
) -> None:
    with watched(browser, console, furnished.tokens["viewer"]) as page:
        look(page, console.paths["scan"])
        time = page.locator("time").first
        expect(time).to_have_text(re.compile("just now|ago"))
        assert (time.get_attribute("title") or "").endswith("UTC")


def test_the_slider_uncovers_the_reference(browser: Browser, console: Console, furnished: Furnished) -> None:
    with watched(browser, console, furnished.tokens["viewer"], viewport=DESK) as page:
        look(page, console.paths["image"])
        slider = page.get_by_role("slider", name="From now to reference")
        reference = page.locator("img.reference")
        expect(reference).to_have_css("clip-path", "inset(0px 100% 0px 0px)")
        slider.fill("40")
        expect(reference).to_have_css("clip-path", "inset(0px 60% 0px 0px)")
        page.get_by_label("Reference", exact=True).check()
        expect(reference).to_have_css("clip-path", "inset(0px 0% 0px 0px)")
        page.get_by_label("Now", exact=True).check()
        expect(reference).to_have_css("clip-path", "inset(0px 100% 0px 0px)")


def test_reference_and_now_are_chosen_without_script(browser: Browser, console: Console, furnished: Furnished) -> None:
    with watched(browser, console, furnished.tokens["viewer"], java_script_enabled=False) as page:
        look(page, console.paths["image"])
        expect(page.locator("img.reference")).to_be_hidden()
        page.get_by_label("Reference", exact=True).check()
        expect(page.locator("img.reference")).to_be_visible()
        expect(page.get_by_role("slider")).to_have_count(0)
