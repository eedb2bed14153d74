"""Signing in with a second factor in a real browser: security keys, an app without script, and a fresh proof."""

import re
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from fleet.people import accounts as people
from fleet.people.permissions import Role
from fleet.settings import Settings
from tests.web.conftest import PASSWORD, House
from tests.web.consoles import Console, watched

NARROW = {"width": 320, "height": 640}


async def _nobody(_stack: AsyncExitStack, _house: House) -> dict[str, str]:
    return {}


async def _anna(_stack: AsyncExitStack, house: House) -> dict[str, str]:
    await people.add_user(house.store, "anna", PASSWORD, Role.ADMINISTRATOR)
    await people.add_user(house.store, "berta", PASSWORD, Role.VIEWER)
    return {}


@pytest.fixture
def by_name(tmp_path: Path) -> Iterator[Console]:
    """A new console that people reach by a name: browsers keep security keys for names only."""
    with closing(Console(Settings(home=tmp_path / "home"), _nobody)) as running:
        running.origin = running.origin.replace("127.0.0.1", "localhost")
        yield running


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Console]:
    """A console, reached by an address, in which everyone must have a second factor."""
    with closing(Console(Settings(home=tmp_path / "home", second_factor="everyone"), _anna)) as running:
        yield running


def look(page: Page, heading: str) -> None:
    """The page is there, usable for everybody, and as wide as a phone."""
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]] == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= NARROW["width"]


def sign_in(page: Page, name: str = "anna") -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def security_key(page: Page) -> None:
    """Chromium's own authenticator, which is touched at once."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, "automaticPresenceSimulation": True}})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_administrator_comes_in_with_a_security_key(scheme: str, browser: Browser, by_name: Console) -> None:
    with watched(browser, by_name, None, viewport=NARROW, color_scheme=scheme) as page:
        security_key(page)
        page.goto("/set-up")
        page.get_by_label("Set-up token").fill(by_name.token or "")
        page.get_by_label("Your name for signing in").fill("anna")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password once more").fill(PASSWORD)
        page.get_by_role("button", name="Create the first administrator").click()
        look(page, "Protect your account")
        page.get_by_role("link", name="Set up a key").click()
        look(page, "Set up a security key")
        page.get_by_label("What do you call this key?").fill("blue key")
        page.get_by_role("button", name="Set up the security key").click()
        look(page, "Your recovery codes")
        expect(page.locator("ul.codes li")).to_have_count(10)
        page.get_by_role("link", name="Go on").click()
        look(page, "Where are your cameras?")
        page.goto("/account")
        look(page, "My account")
        expect(page.get_by_text("blue key").first).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(re.compile("/sign-in$"))
        sign_in(page)
        look(page, "One more step")
        page.get_by_role("button", name="Use a security key").click()
        expect(page.get_by_role("heading", name="Find your cameras")).to_be_visible()
        page.goto("/prove?next=/checks")
        look(page, "Is it you?")
        page.get_by_role("button", name="Use a security key").click()
        expect(page).to_have_url(re.compile("/checks$"))


def test_without_script_and_by_an_address_an_app_is_set_up_before_anything_else(
    browser: Browser, strict: Console
) -> None:
    with watched(browser, strict, None, java_script_enabled=False) as page:
        sign_in(page)
        expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
        expect(page.get_by_text("You reached it by an address")).to_be_visible()
        page.goto("/devices")
        expect(page).to_have_url(re.compile("/sign-in"))
        page.goto("/sign-in/enrol")
        secret = re.sub(r"\s", "", page.locator(".told .mono").inner_text())
        page.get_by_label("Code of your app").fill(pyotp.TOTP(secret).now())
        page.get_by_role("button", name="Set up the app").click()
        expect(page.locator("ul.codes li")).to_have_count(10)
        codes = page.locator("ul.codes li").all_inner_texts()
        page.get_by_role("link", name="Go on").click()
        expect(page.get_by_role("heading", name="Find your cameras")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(re.compile("/sign-in$"))
        sign_in(page)
        page.get_by_label("Code of your app, or a recovery code").fill(codes[0])
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("heading", name="Find your cameras")).to_be_visible()


def test_the_pages_of_an_app_and_of_other_people_are_usable_by_everybody(browser: Browser, strict: Console) -> None:
    with watched(browser, strict, None, viewport=NARROW) as page:
        sign_in(page)
        look(page, "Set up a second factor")
        secret = re.sub(r"\s", "", page.locator(".told .mono").inner_text())
        page.get_by_label("Code of your app").fill(pyotp.TOTP(secret).now())
        page.get_by_role("button", name="Set up the app").click()
        expect(page.locator("ul.codes li")).to_have_count(10)
        page.goto("/account")
        page.get_by_role("button", name="Remove the app").click()
        look(page, "My account")
        page.get_by_role("button", name="Set up an app").click()
        look(page, "Set up an app")
        page.goto("/settings/people")
        page.locator("summary").filter(has_text="berta").click()
        page.get_by_role("link", name="How berta signs in").click()
        look(page, "How berta signs in")
