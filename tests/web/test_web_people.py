"""The page of people: who may do what, where, until when; and keys for machines, made and ended by an administrator."""

import html
import re
from datetime import UTC, datetime

import httpx
import pytest

from fleet import estate, sites
from fleet.people import accounts as people
from fleet.people import members, tokens
from fleet.people.members import Member
from fleet.people.tokens import MOST_DAYS, Scope, Token
from fleet.sites import Site
from fleet.views import DeviceFilter
from tests.web.conftest import House, Visit, browser

PAGE = "/settings/people"
FORM = {"name": "nightly", "scope": ["read", "scan"], "days": "30", "site": "*"}
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
    made = await administrator.post("/settings/tokens", FORM, form=PAGE)
    (text,) = TEXT.findall(made.text)
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    assert (await asked_with(house, text)).status_code == 200
    assert (await asked_with(house, text, "POST", "/api/v1/scans")).status_code == 202
    assert (await asked_with(house, text, "POST", "/api/v1/plans")).status_code == 403
    key = await the_key(house)
    assert (key.name, key.scopes, key.created_by) == ("nightly", (Scope.READ, Scope.SCAN), "administrator")
    assert round((key.expires_at - key.created_at).total_seconds() / 86400) == 30
    for role in ("administrator", "auditor"):
        page = (await visit(role).get(PAGE)).text
        assert "nightly" in page
        assert not TEXT.search(page)


async def test_a_token_that_was_revoked_opens_nothing_any_more(house: House, visit: Visit) -> None:
    administrator = visit("administrator")
    (text,) = TEXT.findall((await administrator.post("/settings/tokens", FORM, form=PAGE)).text)
    revoke = f"/settings/tokens/{(await the_key(house)).id}/revoke"
    assert revoke in (await administrator.get(PAGE)).text
    assert (await administrator.post(revoke, {}, form=PAGE)).headers["location"] == PAGE
    assert (await asked_with(house, text)).status_code == 401
    page = (await administrator.get(PAGE)).text
    assert "revoked" in page
    assert revoke not in page
    assert (await administrator.post("/settings/tokens/nobody/revoke", {})).status_code == 404


MISTAKES: dict[str, tuple[dict[str, object], str]] = {
    "no name": ({"name": "  "}, "a name that says who uses it"),
    "no scope": ({"scope": []}, "at least one scope"),
    "only a scope that does not exist": ({"scope": ["administer"]}, "at least one scope"),
    "no place": ({"site": []}, "say where"),
    "everywhere and a site": ({"site": ["*", "Harbour"]}, "either everywhere or single sites"),
    "a site that there is not": ({"site": ["Atlantis"]}, "there is no site 'Atlantis'"),
    "an address that is none": ({"addresses": "10.1.0.0/99"}, "10.1.0.0/16"),
    "for somebody who is no machine": ({"for": "nobody"}, "for yourself, or for somebody with the role service"),
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
    answer = await visit("administrator").post("/settings/tokens", {**FORM, **change}, form=PAGE)
    assert answer.status_code == 422
    assert said.casefold() in html.unescape(answer.text).casefold()
    assert not TEXT.search(answer.text)
    assert list(await tokens.tokens(house.store)) == []


async def test_a_scope_that_does_not_exist_adds_nothing(house: House, visit: Visit) -> None:
    sent = {**FORM, "scope": ["read", "administer", "root"]}
    await visit("administrator").post("/settings/tokens", sent, form=PAGE)
    assert (await the_key(house)).scopes == (Scope.READ,)


async def test_the_name_of_a_token_is_only_text(house: House, visit: Visit) -> None:
    sent = {**FORM, "name": "<script>alert(1)</script>\x1b[31m"}
    page = (await visit("administrator").post("/settings/tokens", sent, form=PAGE)).text
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;alert" in page
    assert (await the_key(house)).name.startswith("<script>")


async def test_an_auditor_reads_and_is_offered_no_form(house: House, visit: Visit) -> None:
    await tokens.create(house.store, "ci", [Scope.READ], "anna", days=1)
    page = (await visit("auditor").get(PAGE)).text
    assert "an administrator adds people" in page
    assert 'action="/settings' not in page
    for name in ("administrator", "operator", "viewer", "ci"):
        assert name in page


# --- people -----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def harbour(house: House) -> list[str]:
    """Two of the twelve cameras are at the harbour; their ids."""
    await sites.put(house.store, Site("Harbour", ("10.20.1.10/31",)), "anna")
    return [row.id for row in (await estate.devices(house.store, DeviceFilter(site="Harbour"))).items]


async def of(house: House, name: str) -> Member:
    return await members.member(house.store, (await people.named(house.store, name)).id)


async def test_a_machine_is_added_with_a_token_that_is_held_to_its_site_and_address(
    house: House, visit: Visit, harbour: list[str]
) -> None:
    administrator = visit("administrator")
    added = {"name": "nvr", "role": "service", "site": "Harbour", "until": "2099-12-31"}
    assert (await administrator.post(PAGE, added, form=PAGE)).headers["location"] == PAGE
    nvr = await of(house, "nvr")
    assert (nvr.grants[0].sites, nvr.grants[0].until) == (
        ("Harbour",),
        datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC),
    )
    form = {"name": "nvr", "scope": ["read"], "days": "30", "site": "Harbour", "for": nvr.person.id}
    here = await administrator.post("/settings/tokens", {**form, "addresses": "127.0.0.0/8"}, form=PAGE)
    elsewhere = await administrator.post("/settings/tokens", {**form, "addresses": "192.0.2.0/24"}, form=PAGE)
    (text,), (other,) = TEXT.findall(here.text), TEXT.findall(elsewhere.text)
    seen = (await asked_with(house, text)).json()
    assert ({row["id"] for row in seen["items"]}, seen["total"]) == (set(harbour), 2)
    assert (await asked_with(house, other)).status_code == 401
    assert (await administrator.post(f"{PAGE}/{nvr.person.id}/disable", {}, form=PAGE)).status_code == 303
    assert (await asked_with(house, text)).status_code == 403


async def test_a_grant_that_is_ended_opens_nothing_in_a_session_that_is_open(house: House, visit: Visit) -> None:
    administrator, viewer = visit("administrator"), visit("viewer")
    assert (await viewer.get("/devices")).status_code == 200
    grant = (await of(house, "viewer")).grants[0].id
    assert (await administrator.post(f"/settings/grants/{grant}/end", {}, form=PAGE)).status_code == 303
    assert (await viewer.get("/devices")).status_code == 403
    assert (await viewer.post("/sign-out", {})).status_code == 303


async def test_another_grant_adds_to_what_somebody_may(house: House, visit: Visit, harbour: list[str]) -> None:
    administrator, viewer = visit("administrator"), visit("viewer")
    there, elsewhere = harbour[0], (await estate.devices(house.store, DeviceFilter(site=""))).items[0].id
    who = (await of(house, "viewer")).person.id
    given = await administrator.post(f"{PAGE}/{who}/grants", {"role": "operator", "site": "Harbour"}, form=PAGE)
    assert given.status_code == 303
    assert (await viewer.post(f"/images/{there}/mute", {"lasts": "1 hour"})).status_code == 303
    assert (await viewer.post(f"/images/{elsewhere}/mute", {"lasts": "1 hour"})).status_code == 403
    assert f'action="/images/{there}/check"' in (await viewer.get(f"/images/{there}")).text
    assert f'action="/images/{elsewhere}/check"' not in (await viewer.get(f"/images/{elsewhere}")).text


WRONG: dict[str, tuple[str, dict[str, object], str]] = {
    "no role": ("viewer/grants", {"site": "*"}, "choose a role"),
    "no place": ("viewer/grants", {"role": "viewer"}, "say where"),
    "a day that is none": ("viewer/grants", {"role": "viewer", "site": "*", "until": "soon"}, "YYYY-MM-DD"),
    "a day that is over": ("viewer/grants", {"role": "viewer", "site": "*", "until": "2001-01-01"}, "still to come"),
    "a grant that is held already": ("viewer/grants", {"role": "viewer", "site": "*"}, "holds that grant already"),
    "the last administrator": ("administrator/disable", {}, "the last administrator of the whole estate"),
    "a weak password": ("", {"name": "eve", "role": "viewer", "site": "*", "password": "short"}, "12 characters"),
    "a name that is taken": ("", {"name": "Viewer", "role": "service", "site": "*"}, "this name is taken"),
}


@pytest.mark.parametrize(("path", "sent", "said"), WRONG.values(), ids=WRONG)
async def test_a_mistake_about_people_is_said_on_the_page(
    path: str, sent: dict[str, object], said: str, house: House, visit: Visit
) -> None:
    name, _, order = path.partition("/")
    where = f"{PAGE}/{(await of(house, name)).person.id}/{order}" if name else PAGE
    answer = await visit("administrator").post(where, sent, form=PAGE)
    assert answer.status_code == 422
    assert said.casefold() in html.unescape(answer.text).casefold()


# --- by the REST API --------------------------------------------------------------------------------------------------


async def test_people_by_rest_are_changed_only_as_they_were_looked_at(visit: Visit) -> None:
    administrator = visit("administrator")
    headers = {"X-CSRF-Token": await administrator.csrf()}
    new = {"name": "nvr", "role": "service", "sites": None}
    made = await administrator.client.post("/api/v1/people", headers=headers, json=new)
    assert (made.status_code, made.json()["grants"][0]["role"]) == (201, "service")
    here = made.headers["location"]
    seen = await administrator.get(here)
    assert seen.headers["etag"] == made.headers["etag"]
    grant, tag = {"role": "viewer", "sites": None, "until": None}, {"If-Match": seen.headers["etag"]}
    given = await administrator.client.post(f"{here}/grants", headers={**headers, **tag}, json=grant)
    assert (given.status_code, [one["role"] for one in given.json()["grants"]]) == (201, ["service", "viewer"])
    late = await administrator.client.post(f"{here}/disable", headers={**headers, **tag})
    assert (late.status_code, late.headers["content-type"]) == (412, "application/problem+json")
    held = given.json()["grants"][1]["id"]
    ended = await administrator.client.post(f"{here}/grants/{held}/end", headers=headers)
    assert ended.json()["grants"][1]["ended_by"] == "administrator"
    off = await administrator.client.post(f"{here}/disable", headers={**headers, "If-Match": ended.headers["etag"]})
    assert off.json()["disabled_at"]
    assert (await administrator.client.post(f"{here}/enable", headers=headers)).json()["disabled_at"] is None
    assert "nvr" in {one["name"] for one in (await administrator.get("/api/v1/people")).json()["items"]}


async def test_a_token_by_rest_is_shown_once_and_a_token_makes_none(house: House, visit: Visit) -> None:
    administrator = visit("administrator")
    headers = {"X-CSRF-Token": await administrator.csrf()}
    new = {"name": "ci", "scopes": ["read"], "days": 1, "sites": None, "addresses": ["127.0.0.1"]}
    made = await administrator.client.post("/api/v1/tokens", headers=headers, json=new)
    assert made.status_code == 201
    assert (await asked_with(house, made.json()["text"])).status_code == 200
    listed = await administrator.get("/api/v1/tokens")
    assert (listed.json()["items"][0]["addresses"], TEXT.search(listed.text)) == (["127.0.0.1/32"], None)
    assert (await asked_with(house, made.json()["text"], "POST", "/api/v1/tokens")).status_code == 403
    revoke = f"/api/v1/tokens/{listed.json()['items'][0]['id']}/revoke"
    assert (await administrator.client.post(revoke, headers=headers)).status_code == 204
    assert (await asked_with(house, made.json()["text"])).status_code == 401
