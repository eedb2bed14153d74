"""Every route as every role, at one site and at both: allowed, refused, or not there, as the table of permissions says.

A route that is added later is walked by itself. Nothing of another site may be read in any answer.
"""

import re
from pathlib import Path

import pytest

from fleet.people.belonging import KINDS, OF_NO_SITE
from fleet.people.permissions import ESTATE_WIDE, OPEN, PERMISSIONS, Permission, Role
from tests.web.two_sites import BOTH, HERE, NOTHING, OF_THE_OTHER, THERE, Made, opened
from web.access import CHANGING
from web.route import Route
from web.routes import ROUTES

WALKED = [route for route in ROUTES if route.permission not in OPEN]
PARAMETER = re.compile(r"{(\w+)}")
# The number of a request, which an error tells.
REQUEST = re.compile(r"\b[0-9a-f]{16}\b")
# A handler behind the gate may find fault with an empty form (422), with a camera that nobody answers for (502).
LET_IN = {200, 201, 202, 204, 303, 409, 422, 502}
# What the empty form names is not there, or went with the row before.
MISSING = {
    "/sites/remove",
    "/sites/{site}/jump/remove",
    "/sites/{site}/jump/test",
    "/api/v1/sites/{site}/jump-host",
    "/api/v1/sites/{site}/jump-host/test",
    "/settings/grants/{grant}/end",
    "/api/v1/people/{person}/grants/{grant}/end",
    "/api/v1/me/sessions/{session}",
    "/api/v1/schedules/{schedule}/run",
    "/api/v1/tokens/{token}/revoke",
    "/prove/sso",
    "/account/app/remove",
    "/account/keys/{key}/remove",
    "/account/sessions/{session}/end",
}
# An empty form proves nothing.
PROVES_NOTHING = {"/prove", "/account/password"}
# Of both sites they are seen by whoever may see all of them.
WHOLE = {"scan", "job", "schedule"}
OF_ONE_CAMERA = {"camera", "finding", "picture"}


def objects(route: Route) -> set[str]:
    return set(PARAMETER.findall(route.path)) & KINDS.keys()


def expected(role: Role, held: str, route: Route, about: str) -> set[int]:
    """By the table alone. The role of machines opens nothing to a browser."""
    if role is Role.SERVICE or route.permission not in PERMISSIONS[role]:
        return {403}
    if held != BOTH and route.permission in ESTATE_WIDE:
        return {403}
    if held != BOTH and objects(route):
        if about == THERE or (about == BOTH and WHOLE & objects(route)):
            return {404}
        if about == BOTH and (route.proof or route.whole) and objects(route) - OF_ONE_CAMERA:
            return {403}
    return LET_IN | ({404} if route.path in MISSING else set()) | ({403} if route.path in PROVES_NOTHING else set())


@pytest.mark.parametrize("parameter", sorted({name for route in ROUTES for name in PARAMETER.findall(route.path)}))
def test_a_parameter_of_an_address_names_a_kind_of_object_or_nothing_of_any_site(parameter: str) -> None:
    assert (parameter in KINDS) != (parameter in OF_NO_SITE)


@pytest.mark.parametrize("role", Role)
async def test_a_role_at_one_site_opens_what_it_may_there_and_nothing_elsewhere(
    role: Role, made: Made, tmp_path: Path
) -> None:
    async with opened(made, tmp_path / "home") as estate, estate.visitor(role, HERE) as visitor:
        csrf = await visitor.csrf("/checks")
        wrong: list[str] = []
        for route in WALKED:
            for about in (HERE, THERE, BOTH) if objects(route) else (HERE,):
                answer = await estate.ask(visitor, route, about, csrf)
                said = f"{route.method} {route.path} about {about}: {answer.status_code}"
                if answer.status_code not in expected(role, HERE, route, about):
                    wrong.append(said)
                asked, strange = made.path(route, about), (*OF_THE_OTHER, *made.ids[THERE].values())
                wrong += [f"{said} tells {word!r}" for word in strange if word not in asked and word in answer.text]
    assert wrong == []


@pytest.mark.parametrize("role", Role)
async def test_a_role_everywhere_opens_what_it_may(role: Role, made: Made, tmp_path: Path) -> None:
    async with opened(made, tmp_path / "home") as estate, estate.visitor(role, BOTH) as visitor:
        csrf = await visitor.csrf("/checks")
        answers = [(route, (await estate.ask(visitor, route, THERE, csrf)).status_code) for route in WALKED]
    wrong = [
        (route.method, route.path, status)
        for route, status in answers
        if status not in expected(role, BOTH, route, THERE)
    ]
    assert wrong == []


async def test_a_stranger_opens_nothing_that_asks_for_a_role(made: Made, tmp_path: Path) -> None:
    async with opened(made, tmp_path / "home") as estate, estate.visitor("stranger", BOTH) as visitor:
        csrf = await visitor.csrf("/sign-in")
        for route in WALKED:
            answer = await estate.ask(visitor, route, HERE, csrf)
            assert answer.status_code == (401 if route.is_api else 303), route.path
            assert route.is_api or answer.headers["location"].startswith("/sign-in"), route.path
            assert "10.20.1." not in answer.text


FORGERIES = {
    "no token": ("", {}),
    "a made-up token": ("x" * 43, {}),
    "a token, but another site sent it": ("right", {"Sec-Fetch-Site": "cross-site"}),
    "a token, but a sibling site sent it": ("right", {"Sec-Fetch-Site": "same-site"}),
    "a token, but from another origin": ("right", {"Origin": "https://evil.example"}),
}


@pytest.mark.parametrize(("token", "headers"), FORGERIES.values(), ids=FORGERIES)
async def test_a_change_that_was_not_meant_is_refused(
    token: str, headers: dict[str, str], made: Made, tmp_path: Path
) -> None:
    async with opened(made, tmp_path / "home") as estate, estate.visitor(Role.ADMINISTRATOR, BOTH) as visitor:
        sent = await visitor.csrf() if token == "right" else token
        visitor.client.headers.update(headers)
        for route in (one for one in ROUTES if one.method in CHANGING):
            assert (await estate.ask(visitor, route, HERE, sent)).status_code == 403, route.path


WITH_OBJECTS = [one for one in WALKED if objects(one)]


@pytest.mark.parametrize("route", WITH_OBJECTS, ids=lambda one: f"{one.method} {one.path}")
def test_every_kind_of_object_is_made_at_each_site(route: Route, made: Made) -> None:
    assert not [where for where in (HERE, THERE, BOTH) if NOTHING in made.path(route, where)]


async def test_what_is_of_another_site_reads_as_what_is_not_there_at_all(made: Made, tmp_path: Path) -> None:
    """Word for word, so that nobody can find out what there is by asking."""
    async with opened(made, tmp_path / "home") as estate, estate.visitor(Role.VIEWER, HERE) as visitor:
        for route in (one for one in WALKED if objects(one) and one.permission is Permission.READ):
            path = made.path(route, THERE)
            nothing = path
            for value in made.ids[THERE].values():
                nothing = nothing.replace(value, "0" * len(value))
            there, nowhere = await visitor.get(path), await visitor.get(nothing)
            assert (there.status_code, nowhere.status_code) == (404, 404), path
            said, said_of_nothing = (REQUEST.sub("", answer.text) for answer in (there, nowhere))
            assert said.replace(path, "") == said_of_nothing.replace(nothing, ""), path
