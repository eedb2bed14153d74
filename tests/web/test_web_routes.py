"""The route table: complete, explicit, and enforced for every role."""

from collections import Counter

import pytest
from fastapi.routing import APIRoute

from fleet.people.permissions import OPEN, PERMISSIONS, Permission, Role
from tests.web.conftest import House, Visit
from web.access import CHANGING
from web.route import Proof, Route
from web.routes import ROUTES


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


def test_every_role_has_its_permissions_and_none_of_those_that_nobody_needs() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert not any(OPEN & permissions for permissions in PERMISSIONS.values())


def test_what_needs_no_session_is_this_and_nothing_else() -> None:
    assert {route.path for route in ROUTES if route.permission in OPEN} == {
        "/static/{name}",
        "/healthz",
        "/readyz",
        "/metrics",
        "/set-up",
        "/sign-in",
        "/sign-in/second",
        "/sign-in/enrol",
        "/sign-in/sso",
        "/sign-in/sso/back",
        "/sign-out",
        "/theme",
    }
    assert all(route.method not in CHANGING for route in ROUTES if route.permission is Permission.PUBLIC)


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
