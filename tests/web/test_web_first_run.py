"""From the printed token to a finding: the service as a process, a simulated estate beside it, a real browser, filmed.

`TESTS_FILM_INTO=FOLDER` keeps film and trace there; without it they stay in the test's own folder, where it fails.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from tests.cli.running import environment
from tests.web.conftest import PASSWORD
from tests.web.consoles import watched
from tests.web.filming import filmed
from tests.web.test_web_browser import DESK, PHONE, violations

pytestmark = pytest.mark.timeout(240)

ROOT = Path(__file__).parents[2]
LONG_MS = 60_000  # scans take some seconds, on a busy machine many
CAMERAS = 5


@dataclass(frozen=True, slots=True)
class Served:
    """A service as `camwarden serve` starts it: where it listens, and the token that it printed."""

    origin: str
    token: str


@contextmanager
def process(words: Sequence[str], home: Path) -> Iterator[IO[str]]:
    """What it says on both streams, line by line."""
    env = {**environment(home), "PYTHONPATH": str(ROOT), "CAMWARDEN_PICTURE_MINUTES": "0"}
    env["CAMWARDEN_LOG_LEVEL"] = "warning"  # nobody reads on once it has started
    command = [sys.executable, "-P", *words]
    running = subprocess.Popen(command, cwd=home, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert running.stdout
    try:
        yield running.stdout
    finally:
        running.terminate()
        running.communicate(timeout=60)


def said(lines: IO[str], pattern: str) -> str:
    for line in lines:
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError(f"it ended without a word of {pattern!r}")


@pytest.fixture
def login(tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """The network of a simulated estate, and the account and password of all its cameras."""
    base, file = f"127.{100 + os.getpid() % 150}.251", tmp_path / "credentials.yaml"
    words = [f"--cameras={CAMERAS}", f"--base={base}.1", "--seed=457", "--one-login", "--decoys=1"]
    faults = [f"--fault={name}" for name in ("default-credentials=1", "telnet-open=1", "discovery-left-on=3")]
    with process(["-m", "simulator", *words, *faults, f"--credentials-out={file}"], tmp_path) as lines:
        said(lines, "(ready):")
        one = yaml.safe_load(file.read_text())[0]
        yield f"{base}.0/28", one["username"], one["password"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    home = tmp_path / "home"
    home.mkdir()
    with process(["-c", "from fleet.cli import main; main()", "serve", "--port", "0"], home) as lines:
        origin = said(lines, r"listens on (\S+)")
        yield Served(origin, said(lines, r"token: (\S+)"))


def test_a_new_administrator_reaches_the_first_finding(
    browser: Browser, login: tuple[str, str, str], served: Served, tmp_path: Path
) -> None:
    network, account, password = login
    wanted = os.environ.get("TESTS_FILM_INTO")
    began = time.monotonic()
    options = {"viewport": DESK, "timezone_id": "Europe/Berlin"}
    folder = Path(wanted or tmp_path / "film")
    with watched(browser, served, None, **options) as page, filmed(page, folder, always=bool(wanted)):
        page.goto("/")
        page.get_by_label("Set-up token").fill(served.token)
        page.get_by_label("Your name for signing in").fill("anna")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password once more").fill(PASSWORD)
        page.get_by_role("button", name="Create the first administrator").click()

        looked_at(page, "Protect your account", "Step 1 of 6")
        page.get_by_role("button", name="Set up an app").click()
        secret = page.get_by_role("link", name="open the app").get_attribute("href") or ""
        page.get_by_label("Code of your app").fill(pyotp.TOTP(parse_qs(urlsplit(secret).query)["secret"][0]).now())
        page.get_by_role("button", name="Set up the app").click()
        expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
        page.get_by_role("link", name="Go on").click()

        looked_at(page, "Where are your cameras?", "Step 2 of 6")
        expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
        page.get_by_label("Name").fill("Harbour office")
        page.get_by_label("Networks").fill(network)
        page.get_by_role("button", name="Add the site and go on").click()

        looked_at(page, "Look around, without a password", "Step 3 of 6")
        page.get_by_role("button", name="Look around now").click()
        expect(page.get_by_role("heading", name=f"{CAMERAS} cameras found")).to_be_visible(timeout=LONG_MS)
        page.get_by_role("link", name="Next: Decide what is yours").click()

        looked_at(page, "Which of these are yours?", "Step 4 of 6")
        page.get_by_role("button", name="Decide and go on").click()

        looked_at(page, "A login for these cameras", "Step 5 of 6")
        page.get_by_label("Account on the cameras").fill(account)
        page.get_by_label("Its password").fill(password)
        page.get_by_label("all others that have no login").check()
        page.get_by_role("button", name="Try it on one camera").click()
        expect(page.get_by_role("heading", name="Every adopted camera has a login")).to_be_visible(timeout=LONG_MS)
        page.get_by_role("link", name="Next: Examine them").click()

        looked_at(page, "Examine them", "Step 6 of 6")
        page.get_by_role("button", name="Examine them now").click()
        page.get_by_role("link", name="Your first findings").click(timeout=LONG_MS)

        looked_at(page, "Your first findings", "First steps")
        page.get_by_role("link", name="Open the finding").click()
        expect(page.get_by_role("heading", name="Default credentials")).to_be_visible()
        expect(page.get_by_role("heading", name="What to do about it")).to_be_visible()
        page.get_by_role("link", name="Overview").click()
        expect(page.get_by_text("First steps")).to_have_count(0)
        sys.stdout.write(f"\nfrom the token to the first finding: {time.monotonic() - began:.0f} s\n")


def looked_at(page: Page, title: str, step: str) -> None:
    """The page of that step, whole for whoever cannot see it, and no wider than a phone."""
    expect(page.locator("h1")).to_have_text(title)
    expect(page.locator(".crumb")).to_have_text(step)
    assert violations(page) == []
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
