"""No entry in the audit trail, no action: what the gate writes down before a handler runs."""

import json

import pytest

from fleet import estate
from fleet.audit.chain import Row
from fleet.audit.trail import Action
from fleet.audit.views import Wanted, entries
from fleet.people import tokens
from fleet.people.tokens import Scope
from tests.web.conftest import PASSWORD, House, Visit
from web.access import CHANGING
from web.route import Route
from web.routes import ROUTES

CHANGES = [route for route in ROUTES if route.method in CHANGING]


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


async def told(house: House, action: str = "") -> list[Row]:
    """The newest first."""
    return list((await entries(house.store, Wanted(action=action))).items)


@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_a_row_that_changes_something_names_its_action_and_no_other_does(route: Route) -> None:
    assert isinstance(route.action, Action) is (route.method in CHANGING)


async def test_what_was_asked_and_what_came_of_it_are_told_with_one_request(house: House, visit: Visit) -> None:
    finding = (await estate.findings(house.store, limit=1)).items[0].id
    answer = await visit("operator").post("/findings", {"id": finding, "action": "acknowledge"})
    assert answer.status_code == 200
    done, asked = await told(house, action="finding.triage")
    assert (done.actor, asked.actor) == ("operator", "operator")
    assert (done.about, asked.about) == (f"finding:{finding}", "")
    assert json.loads(asked.detail) == {"asked": "POST /findings"}
    assert json.loads(done.detail)["is"] == "acknowledged"
    assert done.request == asked.request != ""
    assert done.source == asked.source == "127.0.0.1"


async def test_the_object_of_the_path_is_what_it_is_about(house: House, visit: Visit) -> None:
    camera = (await estate.devices(house.store, limit=1)).items[0].id
    await visit("operator").post(f"/images/{camera}/mute", {"hours": "1"})
    assert [row.about for row in await told(house, action="picture.mute")] == [f"camera:{camera}"]


async def test_a_token_acts_under_its_own_name(house: House, visit: Visit) -> None:
    _, text = await tokens.create(house.store, "gate", [Scope.READ, Scope.SCAN], "anna", days=1)
    headers = {"Authorization": f"Bearer {text.reveal()}"}
    answer = await visit("stranger").client.post("/api/v1/scans", json={"targets": "127.0.0.99"}, headers=headers)
    assert answer.status_code == 202
    assert [row.actor for row in await told(house, action="scan.start")] == ["token gate", "token gate"]


async def test_without_an_entry_the_handler_does_not_run(house: House, visit: Visit) -> None:
    finding = (await estate.findings(house.store, limit=1)).items[0]
    visitor = visit("administrator")
    csrf = await visitor.csrf()
    async with house.store.write() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    for path, fields in {
        "/findings": {"id": finding.id, "action": "acknowledge"},
        "/settings/tokens": {"name": "ci", "scope": "read", "days": "3"},
        "/sites": {"name": "Harbour"},
        "/sign-out": {},
    }.items():
        answer = await visitor.client.post(path, data={"csrf": csrf, **fields})
        assert answer.status_code == 503, path
    assert (await estate.findings(house.store, limit=1)).items[0].state == finding.state
    assert await tokens.tokens(house.store) == ()
    assert (await visitor.get("/settings")).status_code == 200, "the session goes on"
    stranger = visit("stranger")
    signed_in = await stranger.post("/sign-in", {"name": "viewer", "password": PASSWORD}, form="/sign-in")
    assert signed_in.status_code == 503
    assert "session" not in stranger.client.cookies


async def test_signing_in_and_out_is_told_and_what_was_typed_is_not(house: House, visit: Visit) -> None:
    visitor = visit("stranger")
    for typed in ("viewer", "hunter2-typed-in-the-wrong-field"):
        await visitor.post("/sign-in", {"name": typed, "password": "wrong wrong wrong"}, form="/sign-in")
    await visitor.post("/sign-in", {"name": "viewer", "password": PASSWORD}, form="/sign-in")
    await visitor.post("/sign-out", {})
    rows = await told(house, action="session")
    assert [row.action for row in rows][:5] == [
        "session.sign-out",
        "session.sign-out",
        "session.sign-in",
        "session.refused",
        "session.refused",
    ]
    assert [row.actor for row in rows][:5] == ["viewer", "viewer", "viewer", "stranger", "viewer"]
    assert all(row.source == "127.0.0.1" for row in rows)
    assert not any("hunter2" in str(row) or "wrong wrong" in str(row) for row in rows)


async def test_whoever_goes_on_trying_does_not_fill_the_trail(house: House, visit: Visit) -> None:
    visitor = visit("stranger")
    for _ in range(14):
        await visitor.post("/sign-in", {"name": "viewer", "password": "wrong wrong wrong"}, form="/sign-in")
    assert len(await told(house, action="session.limited")) == 1
    before = len(await told(house))
    for _ in range(3):
        await visitor.post("/theme", {"theme": "dark"}, form="/sign-in")
        await visitor.post("/set-up", {"token": "x", "name": "y"}, form="/sign-in")
    assert len(await told(house)) == before
