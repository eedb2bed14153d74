"""The route table: complete, explicit, and enforced for every role."""

from collections import Counter

import pytest
from fastapi.routing import APIRoute

from fleet import estate, tokens
from fleet.commissioning import records, views
from fleet.commissioning.checklist import Answer, State
from fleet.commissioning.records import Where
from fleet.evidence import keep_photo
from fleet.people import Role
from fleet.store import Store
from fleet.tokens import Scope
from tests.web.conftest import House, Visit
from tests.web.jobs_samples import a_job, a_plan, a_rollout, a_rotation, a_schedule
from web.access import CHANGING, PERMISSIONS, Permission, may
from web.routes import ROUTES, Proof, Route

OPEN = {Permission.PUBLIC, Permission.ANYONE}
WHO = ("stranger", *(str(role) for role in Role))


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_a_row_names_its_permission(route: Route) -> None:
    assert isinstance(route.permission, Permission)


@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_a_row_that_changes_something_wants_proof_and_no_other_does(route: Route) -> None:
    expected = None if route.method not in CHANGING else Proof.HEADER if route.is_api else Proof.FIELD
    assert route.proof is expected


def test_there_is_no_way_in_beside_the_table(house: House) -> None:
    added = Counter(
        (route.path, method)
        for route in house.app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    )
    assert added == Counter((route.path, route.method) for route in ROUTES)
    assert len(house.app.routes) == len(ROUTES)


def test_every_role_has_its_permissions_and_an_unknown_one_has_none() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert not any(may("root", permission) for permission in Permission)
    assert not any(may(role, permission) for role in PERMISSIONS for permission in OPEN)


def test_what_needs_no_session_is_this_and_nothing_else() -> None:
    assert {route.path for route in ROUTES if route.permission in OPEN} == {
        "/static/{name}",
        "/set-up",
        "/sign-in",
        "/theme",
    }
    assert all(route.method not in CHANGING for route in ROUTES if route.permission is Permission.PUBLIC)


async def path_of(route: Route, house: House) -> str:
    camera = (await estate.devices(house.store, limit=1)).items[0].id
    finding = (await estate.findings(house.store, limit=1)).items[0].id
    scan = await house.scans.start("127.0.0.99", "somebody")
    await house.scans.stop(scan)
    checklist = await records.start(house.store, "Harbour", [camera], "somebody")
    token, _ = await tokens.create(house.store, "ci", [Scope.READ], "somebody", days=1)
    picture = await keep_photo(house.service.settings.evidence, b"\xff\xd8\xff")
    if route.path.endswith("handover.zip"):
        await close(house.store, checklist)
    return route.path.format(
        camera=camera,
        finding=finding,
        scan=scan,
        name=picture if route.path.startswith("/evidence/") else "camwarden.css",
        commissioning=checklist,
        row="mounting",
        token=token.id,
        ending="json",
        baseline="essential",
        order="run-again" if "{job}" in route.path else "off" if "{schedule}" in route.path else "approve",
        job=await a_job(house) if "{job}" in route.path else "",
        schedule=await a_schedule(house) if "{schedule}" in route.path else "",
        plan=await a_plan(house) if "{plan}" in route.path else "",
        rotation=await a_rotation(house) if "{rotation}" in route.path else "",
        rollout=await a_rollout(house) if "{rollout}" in route.path else "",
    )


async def close(store: Store, checklist: str) -> None:
    for camera in (await views.get(store, checklist)).cameras:
        for row in camera.rows:
            if row.state is not State.AUTO_PASS:
                where = Where(checklist, camera.id, row.row.id)
                await records.answer(store, where, Answer(State.WAIVED, "agreed"), "somebody")
    await records.sign(store, checklist, "Somebody", "somebody")


def expected(who: str, route: Route) -> set[int]:
    """What the gate says. That a handler behind it finds fault with an empty form (422) is not the gate's matter."""
    if route.permission in OPEN or may(who, route.permission):
        more = {"/sign-in": {403}, "/sites/remove": {404}, "/commissioning/{commissioning}/{camera}/still": {502}}
        return {200, 202, 303, 422} | more.get(route.path, set())
    if who != "stranger":
        return {403}
    return {401} if route.is_api else {303}


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("route", ROUTES, ids=name)
async def test_the_gate_lets_in_who_may(route: Route, who: str, house: House, visit: Visit) -> None:
    visitor, path = visit(who), await path_of(route, house)
    csrf = await visitor.csrf("/sign-in" if who == "stranger" else "/checks")
    if route.proof is Proof.HEADER:
        answer = await visitor.client.request(route.method, path, headers={"X-CSRF-Token": csrf}, json={"targets": ""})
    elif route.proof is Proof.FIELD:
        answer = await visitor.client.request(route.method, path, data={"csrf": csrf})
    else:
        answer = await visitor.get(path)
    assert answer.status_code in expected(who, route)
    if answer.status_code == 303 and who == "stranger" and route.permission not in OPEN:
        assert answer.headers["location"].startswith("/sign-in")
    if route.permission not in OPEN and not may(who, route.permission):
        assert "10.20.1." not in answer.text


CHANGES = [route for route in ROUTES if route.method in CHANGING]
FORGERIES = {
    "no token": (None, {}),
    "a made-up token": ("x" * 43, {}),
    "a token, but another site sent it": ("right", {"Sec-Fetch-Site": "cross-site"}),
    "a token, but a sibling site sent it": ("right", {"Sec-Fetch-Site": "same-site"}),
    "a token, but from another origin": ("right", {"Origin": "https://evil.example"}),
}


@pytest.mark.parametrize(("token", "headers"), FORGERIES.values(), ids=FORGERIES)
@pytest.mark.parametrize("route", CHANGES, ids=name)
async def test_a_change_that_was_not_meant_is_refused(
    route: Route, token: str | None, headers: dict[str, str], house: House, visit: Visit
) -> None:
    visitor, path = visit("administrator"), await path_of(route, house)
    sent = await visitor.csrf() if token == "right" else token
    if route.proof is Proof.HEADER:
        shown = {"X-CSRF-Token": sent} if sent else {}
        body = {"targets": "127.0.0.99"}
        answer = await visitor.client.request(route.method, path, json=body, headers={**shown, **headers})
    else:
        answer = await visitor.client.post(path, data={"csrf": sent} if sent else {}, headers=headers)
    assert answer.status_code == 403


async def test_the_token_of_one_session_is_worth_nothing_in_another(visit: Visit) -> None:
    foreign = await visit("viewer").csrf()
    answer = await visit("operator").client.post("/sign-out", data={"csrf": foreign})
    assert answer.status_code == 403


async def test_a_stranger_without_the_cookie_of_the_form_cannot_sign_in(visit: Visit) -> None:
    visitor = visit("stranger")
    token = await visitor.csrf("/sign-in")
    visitor.client.cookies.clear()
    answer = await visitor.client.post("/sign-in", data={"csrf": token, "name": "operator", "password": "x"})
    assert answer.status_code == 403
