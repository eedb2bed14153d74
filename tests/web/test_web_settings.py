"""The page of settings: keys for machines made and ended by an administrator, and what everybody may read there."""

import html
import re
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from fleet import tokens
from fleet.settings import Settings
from fleet.tokens import MOST_DAYS, Scope, Token
from tests.web.conftest import House, Visit, Visitor, browser
from web.app import create_app

FORM = {"name": "nightly", "scope": ["read", "scan"], "days": "30"}
TEXT = re.compile(r"cw_[a-z0-9]{12}\.[A-Za-z0-9_-]{43}")


async def the_key(house: House) -> Token:
    (key,) = await tokens.tokens(house.store)
    return key


async def asked_with(house: House, text: str, method: str = "GET", path: str = "/api/v1/cameras") -> httpx.Response:
    async with browser(house.app) as machine:
        headers = {"Authorization": f"Bearer {text}"}
        return await machine.request(method, path, headers=headers, json={"targets": "127.0.0.99"})


async def test_a_token_is_shown_once_and_opens_what_was_ticked(house: House, visit: Visit) -> None:
    administrator = visit("administrator")
    made = await administrator.post("/settings/tokens", FORM, form="/settings")
    (text,) = TEXT.findall(made.text)
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    assert (await asked_with(house, text)).status_code == 200
    assert (await asked_with(house, text, "POST", "/api/v1/scans")).status_code == 202
    assert (await asked_with(house, text, "POST", "/api/v1/plans")).status_code == 403
    key = await the_key(house)
    assert (key.name, key.scopes, key.created_by) == ("nightly", (Scope.READ, Scope.SCAN), "administrator")
    assert round((key.expires_at - key.created_at).total_seconds() / 86400) == 30
    for role in ("administrator", "viewer"):
        page = (await visit(role).get("/settings")).text
        assert "nightly" in page
        assert not TEXT.search(page)


async def test_a_token_that_was_revoked_opens_nothing_any_more(house: House, visit: Visit) -> None:
    administrator = visit("administrator")
    (text,) = TEXT.findall((await administrator.post("/settings/tokens", FORM, form="/settings")).text)
    revoke = f"/settings/tokens/{(await the_key(house)).id}/revoke"
    assert revoke in (await administrator.get("/settings")).text
    assert (await administrator.post(revoke, {}, form="/settings")).headers["location"] == "/settings"
    assert (await asked_with(house, text)).status_code == 401
    page = (await administrator.get("/settings")).text
    assert "revoked" in page
    assert revoke not in page
    assert (await administrator.post("/settings/tokens/nobody/revoke", {})).status_code == 404


MISTAKES: dict[str, tuple[dict[str, object], str]] = {
    "no name": ({"name": "  "}, "a name that says who uses it"),
    "no scope": ({"scope": []}, "at least one scope"),
    "only a scope that does not exist": ({"scope": ["administer"]}, "at least one scope"),
    "no days": ({"days": ""}, f"from 1 to {MOST_DAYS} days"),
    "days that have passed": ({"days": "-1"}, f"from 1 to {MOST_DAYS} days"),
    "days without end": ({"days": "9" * 5000}, f"from 1 to {MOST_DAYS} days"),
    "days that are no number": ({"days": "²"}, f"from 1 to {MOST_DAYS} days"),
    "a day too many": ({"days": str(MOST_DAYS + 1)}, f"from 1 to {MOST_DAYS} days"),
}


@pytest.mark.parametrize(("change", "said"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_is_said_and_makes_no_token(
    change: dict[str, object], said: str, house: House, visit: Visit
) -> None:
    answer = await visit("administrator").post("/settings/tokens", {**FORM, **change}, form="/settings")
    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert not TEXT.search(answer.text)
    assert list(await tokens.tokens(house.store)) == []


async def test_a_scope_that_does_not_exist_adds_nothing(house: House, visit: Visit) -> None:
    sent = {**FORM, "scope": ["read", "administer", "root"]}
    await visit("administrator").post("/settings/tokens", sent, form="/settings")
    assert (await the_key(house)).scopes == (Scope.READ,)


async def test_the_name_of_a_token_is_only_text(house: House, visit: Visit) -> None:
    sent = {**FORM, "name": "<script>alert(1)</script>\x1b[31m"}
    page = (await visit("administrator").post("/settings/tokens", sent, form="/settings")).text
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;alert" in page
    assert (await the_key(house)).name.startswith("<script>")


@pytest.mark.parametrize("role", ["viewer", "operator"])
async def test_who_does_not_administer_reads_and_is_offered_no_form(role: str, house: House, visit: Visit) -> None:
    await tokens.create(house.store, "ci", [Scope.READ], "anna", days=1)
    page = (await visit(role).get("/settings")).text
    assert "an administrator makes tokens" in page
    assert 'action="/settings/tokens' not in page
    for name in ("administrator", "operator", "viewer"):
        assert f"<b>{name}</b>" in page


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


def test_the_page_names_settings_that_exist() -> None:
    text = (Path(__file__).parents[2] / "web" / "templates" / "settings.html").read_text()
    named = set(re.findall(r"<code>([a-z_]+)</code>", text))
    assert {"mail_to", "mail_host", "webhook_url", "webhook_secret_file"} <= named <= set(Settings.model_fields)
