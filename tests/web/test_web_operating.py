"""For machines that watch: does it live, is it ready, its numbers, and who may read them."""

import re
import shutil
from collections import namedtuple
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from fleet import metrics as fleet_metrics
from fleet import readiness
from fleet.people import tokens
from fleet.people.tokens import Scope
from tests.web.conftest import House, Visit, browser
from web.routes import ROUTES

DOCUMENT = Path(__file__).parents[2] / "docs" / "operate" / "monitoring.md"
SAMPLE = re.compile(r"^camwarden_\w+(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$")


async def numbers(house: House, **headers: str) -> httpx.Response:
    async with browser(house.app) as machine:
        return await machine.get("/metrics", headers=headers)


def values(text: str) -> dict[str, float]:
    found = (line.rpartition(" ") for line in text.splitlines() if line.startswith("camwarden_"))
    return {name: float(value) for name, _, value in found}


async def test_what_is_counted_is_what_is_stored(house: House, visit: Visit) -> None:
    await visit("viewer").get("/devices/no-such-camera")
    await visit("stranger").get("/devices/no-such-camera")
    found = values((await numbers(house)).text)
    cameras = sum(value for name, value in found.items() if name.startswith("camwarden_cameras{"))
    assert cameras == (await house.service.pictures.summary()).cameras
    assert found['camwarden_requests_total{method="GET",route="/devices/{camera}",status="404"}'] == 1
    assert found['camwarden_requests_total{method="GET",route="/devices/{camera}",status="303"}'] == 1
    assert found["camwarden_store_up"] == 1
    assert found['camwarden_findings_open{severity="high"}'] > 0


async def test_no_label_says_anything_of_a_camera_or_a_person(house: House, visit: Visit) -> None:
    for path in ("/devices?q=10.20.1.50", "/search?q=operator", "/nowhere/10.20.1.50"):
        await visit("operator").get(path)
    text = (await numbers(house)).text
    assert "10.20.1" not in text
    routes = {route.path for route in ROUTES} | {"none"}
    assert set(re.findall(r'route="([^"]*)"', text)) <= routes


async def test_every_number_is_documented_and_no_other(house: House) -> None:
    text = (await numbers(house)).text
    there = set(re.findall(r"^# TYPE (camwarden_\w+)", text, re.MULTILINE)) - {"camwarden_requests_created"}
    there = {name for name in there if not name.endswith("_created")}
    assert set(re.findall(r"^\| `(camwarden_\w+)`", DOCUMENT.read_text(), re.MULTILINE)) == there


WHO: dict[str, tuple[dict[str, Any], dict[str, str], int]] = {
    "this machine": ({}, {}, 200),
    "this machine, where a token is wanted": ({"metrics": "token"}, {}, 401),
    "whoever came through a proxy": ({}, {"X-Forwarded-For": "127.0.0.1"}, 401),
    "a wrong token": ({"metrics": "token"}, {"Authorization": "Bearer cw_nonsense"}, 401),
    "this machine, where nobody may": ({"metrics": "off"}, {}, 404),
}


@pytest.mark.parametrize(("house", "headers", "status"), WHO.values(), ids=WHO, indirect=["house"])
async def test_who_may_read_the_numbers(house: House, headers: dict[str, str], status: int) -> None:
    assert (await numbers(house, **headers)).status_code == status


@pytest.mark.parametrize("house", [{"metrics": "token"}], indirect=True)
@pytest.mark.parametrize(("scope", "status"), [(Scope.READ, 200), (Scope.SCAN, 401)])
async def test_a_token_may_read_them_that_may_read(scope: Scope, status: int, house: House) -> None:
    _, text = await tokens.create(house.store, "prometheus", [scope], "anna", days=1)
    assert (await numbers(house, Authorization=f"Bearer {text.reveal()}")).status_code == status


async def test_a_store_that_does_not_answer_is_said_so_in_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "WITHIN_S", 0.05)
    monkeypatch.setattr(fleet_metrics, "WITHIN_S", 0.05)
    async with AsyncExitStack() as stack, browser(house.app) as machine:
        for _ in range(4):  # all that there are
            await stack.enter_async_context(house.store.read())
        for _ in range(2):  # asked again, it is still the first question that waits
            answer = await machine.get("/readyz")
            assert answer.status_code == 503
            assert answer.json()["parts"]["store"] == "the database does not answer"
        assert (await machine.get("/healthz")).status_code == 200
        assert values((await machine.get("/metrics")).text)["camwarden_store_up"] == 0
        await stack.aclose()
        while (await machine.get("/readyz")).status_code != 200:
            continue


Disk = namedtuple("Disk", "total used free")  # noqa: PYI024 - as the standard library has it


async def test_a_full_disk_and_work_that_ended_are_said_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(1, 1, 1000))
    house.service.background["pictures"] = lambda: False  # type: ignore[index] # a dict behind its reading side
    async with browser(house.app) as machine:
        answer = await machine.get("/readyz")
    parts = answer.json()["parts"]
    assert (answer.status_code, parts["store"]) == (503, "ready")
    assert parts["background"].startswith("pictures ended")
    assert "MiB are free" in parts["disk"]


async def test_a_database_of_another_version_is_said_so(house: House) -> None:
    async with house.store.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    async with browser(house.app) as machine:
        answer = await machine.get("/readyz")
    assert "another version" in answer.json()["parts"]["store"]


async def test_the_search_page_shows_what_fits_and_says_where_nothing_does(visit: Visit) -> None:
    found = (await visit("viewer").get("/search?q=10.20.1.50")).text
    assert re.search(r'<a href="/devices/[0-9a-f-]+">', found)
    assert "Nothing matches" in (await visit("viewer").get("/search?q=zebra")).text
    assert "What are you looking for?" in (await visit("viewer").get("/search")).text


async def test_the_first_page_says_what_changed_and_each_line_leads_to_its_list(visit: Visit) -> None:
    viewer = visit("viewer")
    page = (await viewer.get("/?days=7")).text
    assert "in the last 7 days" in page
    for href in re.findall(r'href="(/(?:devices|findings)\?[^"]*since=[^"]*)"', page):
        there = await viewer.get(href.replace("&amp;", "&"))
        assert (there.status_code, "since <time" in there.text) == (200, True)
        assert "No camera matches" not in there.text
        assert "No finding matches" not in there.text


async def test_a_machine_asks_for_changes_and_searches(visit: Visit) -> None:
    viewer = visit("viewer")
    changes = (await viewer.get("/api/v1/changes")).json()
    assert {"what", "count", "severity", "state"} == set(changes["items"][0])
    assert (await viewer.get("/api/v1/changes?since=2020-01-01T00:00:00Z")).status_code == 422
    found = (await viewer.get("/api/v1/search?q=10.20.1.50")).json()
    assert found["hits"][0]["kind"] == "camera"
