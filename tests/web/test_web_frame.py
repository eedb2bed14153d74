"""Headers, hosts, limits and errors: what holds for every answer."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from tests.web.conftest import Furnished, House, Visit, browser
from web import problems
from web.access import safe_next
from web.contexts import ErrorPage
from web.frame import BODY_LIMIT_BYTES, HEADERS
from web.routes import ROUTES
from web.visit import draw

Way = Callable[[], Awaitable[httpx.Response]]

ANSWERS = {
    "a page": ("administrator", "/"),
    "a page of a stranger": ("stranger", "/sign-in"),
    "the way to the door": ("stranger", "/devices"),
    "JSON": ("viewer", "/api/v1/cameras"),
    "an export": ("viewer", "/devices.csv"),
    "a missing page": ("viewer", "/nowhere"),
    "a missing camera": ("viewer", "/devices/none"),
    "a missing endpoint": ("viewer", "/api/v1/nowhere"),
    "a style sheet": ("stranger", "/static/camwarden.css"),
}


@pytest.mark.parametrize(("who", "path"), ANSWERS.values(), ids=ANSWERS)
async def test_every_answer_carries_the_headers(who: str, path: str, visit: Visit) -> None:
    answer = await visit(who).get(path)
    expected = dict(HEADERS)
    if path.startswith("/static/"):
        expected["Cache-Control"] = "no-cache"
    assert {name: answer.headers.get(name) for name in expected} == expected


async def test_the_policy_allows_nothing_inline_and_nobody_else(visit: Visit) -> None:
    policy = (await visit("viewer").get("/")).headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_a_static_file_may_be_kept_under_the_address_that_pages_use(visit: Visit) -> None:
    visitor = visit("stranger")
    page = (await visitor.get("/sign-in")).text
    path = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert "immutable" in (await visitor.get(path)).headers["cache-control"]


HOSTS = {
    "127.0.0.1:8080": 200,
    "[::1]:8080": 200,
    "192.168.1.20": 200,
    "localhost": 200,
    "LOCALHOST:1": 200,
    "evil.example": 400,
    "localhost.evil.example": 400,
    "": 400,
}


@pytest.mark.parametrize(("host", "status"), HOSTS.items())
async def test_only_our_own_names_are_answered(host: str, status: int, visit: Visit) -> None:
    assert (await visit("stranger").get("/sign-in", Host=host)).status_code == status


async def test_a_body_of_more_than_a_mebibyte_is_refused(visit: Visit) -> None:
    visitor = visit("operator")
    answer = await visitor.post("/scans", {"targets": "x" * BODY_LIMIT_BYTES})
    assert answer.status_code == 413


async def test_a_body_that_does_not_say_how_long_it_is_is_counted(visit: Visit) -> None:
    async def pieces() -> Any:  # noqa: ANN401 - an async generator
        for _ in range(2 + BODY_LIMIT_BYTES // 65536):
            yield b"a" * 65536

    answer = await visit("operator").client.post("/scans", content=pieces())
    assert answer.status_code == 413


TARGETS = {
    "/devices?q=1&after=a": "/devices?q=1&after=a",
    "//evil.example": "/",
    "/\\evil.example": "/",
    "https://evil.example": "/",
    "javascript:alert(1)": "/",
    "/\tevil": "/",
    "/\r\nSet-Cookie: a=b": "/",
    "": "/",
}


@pytest.mark.parametrize(("target", "safe"), TARGETS.items())
def test_next_never_leads_elsewhere(target: str, safe: str) -> None:
    assert safe_next(target) == safe


# --- errors -----------------------------------------------------------------------------------------------------------


async def provoke(status: int, path: str, visit: Visit) -> httpx.Response:
    """A real request that ends in that status."""
    who = visit("viewer" if status == 403 else "operator")
    csrf = await who.csrf()

    async def start(targets: str) -> httpx.Response:
        if path.startswith("/api/"):
            return await who.client.post(f"{path}/scans", json={"targets": targets}, headers={"X-CSRF-Token": csrf})
        return await who.client.post(f"{path}/scans", data={"csrf": csrf, "targets": targets})

    ways: dict[int, Way] = {
        400: lambda: who.get(f"{path}/", Host="evil.example"),
        401: lambda: visit("stranger").get(f"{path}/scans"),
        403: lambda: start("127.0.0.99"),
        404: lambda: who.get(f"{path}/nowhere"),
        405: lambda: who.client.delete(f"{path}/scans"),
        409: lambda: start("10.0.0.0/16"),
        413: lambda: start("x" * (BODY_LIMIT_BYTES + 1)),
        422: lambda: start("10.0.0.0/99"),
        500: lambda: who.get(f"{path}/broken"),
    }
    return await ways[status]()


PROVOKED = (400, 401, 403, 404, 405, 409, 413, 422, 500)


async def broken() -> None:
    raise RuntimeError("secret inside")


@pytest.fixture
def breakable(house: House) -> None:
    """Two handlers with a fault of ours."""
    house.app.add_api_route("/broken", broken)
    house.app.add_api_route("/api/v1/broken", broken)


@pytest.mark.usefixtures("breakable")
@pytest.mark.parametrize("status", PROVOKED)
async def test_the_api_has_one_shape_for_every_error(status: int, visit: Visit) -> None:
    answer = await provoke(status, "/api/v1", visit)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["type"]) == (status, status, "about:blank")
    assert problem["title"] == problems.TITLES[status]
    assert problem["detail"]


@pytest.mark.usefixtures("breakable")
@pytest.mark.parametrize("status", [status for status in PROVOKED if status != 401])
async def test_people_see_an_error_as_a_page(status: int, visit: Visit) -> None:
    answer = await provoke(status, "", visit)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "Camwarden</title>" in answer.text


@pytest.mark.parametrize("status", problems.TITLES)
def test_every_status_has_a_page_and_a_problem(status: int, house: House) -> None:
    for path in ("/page", "/api/v1/thing"):
        scope = {"type": "http", "path": path, "query_string": b"", "headers": [], "app": house.app, "state": {}}
        answer = problems.answer(Request(scope), status, "What to do.")
        assert answer.status_code == status
        assert b"What to do." in answer.body
        assert problems.TITLES[status].encode() in answer.body


@pytest.mark.usefixtures("breakable")
@pytest.mark.parametrize("path", ["/broken", "/api/v1/broken"])
async def test_a_fault_of_ours_gives_a_number_and_tells_nothing_else(
    path: str, visit: Visit, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await visit("viewer").get(path)
    record = next(record for record in caplog.records if record.message == "request failed")
    assert answer.headers["x-request-id"] in answer.text
    assert record.exc_info
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers


async def test_a_database_out_of_reach_is_said_so(house: House, furnished: Furnished) -> None:
    await house.store.close()
    async with browser(house.app) as client:
        client.cookies.set("session", furnished.tokens["viewer"])
        assert (await client.get("/checks")).status_code == 503


async def test_a_wrong_password_too_often_is_429_and_says_when_to_come_back(visit: Visit) -> None:
    visitor = visit("stranger")
    wrong = {"csrf": await visitor.csrf("/sign-in"), "name": "operator", "password": "wrong"}
    answers = [await visitor.client.post("/sign-in", data=wrong) for _ in range(12)]
    assert answers[0].status_code == 403
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0


def test_the_error_page_needs_no_visit(house: House) -> None:
    scope = {"type": "http", "path": "/", "query_string": b"", "headers": [], "app": house.app}
    page = draw(Request(scope), ErrorPage(400, "title", "<b>detail</b>", ""), 400, None)
    assert b"&lt;b&gt;detail" in page.body
    assert b"<form" not in page.body


async def test_the_description_of_the_api_is_openapi_3_1_and_lists_every_endpoint(visit: Visit) -> None:
    document = json.loads((await visit("viewer").get("/api/v1/openapi.json")).text)
    assert document["openapi"].startswith("3.1")
    listed = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert listed == {(route.path, route.method) for route in ROUTES if route.is_api}
