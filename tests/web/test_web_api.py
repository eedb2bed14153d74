"""The REST API as a whole: what goes wrong is a problem, what is there has a tag, lists come in pages, streams end.

Most of it walks the table of addresses, so that a route that is added later is walked by itself.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from starlette.responses import StreamingResponse

from cameras.secret import Secret
from fleet.errors import StoreUnavailable
from fleet.people import accounts as people
from fleet.people import tokens
from fleet.people.permissions import Permission, Role
from fleet.people.tokens import Scope
from fleet.signing_in import sessions
from fleet.signing_in.sessions import Asker
from fleet.store import Store, tables
from tests.web.conftest import Visitor
from tests.web.two_sites import BOTH, HERE, Made, TwoSites, opened
from web import streams
from web.api_routes import API
from web.route import EVENTS, JSON, Route
from web.routes import OBJECTS, PAGES

PROBLEM = "application/problem+json"
MEMBERS = {"type", "title", "status", "detail", "request"}
LOOKS = [one for one in API if one.method == "GET" and one.media == (JSON,)]


@pytest.fixture
async def two(made: Made, tmp_path: Path) -> AsyncIterator[TwoSites]:
    async with opened(made, tmp_path / "home") as estate_of_two:
        yield estate_of_two


@pytest.fixture
async def boss(two: TwoSites) -> AsyncIterator[Visitor]:
    """An administrator whose requests are meant."""
    async with two.visitor(Role.ADMINISTRATOR, BOTH) as visitor:
        visitor.client.headers["X-CSRF-Token"] = await visitor.csrf()
        yield visitor


def check_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.request.url
    said: dict[str, Any] = answer.json()
    assert set(said) == MEMBERS
    assert (said["status"], said["type"], said["request"]) == (status, "about:blank", answer.headers["x-request-id"])
    assert said["title"]
    assert said["detail"]
    return said


def test_every_order_of_the_console_has_an_address_but_for_these() -> None:
    """Passwords and factors of people, and how they sign in, are for somebody who sits before it; `{order}` is many."""
    alone = {"person.set-up", "person.password", "session.sign-in", "session.sign-out", "session.prove", "theme.choose"}
    alone |= {"factor.add", "factor.remove", "factor.renew-codes"}
    alone |= {"first-steps.dismiss"}
    many = {"job.order", "plan.order", "rollout.order", "schedule.order"}
    assert {one.action for one in PAGES if one.action} - {one.action for one in API} == alone | many


# --- problems ---------------------------------------------------------------------------------------------------------


async def test_every_route_refuses_in_problems(two: TwoSites, made: Made, boss: Visitor) -> None:
    """A stranger, a method that it does not take, a body that is no JSON, an address that names nothing."""
    methods = {path: sorted(one.method for one in API if one.path == path) for path in {one.path for one in API}}
    async with two.visitor("stranger", BOTH) as stranger, two.visitor(Role.VIEWER, BOTH) as viewer:
        stranger.client.headers["Authorization"] = "Bearer cw_aaaaaaaaaaaa." + "x" * 43
        csrf = {"X-CSRF-Token": await viewer.csrf()}
        bodies = {
            (one.path, *one.methods)
            for one in two.house.app.routes
            if getattr(one, "body_field", None) is not None and one.path.startswith("/api/")
        }
        for route in API:
            path = made.path(route, HERE)
            told = check_problem(await stranger.client.request(route.method, path), 401)
            assert "revoked or at its end" in told["detail"]
            if route.permission is not Permission.READ:
                check_problem(await viewer.client.request(route.method, path, headers=csrf), 403)
            other = await boss.client.request("PATCH", path)
            check_problem(other, 405)
            assert other.headers["allow"].split(", ") == methods[route.path], path
            if (route.path, route.method) in bodies:
                sent = {"Content-Type": "text/plain"}
                check_problem(await boss.client.request(route.method, path, content=b"{}", headers=sent), 415)
                torn = await boss.client.request(route.method, path, content=b'{"a', headers={"Content-Type": JSON})
                check_problem(torn, 422)
        assert len(bodies) > 10
    for path in ("/api/v1/nowhere", "/api/v2/cameras", "/api/", "/api/v1/cameras/"):
        check_problem(await boss.get(path), 404)


async def test_a_body_that_is_too_large_is_a_problem(boss: Visitor) -> None:
    check_problem(await boss.client.post("/api/v1/scans", content=b"x" * (1024 * 1024 + 1)), 413)


async def test_a_database_that_is_gone_is_a_problem_that_says_when_to_try_again(
    boss: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_store: Store) -> None:
        raise StoreUnavailable("the database does not answer")

    monkeypatch.setattr(Store, "read", gone)
    for route in API:
        answer = await boss.client.request(route.method, route.path)
        assert "does not answer" in check_problem(answer, 503)["detail"]
        assert answer.headers["retry-after"] == "5"


# --- entity tags ------------------------------------------------------------------------------------------------------


async def test_what_is_there_has_a_tag_and_is_not_sent_twice(made: Made, boss: Visitor) -> None:
    """Ages of pictures in seconds, and what has changed since a day ago, are another answer each time."""
    tagged = 0
    for route in LOOKS:
        path = made.path(route, HERE)
        first = await boss.get(path)
        assert (first.status_code, first.headers["etag"][:1]) == (200, '"'), path
        again = await boss.get(path, **{"If-None-Match": f'"other", W/{first.headers["etag"]}'})
        if "age_s" in first.text or route.path == "/api/v1/changes":
            continue
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"]), path
        assert (await boss.get(path, **{"If-None-Match": '"other"'})).status_code == 200
        tagged += 1
    assert tagged > 40


async def test_an_order_about_what_was_looked_at_is_refused_once_it_is_something_else(
    made: Made, boss: Visitor
) -> None:
    """Every order that is about one object: with a tag of before nothing is done, and nothing is written down."""
    told = (await boss.get("/api/v1/audit?limit=1")).json()["total"]
    for route, looked_at in OBJECTS.items():
        path = made.path(route, HERE)
        answer = await boss.client.request(route.method, path, headers={"If-Match": '"0123"'}, json={})
        known = (await boss.get(made.path(Route(looked_at, "GET", route.handler, Permission.READ), HERE))).status_code
        assert answer.status_code == (412 if known == 200 else 404 if known == 404 else 422), (route.path, answer.text)
    assert (await boss.get("/api/v1/audit?limit=1")).json()["total"] == told
    assert len(OBJECTS) > 35


async def test_a_site_is_changed_as_it_was_looked_at(boss: Visitor) -> None:
    new = {"name": "Pier", "networks": ["10.9.0.0/16"], "zone": "Europe/Berlin"}
    made = [await boss.client.post("/api/v1/sites", json=new, headers={"Idempotency-Key": "pier"}) for _ in range(2)]
    assert [(one.status_code, one.headers["location"]) for one in made] == [(201, "/api/v1/sites/Pier")] * 2
    seen = await boss.get("/api/v1/sites/Pier")
    assert seen.headers["etag"] == made[0].headers["etag"]
    tag = {"If-Match": seen.headers["etag"]}
    orders = [boss.client.put("/api/v1/sites/Pier", json={**seen.json(), "note": note}, headers=tag) for note in "AB"]
    assert sorted(one.status_code for one in await asyncio.gather(*orders)) == [200, 412]
    renamed = await boss.client.put("/api/v1/sites/Pier", json={**new, "name": "Quay"}, headers={"If-Match": "*"})
    assert (renamed.status_code, renamed.headers["location"]) == (200, "/api/v1/sites/Quay")
    assert (await boss.client.delete("/api/v1/sites/Quay", headers=tag)).status_code == 412
    assert (await boss.client.delete("/api/v1/sites/Quay")).status_code == 204
    check_problem(await boss.get("/api/v1/sites/Quay"), 404)


# --- pages ------------------------------------------------------------------------------------------------------------


def pages() -> list[Route]:
    return [one for one in LOOKS if str(one.handler.__annotations__["return"]).startswith(("fleet.views.Pa",))]


@pytest.mark.parametrize("where", [HERE])
async def test_every_list_comes_in_pages(where: str, made: Made, boss: Visitor) -> None:
    walked = 0
    for route in pages():
        path = made.path(route, where)
        whole = (await boss.get(f"{path}?limit=100")).json()["items"]
        found, after = [], None
        for _ in range(len(whole) + 1):
            answer = await boss.client.get(path, params={"limit": 1, **({"after": after} if after else {})})
            page = answer.json()
            found += page["items"]
            if (after := page["after"]) is None:
                break
        assert [_steady(item) for item in found] == [_steady(item) for item in whole], path
        for limit in ("0", "501", "x"):
            check_problem(await boss.get(f"{path}?limit={limit}"), 422)
        if route.path not in BY_NAME:
            check_problem(await boss.get(f"{path}?after=never-given"), 422)
        walked += len(whole) > 1
    assert len(pages()) > 20
    assert walked > 9


# Their cursor is a name, and every text may be one.
BY_NAME = {"/api/v1/expected", "/api/v1/sites", "/api/v1/people", "/api/v1/schedules"}


def _steady(item: dict[str, Any]) -> dict[str, Any]:
    """Without what differs from one look to the next."""
    return {name: value for name, value in item.items() if name not in {"age_s", "used_at"}}


def test_a_list_is_a_page_or_is_short_by_nature() -> None:
    short = {one.path for one in LOOKS if one not in pages() and "list" in str(one.handler.__annotations__["return"])}
    assert {path.rpartition("/")[2] for path in short} == {"earlier", "happenings", "hours", "incidents", "watches"}


# --- streams ----------------------------------------------------------------------------------------------------------


async def test_every_stream_tells_how_it_stands_and_goes_on_where_it_was_left(made: Made, boss: Visitor) -> None:
    told = 0
    for route in (one for one in API if one.media == (EVENTS,)):
        path = made.path(route, HERE)
        answer = await boss.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, f"{EVENTS}; charset=utf-8")
        state, end = re.fullmatch(r"id: (\w+)\ndata: (.+)\n\n(event: end\ndata: {}\n\n)", answer.text).group(1, 3)  # type: ignore[union-attr]
        assert (await boss.get(path, **{"Last-Event-ID": state})).text == end
        assert (await boss.get(path, **{"Last-Event-ID": "older"})).text == answer.text
        if "{" in route.path:
            check_problem(await boss.get(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "nothing", path)), 404)
        told += 1
    assert told == 6


ENDS: dict[str, tuple[float, float, Callable[[list[str]], bool]]] = {
    "a silent one says that it is alive": (0.0, 0.05, lambda lines: lines[0].startswith(":")),
    "it ends after a while, and says when to ask again": (10.0, 0.01, lambda lines: lines == ["retry: 3000\n\n"]),
}


@pytest.mark.parametrize(("beat_s", "most_s", "right"), ENDS.values(), ids=ENDS)
async def test_a_stream_on_which_nothing_happens(
    beat_s: float, most_s: float, right: Callable[[list[str]], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "BEAT_S", beat_s)
    monkeypatch.setattr(streams, "MOST_S", most_s)

    async def silent() -> AsyncGenerator[str, None]:
        await asyncio.Event().wait()
        yield "never"

    answer = streams.stream(silent(), asyncio.Event())
    assert isinstance(answer, StreamingResponse)
    lines = [str(line) async for line in answer.body_iterator]
    assert right(lines)
    assert lines[-1] == "retry: 3000\n\n"


# --- what was missing -------------------------------------------------------------------------------------------------


async def test_the_vault_tells_who_has_what_and_reveals_once_to_a_person_who_says_why(
    two: TwoSites, made: Made, boss: Visitor
) -> None:
    camera = made.ids[HERE]["camera"]
    await two.house.service.vault.put(camera, "root", Secret("correct horse"), "anna")
    listed = await boss.get("/api/v1/vault")
    (one,) = listed.json()["items"]
    assert (one["camera"], one["account"], one["version"], one["state"]) == (camera, "root", 1, "current")
    assert (await boss.get(f"/api/v1/vault/{camera}")).json()["items"] == [one]
    assert "horse" not in listed.text
    where, why = f"/api/v1/vault/{camera}/reveal", {"account": "root", "version": 1, "reason": "the lens is stuck"}
    shown = await boss.client.post(where, json=why)
    assert (shown.json()["password"], shown.headers["cache-control"]) == ("correct horse", "no-store")
    assert "etag" not in shown.headers, "it could be guessed at"
    check_problem(await boss.client.post(where, json={**why, "reason": ""}), 422)
    check_problem(await boss.client.post(where, json={**why, "version": 9}), 404)
    async with two.house.store.write() as connection:
        await connection.execute(update(tables.Session).values(proved_at=two.house.store.now() - timedelta(hours=1)))
    assert "/prove" in check_problem(await boss.client.post(where, json=why), 403)["detail"]
    _, text = await tokens.create(two.house.store, "all", list(Scope), "anna", days=1)
    boss.client.headers["Authorization"] = f"Bearer {text.reveal()}"
    for path in ("/api/v1/vault", f"/api/v1/vault/{camera}"):
        check_problem(await boss.get(path), 403)
    told = (await boss.get("/api/v1/audit?action=vault.reveal")).json()["items"]
    assert [one["detail"].get("reason") for one in told if "reason" in one["detail"]] == ["the lens is stuck"]


async def test_sessions_are_listed_and_ended(two: TwoSites, made: Made, boss: Visitor) -> None:
    store = two.house.store
    async with two.visitor(Role.VIEWER, BOTH) as viewer:
        viewer.client.headers["X-CSRF-Token"] = await viewer.csrf()
        person = (await people.named(store, f"viewer {BOTH}")).id
        async with store.write() as connection:
            await sessions.begin(connection, person, Asker("127.0.0.9"), "password")
        listed = (await viewer.get("/api/v1/me/sessions")).json()["items"]
        other = next(one["id"] for one in listed if one["source"] == "127.0.0.9")
        assert (await viewer.client.delete(f"/api/v1/me/sessions/{other}")).status_code == 204
        check_problem(await viewer.client.delete(f"/api/v1/me/sessions/{other}"), 404)
        assert (await viewer.client.delete("/api/v1/me/sessions")).json() == {"sessions": 0}
        assert (await boss.get(f"/api/v1/people/{person}/sessions")).json()["total"] == 1
        assert (await boss.client.delete(f"/api/v1/people/{person}/sessions")).json() == {"sessions": 1}
        check_problem(await viewer.get("/api/v1/me"), 401)
    factors = (await boss.get(f"/api/v1/people/{made.ids[HERE]['person']}/factors")).json()
    assert factors == {"app_since": None, "keys": [], "codes": 0}


async def test_cameras_are_decided_on_and_listed_by_it(made: Made, boss: Visitor) -> None:
    mine = made.ids[HERE]["camera"]

    async def listed(**wanted: str) -> list[str]:
        page = (await boss.client.get("/api/v1/cameras", params=wanted)).json()
        return [row["id"] for row in page["items"]]

    for standing, counts in (("quarantined", True), ("ignored", False), ("adopted", True)):
        word = {"cameras": [mine], "standing": standing}
        assert (await boss.client.post("/api/v1/decisions", json=word)).json() == {"changed": 1}
        assert (await boss.client.post("/api/v1/decisions", json=word)).json() == {"changed": 0}
        assert await listed(standing=standing) == [mine]
        assert (mine in await listed()) is counts
    for word in ({"cameras": [mine], "standing": "new"}, {"cameras": [], "standing": "adopted"}):
        check_problem(await boss.client.post("/api/v1/decisions", json=word), 422)
    check_problem(await boss.client.get("/api/v1/cameras", params={"standing": "odd"}), 422)


async def test_findings_are_triaged_and_their_history_is_told(made: Made, boss: Visitor) -> None:
    finding = made.ids[HERE]["finding"]
    word = {"findings": [finding, "nobody"], "action": "accept", "reason": "agreed", "until": "2001-01-01T00:00:00Z"}
    check_problem(await boss.client.post("/api/v1/triage", json=word), 422)
    then = datetime.now(UTC) + timedelta(days=9)
    seconds = int(then.timestamp())
    for until in (seconds, str(seconds), f"{then:%Y-%m-%d}", f"{then:%Y-%m-%dT%H:%M:%S}"):
        check_problem(await boss.client.post("/api/v1/triage", json={**word, "until": until}), 422)
    soon = then.isoformat(timespec="seconds")
    done = (await boss.client.post("/api/v1/triage", json={**word, "until": soon})).json()
    assert (done["changed"], [one["finding"] for one in done["refused"]]) == ([finding], ["nobody"])
    history = (await boss.get(f"/api/v1/findings/{finding}/history")).json()
    assert (history["items"][0]["action"], history["items"][0]["detail"]["is"]) == ("finding.triage", "risk-accepted")
    accepted = (await boss.get("/api/v1/findings")).json()["items"]
    assert soon[:19] in {str(one["accepted_until"])[:19] for one in accepted}
    muted = f"/api/v1/pictures/{made.ids[HERE]['camera']}/mute"
    said = await boss.client.post(muted, json={"until": soon, "reason": "the mast is painted"})
    assert said.json()["tile"]["mute_reason"] == "the mast is painted"


async def test_a_grant_ends_at_its_moment_and_a_rotation_is_of_cameras_or_of_a_finding(
    made: Made, boss: Visitor
) -> None:
    until = (datetime.now(UTC) + timedelta(days=9)).isoformat(timespec="seconds")
    given = {"role": "viewer", "sites": [HERE], "until": until}
    person = f"/api/v1/people/{made.ids[HERE]['person']}"
    held = (await boss.client.post(f"{person}/grants", json=given)).json()["grants"][-1]
    assert (held["sites"], held["until"][:19]) == ([HERE], until[:19])
    both = {"finding": made.ids[HERE]["finding"], "cameras": ["all"]}
    for sent, status, said in (
        (both, 422, "leave both out"),
        ({"finding": "nobody"}, 404, "no such finding"),
        ({"cameras": ["nobody"]}, 404, "no such camera"),
    ):
        told = check_problem(await boss.client.post("/api/v1/rotations", json=sent), status)
        assert said in told["detail"]


async def test_what_is_kept_is_told(boss: Visitor) -> None:
    kept = (await boss.get("/api/v1/retention")).json()
    assert (kept["raw_days"], kept["hourly_days"], set(kept["would_go"].values())) == (7, 90, {0})


async def test_a_rollout_is_planned_and_aborted(made: Made, boss: Visitor) -> None:
    bundle = (await boss.get("/api/v1/bundles")).json()["items"][0]["id"]
    old = made.ids[HERE]["rollout"]
    camera = (await boss.get(f"/api/v1/rollouts/{old}/cameras")).json()["items"][0]["camera"]
    gone = await boss.client.post(f"/api/v1/rollouts/{old}/abort", json={"reason": "the wrong week"})
    assert (gone.json()["state"], gone.json()["reason"]) == ("aborted", "the wrong week")
    new = {"bundle": bundle, "cameras": [camera], "name": "Again", "failures": 2, "soak_minutes": 5}
    headers = {"Idempotency-Key": "again"}
    made_twice = [await boss.client.post("/api/v1/rollouts", json=new, headers=headers) for _ in range(2)]
    first, again = made_twice
    assert (first.status_code, first.json()["state"], first.json()["id"]) == (
        201,
        "awaiting-approval",
        again.json()["id"],
    )
    assert (first.json()["rules"]["errors"]["count"], first.json()["rules"]["soak"]) == (2, "PT5M")
    here = first.headers["location"]
    tag = {"If-Match": first.headers["etag"]}
    assert (await boss.client.post(f"{here}/approve", headers=tag)).json()["state"] == "approved"
    assert (await boss.client.post(f"{here}/approve", headers=tag)).status_code == 412
    assert [group["number"] for group in (await boss.get(f"{here}/groups")).json()] == [1]
    assert "approve" in {event["event"] for event in (await boss.get(f"{here}/history")).json()}


async def test_a_commissioning_is_begun_and_answered(made: Made, boss: Visitor) -> None:
    new = {"site": "Quay", "cameras": [made.ids[HERE]["camera"]]}
    begun = await boss.client.post("/api/v1/commissioning", json=new)
    assert (begun.status_code, begun.json()["state"]) == (201, "open")
    rows = {row["row"]["id"]: row for row in begun.json()["cameras"][0]["rows"]}
    row = next(name for name, one in rows.items() if one["row"]["kind"] not in {"checks", "label", "density"})
    where = f"{begun.headers['location']}/cameras/{new['cameras'][0]}"
    said = await boss.client.post(f"{where}/rows/{row}", json={"state": "waived", "note": "agreed"})
    assert {one["row"]["id"]: one["state"] for one in said.json()["rows"]}[row] == "waived"
    check_problem(await boss.client.post(f"{where}/rows/{row}", json={}), 422)
    check_problem(await boss.client.post(f"{begun.headers['location']}/sign", json={"name": "Anna"}), 422)


async def test_the_description_says_what_the_table_says(boss: Visitor) -> None:
    document = (await boss.get("/api/v1/openapi.json")).json()
    names = []
    for route in API:
        operation = document["paths"][route.path][route.method.lower()]
        names.append(operation["operationId"])
        headers = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"}
        assert ("Idempotency-Key" in headers) is route.once
        assert ("If-Match" in headers) is (route in OBJECTS)
        assert ("If-None-Match" in headers) is (route in LOOKS)
        assert ("Last-Event-ID" in headers) is (route.media == (EVENTS,))
        assert {"401", "403", str(route.status)} <= operation["responses"].keys()
        by_token = {"token": []} in operation["security"]
        assert by_token is (str(route.permission) in set(Scope) and not route.person)
        assert ("csrf" in operation["security"][-1]) is bool(route.proof)
        refused = [one["content"] for status, one in operation["responses"].items() if status >= "400"]
        assert all(list(content) == [PROBLEM] for content in refused)
        assert operation["description"].strip()
    assert len(names) == len(set(names))
    assert "ValidationError" not in json.dumps(document)
