"""One's own account, the second step at the door, a fresh proof before dangerous acts, and single sign-on."""

import asyncio
import html
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import update

from fleet.people import accounts as people
from fleet.people.permissions import Role
from fleet.settings import Settings
from fleet.signing_in import sessions
from fleet.signing_in.second_factors import enrolled
from fleet.store import tables as t
from tests.fleet.provider import THEIR_WARNINGS, Running, provider
from tests.web.conftest import ADDRESS, PASSWORD, House, Visit, Visitor, browser, open_house

pytestmark = THEIR_WARNINGS


def code_of(page: httpx.Response) -> str:
    """What an app shows that took the secret of this page over by hand."""
    found = re.search(r'type <span class="mono">([A-Z2-7 ]+)</span>', page.text)
    assert found
    return pyotp.TOTP(found[1].replace(" ", "")).now()


def codes_of(page: httpx.Response) -> list[str]:
    return re.findall(r"<li>([a-z0-9]{4}(?:-[a-z0-9]{4}){3})</li>", page.text)


async def long_ago(house: House) -> None:
    """Nobody has shown lately who they are."""
    async with house.store.write() as connection:
        await connection.execute(update(t.Session).values(proved_at=house.store.now() - sessions.PROVED))


async def set_up_app(visitor: Visitor) -> list[str]:
    """The recovery codes."""
    answer = await visitor.post("/account/app/new", {})
    assert answer.headers["location"] == "/account/app"
    page = await visitor.get("/account/app")
    return codes_of(await visitor.post("/account/app", {"code": code_of(page)}))


async def sign_in(visitor: Visitor, name: str, target: str = "/") -> httpx.Response:
    return await visitor.post("/sign-in", {"name": name, "password": PASSWORD, "next": target}, form="/sign-in")


async def test_an_app_is_set_up_and_asked_for_at_the_next_sign_in(visit: Visit) -> None:
    codes = await set_up_app(visit("operator"))
    assert len(codes) == 10
    stranger = visit("stranger")
    answer = await sign_in(stranger, "operator", "/findings?q=x")
    assert answer.headers["location"] == "/sign-in/second?next=%2Ffindings%3Fq%3Dx"
    assert (await stranger.get("/findings")).headers["location"].startswith("/sign-in?")
    step = answer.headers["location"]
    wrong = await stranger.post("/sign-in/second", {"code": "000000", "next": "/findings?q=x"}, form=step)
    assert (wrong.status_code, "not accepted" in wrong.text) == (403, True)
    right = await stranger.post("/sign-in/second", {"code": codes[0], "next": "/findings?q=x"}, form=step)
    assert right.headers["location"] == "/findings?q=x"
    assert (await stranger.get("/findings")).status_code == 200
    again = await stranger.get(step)
    assert again.headers["location"] == "/sign-in"


async def test_recovery_codes_are_shown_once(visit: Visit) -> None:
    visitor = visit("operator")
    codes = await set_up_app(visitor)
    assert not codes_of(await visitor.get("/account"))
    assert "10 recovery codes" in (await visitor.get("/account")).text
    new = codes_of(await visitor.post("/account/recovery-codes", {}))
    assert (len(new), set(new) & set(codes)) == (10, set())


async def test_a_page_of_a_secret_has_a_picture_of_it(visit: Visit) -> None:
    visitor = visit("operator")
    await visitor.post("/account/app/new", {})
    page = (await visitor.get("/account/app")).text
    assert '<path d="M4 4h7v1h-7z' in page  # the first row of the corner
    assert "otpauth://totp/Camwarden:operator?secret=" in html.unescape(page)
    assert (await visitor.get("/account/app")).headers["cache-control"] == "no-store"


async def test_without_a_proof_of_lately_a_dangerous_form_leads_to_the_question_and_back(
    house: House, visit: Visit
) -> None:
    visitor = visit("administrator")
    await long_ago(house)
    fields = {"name": "ansible", "scope": "read", "days": "9", "csrf": await visitor.csrf()}
    came_from = {"Referer": f"{ADDRESS}/settings?tab=tokens"}
    asked = await visitor.client.post("/settings/tokens", data=fields, headers=came_from)
    assert asked.headers["location"] == "/prove?next=%2Fsettings%3Ftab%3Dtokens"
    assert "No token yet" in (await visitor.get("/settings/people")).text
    page = asked.headers["location"]
    wrong = await visitor.post("/prove", {"password": "wrong", "next": "/settings"}, form=page)
    assert (wrong.status_code, "wrong" in wrong.text) == (403, True)
    before = visitor.client.cookies["session"]
    right = await visitor.post("/prove", {"password": PASSWORD, "next": "/settings?tab=tokens"}, form=page)
    assert right.headers["location"] == "/settings?tab=tokens"
    assert right.cookies["session"] not in {before, ""}
    fields = {"name": "ansible", "scope": "read", "days": "9", "site": "*"}
    made = await visitor.post("/settings/tokens", fields)
    assert "cw_" in made.text


BACK = {
    "the page with the form": (f"{ADDRESS}/settings", "%2Fsettings"),
    "another site": ("https://evil.example/settings", "%2F"),
    "a site that looks like a path": (f"{ADDRESS}//evil.example/", "%2F"),
    "nothing": ("", "%2F"),
    "no address": ("http://[", "%2F"),
}


@pytest.mark.parametrize(("referer", "target"), BACK.values(), ids=BACK)
async def test_the_way_back_leads_nowhere_else(referer: str, target: str, house: House, visit: Visit) -> None:
    visitor = visit("administrator")
    await long_ago(house)
    fields = {"csrf": await visitor.csrf()}
    asked = await visitor.client.post("/account/app/new", data=fields, headers={"Referer": referer})
    assert asked.headers["location"] == f"/prove?next={target}"


async def test_an_app_proves_it_as_well_as_the_password(house: House, visit: Visit) -> None:
    visitor = visit("operator")
    codes = await set_up_app(visitor)
    await long_ago(house)
    assert (await visitor.get("/account/keys/new")).headers["location"] == "/prove?next=%2Faccount%2Fkeys%2Fnew"
    proved = await visitor.post("/prove", {"code": codes[0], "next": "/account/keys/new"}, form="/prove")
    assert proved.headers["location"] == "/account/keys/new"
    page = await visitor.get("/account/keys/new")
    assert "You reached it by an address" in page.text.replace("\n", " ")


async def test_a_script_with_a_session_is_told_where_to_prove_it(house: House, visit: Visit) -> None:
    await long_ago(house)
    me = (await visit("viewer").get("/api/v1/me")).json()
    assert (me["kind"], me["name"]) == ("person", "viewer")
    assert "read" in me["may"]


async def test_one_sees_ones_sessions_and_ends_the_others(house: House, visit: Visit) -> None:
    visitor, other = visit("operator"), visit("stranger")
    await sign_in(other, "operator")
    assert "2 sessions" in (await visitor.get("/account")).text
    assert (await visitor.post("/account/sessions/end-others", {})).status_code == 303
    assert (await other.get("/account")).headers["location"].startswith("/sign-in")
    assert (await visitor.get("/account")).status_code == 200
    person = await people.named(house.store, "viewer")
    foreign = (await sessions.sessions_of(house.store, person.id))[0].id
    assert (await visitor.post(f"/account/sessions/{foreign}/end", {})).status_code == 404


async def test_a_new_password_ends_the_other_sessions_and_wants_the_old_one(visit: Visit) -> None:
    visitor, other = visit("operator"), visit("stranger")
    await sign_in(other, "operator")
    new = "seven grey herons on a lake"
    wrong = await visitor.post("/account/password", {"present": "wrong", "new": new, "again": new})
    differ = await visitor.post("/account/password", {"present": PASSWORD, "new": new, "again": "x"})
    weak = await visitor.post("/account/password", {"present": PASSWORD, "new": "short", "again": "short"})
    assert [answer.status_code for answer in (wrong, differ, weak)] == [403, 422, 422]
    right = await visitor.post("/account/password", {"present": PASSWORD, "new": new, "again": new})
    assert right.headers["location"] == "/account"
    assert (await visitor.get("/account")).status_code == 200
    assert (await other.get("/account")).headers["location"].startswith("/sign-in")


async def test_an_administrator_resets_the_factors_of_others_and_never_their_own(house: House, visit: Visit) -> None:
    operator, root = visit("operator"), visit("administrator")
    await set_up_app(operator)
    await set_up_app(root)
    theirs, own = [await people.named(house.store, name) for name in ("operator", "administrator")]
    page = f"/people/{theirs.id}/access"
    assert "Take all factors away" in (await root.get(page)).text
    assert "Take all factors away" not in (await root.get(f"/people/{own.id}/access")).text
    assert (await root.post(f"/people/{own.id}/reset-factors", {})).status_code == 422
    assert (await root.post(f"/people/{theirs.id}/reset-factors", {})).headers["location"] == page
    assert not (await enrolled.factors(house.store, theirs.id)).any
    assert (await operator.get("/account")).headers["location"].startswith("/sign-in")
    assert "Not signed in anywhere" in (await root.get(page)).text
    assert (await root.get("/people/nobody/access")).status_code == 404


@pytest.mark.parametrize("house", [{"second_factor": "everyone"}], indirect=True)
async def test_whoever_must_have_a_factor_reaches_nothing_before(visit: Visit) -> None:
    visitor = visit("stranger")
    answer = await sign_in(visitor, "viewer", "/devices")
    step = answer.headers["location"]
    assert step == "/sign-in/enrol?next=%2Fdevices"
    assert (await visitor.get("/devices")).headers["location"].startswith("/sign-in?")
    assert (await visitor.get("/sign-in/second")).headers["location"] == "/sign-in"
    await sign_in(visitor, "viewer", "/devices")
    page = await visitor.get(step)
    wrong = await visitor.post("/sign-in/enrol", {"code": "000000", "next": "/devices"}, form=step)
    assert wrong.status_code == 403
    done = await visitor.post("/sign-in/enrol", {"code": code_of(page), "next": "/devices"}, form=step)
    assert len(codes_of(done)) == 10
    assert 'href="/devices"' in done.text
    assert (await visitor.get("/devices")).status_code == 200


# --- single sign-on ---------------------------------------------------------------------------------------------------

PEOPLE: dict[str, dict[str, Any]] = {
    "s-anna": {"preferred_username": "anna", "groups": ["crew"]},
    "s-eve": {"groups": ["none of ours"]},
}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with provider(PEOPLE) as listening:
        yield listening


@pytest.fixture
async def joined(running: Running, tmp_path: Path) -> AsyncIterator[Visitor]:
    """A browser at a console that knows the provider."""
    secret = tmp_path / "secret"
    secret.write_text("of the client")
    groups = ({"group": "crew", "role": "operator"},)
    oidc = {"oidc_issuer": running.issuer, "oidc_client_id": "camwarden", "oidc_client_secret_file": secret}
    named = Settings(home=tmp_path / "home", **oidc, oidc_groups=groups, oidc_name="Harbour ID")  # type: ignore[arg-type] # read as a file is
    async with AsyncExitStack() as stack:
        house = await open_house(stack, named)
        await people.add_user(house.store, "root", PASSWORD, Role.ADMINISTRATOR)
        yield Visitor(await stack.enter_async_context(browser(house.app)))


async def from_provider(visitor: Visitor, running: Running, subject: str, page: str = "/sign-in/sso") -> str:
    """The path to which that person's browser comes back."""
    begun = await visitor.get(page)
    brought = await asyncio.to_thread(running.sign_in, begun.headers["location"], subject)
    return f"/sign-in/sso/back?{httpx.QueryParams(brought)}"


async def test_the_button_leads_to_the_provider_and_back_to_where_one_wanted_to_go(
    joined: Visitor, running: Running
) -> None:
    assert "Sign in by Harbour ID" in (await joined.get("/sign-in?next=/devices")).text
    path = await from_provider(joined, running, "s-anna", "/sign-in/sso?next=/devices")
    back = await joined.get(path)
    assert back.headers["location"] == "/devices"
    assert (await joined.get("/devices")).status_code == 200
    assert "You come by single sign-on" in (await joined.get("/account")).text
    assert "Sign in again by Harbour ID" in (await joined.get("/prove?next=/devices")).text
    again = await joined.get(await from_provider(joined, running, "s-anna", "/prove/sso?next=/account"))
    assert again.headers["location"] == "/account"
    replayed = await joined.get(path)
    assert (replayed.status_code, "begin again" in replayed.text) == (403, True)


WRONG = {
    "nobody's state": "?code=x&state=forged",
    "a refusal": "?error=access_denied&state=forged",
    "nothing": "",
    "a book": "?code=" + "x" * 10_000,
}


@pytest.mark.parametrize("query", WRONG.values(), ids=WRONG)
async def test_whoever_comes_back_with_something_else_reads_why_it_failed(query: str, joined: Visitor) -> None:
    await joined.get("/sign-in/sso")
    answer = await joined.get(f"/sign-in/sso/back{query}")
    assert (answer.status_code, 'role="alert"' in answer.text) == (403, True)
    assert (await joined.get("/devices")).headers["location"].startswith("/sign-in")


async def test_whoever_is_in_no_group_reads_that(joined: Visitor, running: Running) -> None:
    answer = await joined.get(await from_provider(joined, running, "s-eve"))
    assert (answer.status_code, "in no group that may use Camwarden" in answer.text) == (403, True)


async def test_a_sign_in_that_another_browser_began_is_not_finished_here(joined: Visitor, running: Running) -> None:
    path = await from_provider(joined, running, "s-anna")
    joined.client.cookies.delete("sso")
    assert (await joined.get(path)).status_code == 403
    assert (await joined.get("/devices")).headers["location"].startswith("/sign-in")
