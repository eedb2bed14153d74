"""The page of settings: who is told and what begins by itself, as everybody may read it."""

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.settings import Settings
from tests.web.conftest import House, Visit, Visitor, browser
from web.app import create_app

SECRET = "Kanarienvogel-7"
NOTICES: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "nothing is set": (
        {"mail_to": (), "webhook_url": None, "picture_days": 1},
        ("Name addresses in", "Set <code>webhook_url</code>", "only when somebody asks, kept for 1 day"),
    ),
    "all is set": (
        {
            "mail_to": ("guard@example.org", "owner@example.org"),
            "mail_host": "mail.example.org",
            "mail_port": 587,
            "webhook_url": f"https://chat.example.org/hooks/{SECRET}?key={SECRET}",
            "picture_days": 30,
        },
        (
            "guard@example.org, owner@example.org",
            "through mail.example.org:587",
            "<dd>chat.example.org</dd>",
            "kept for 30 days",
        ),
    ),
}


@pytest.mark.parametrize(("change", "words"), NOTICES.values(), ids=NOTICES)
async def test_who_is_told_is_shown_and_no_secret_with_it(
    change: dict[str, object], words: tuple[str, ...], house: House, visit: Visit
) -> None:
    settings = house.service.settings.model_copy(update=change)
    async with browser(create_app(replace(house.service, settings=settings))) as client:
        client.cookies.set("session", visit("viewer").client.cookies["session"])
        page = html.unescape((await Visitor(client).get("/settings")).text)
    for said in words:
        assert said in page
    assert SECRET not in page


async def test_who_may_come_in_is_for_those_who_audit(visit: Visit) -> None:
    for role, offered in (("viewer", False), ("operator", False), ("auditor", True), ("administrator", True)):
        assert ('href="/settings/people"' in (await visit(role).get("/settings")).text) is offered
        assert (await visit(role).get("/settings/people")).status_code == (200 if offered else 403)


def test_the_page_names_settings_that_exist() -> None:
    text = (Path(__file__).parents[2] / "web" / "templates" / "settings.html").read_text()
    named = set(re.findall(r"<code>([a-z_]+)</code>", text))
    assert {"mail_to", "mail_host", "webhook_url", "webhook_secret_file"} <= named <= set(Settings.model_fields)
