"""The demonstration as a person watches it: the story is told by itself, and the console shows what came of it."""

import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.cli.running import environment

pytestmark = pytest.mark.timeout(600)

PATIENCE_S = 400
ROOT = Path(__file__).parents[2]


@dataclass
class Demo:
    """A running demonstration: where it is, how to sign in, and what its story has said."""

    process: "subprocess.Popen[str]"
    lines: "queue.Queue[str]" = field(default_factory=queue.Queue)
    url: str = ""
    password: str = ""
    told: str = ""

    def listen(self) -> None:
        """Until it is told. The streams are read by threads of their own."""
        for stream in (self.process.stdout, self.process.stderr):
            threading.Thread(target=self._read, args=(stream,), daemon=True).start()
        while "The story is told" not in self.told:
            line = self.lines.get(timeout=PATIENCE_S)
            self.told += line
            if found := re.search(r"Console\s+(\S+)", line):
                self.url = found[1]
            if found := re.search(r"Password\s+(\S+)", line):
                self.password = found[1]

    def _read(self, stream: Iterator[str]) -> None:
        for line in stream:
            self.lines.put(line)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home = tmp_path_factory.mktemp("demo")
    process = subprocess.Popen(
        [sys.executable, "-c", "from fleet.cli import main; main()", "demo", "--port", "0", "--no-browser"],
        env={**environment(home), "PYTHONPATH": str(ROOT)},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    running = Demo(process)
    try:
        running.listen()
        yield running
    finally:
        process.terminate()
        process.wait(60)
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


@pytest.fixture(scope="module")
def page(demo: Demo, chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = browser.new_page()
        opened.goto(f"{demo.url}/sign-in")
        opened.fill("input[name=name]", "demo")
        opened.fill("input[name=password]", demo.password)
        opened.click("main button")
        yield opened
        browser.close()


def test_every_part_of_the_story_is_told(demo: Demo) -> None:
    assert "not shown this time" not in demo.told, demo.told
    for said in (
        r"password: .* had its default one; changed and proved",
        r"plan: \d+ cameras against the baseline essential: done",
        r"rollout: .*: stopped-by-itself",
        r"pictures: .* shows .*obstruction",
        r"accuracy: .*: drifted \(model\)",
        r"commissioning: .* is signed",
    ):
        assert re.search(said, demo.told), (said, demo.told)


def test_the_default_password_is_a_fixed_finding(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.url}/findings?check=default-credentials&state=fixed")
    expect(page.locator("tbody tr").first).to_contain_text("Fixed")


def test_the_work_is_listed_with_how_it_ended(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.url}/jobs")
    for word in ("essential", "to 9.80", "127."):
        expect(page.locator("main")).to_contain_text(word)


def test_the_covered_lens_is_on_the_wall(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.url}/images?faults=1")
    expect(page.locator(".wall")).to_contain_text("Covered")
    page.locator(".wall a", has=page.locator("img")).first.click()
    expect(page.locator("h2", has_text="Reference and now")).to_be_visible()


def test_an_accuracy_card_shows_the_drift(demo: Demo, page: Page) -> None:
    address = re.search(r"accuracy: .*sees, (127\.[\d.]+) with", demo.told)
    assert address
    page.goto(f"{demo.url}/devices?q={address[1]}")
    camera = page.locator("tbody a").first.get_attribute("href")
    assert camera
    page.goto(f"{demo.url}/images/{camera.rpartition('/')[2]}/accuracy")
    expect(page.locator(".head")).to_contain_text("Drifted")
    expect(page.locator(".head")).to_contain_text("model")


def test_the_signed_checklist_is_handed_over(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.url}/commissioning")
    page.click("text=Harbour office")
    expect(page.locator("main")).to_contain_text("Signed by Dana Demo")
    with page.expect_download() as download:
        page.click("text=Handover package")
    assert download.value.suggested_filename.endswith(".zip")
