"""The page of reports and what it offers: whole files of the estate as it is stored, for people and machines."""

import csv
import io
import json
import re
from collections import Counter
from contextlib import aclosing

import pytest
from lxml import etree

from fleet import estate
from fleet.commissioning import records
from fleet.estate_report import FORMATS
from fleet.people import tokens
from fleet.people.tokens import Scope
from fleet.reports.assessment import from_json
from fleet.store import Store
from tests.web.conftest import House, Visit, browser
from tests.web.console_estate import FORMULA, HOSTILE
from tests.web.console_estate import estate as sample
from tests.web.jobs_samples import cameras
from tests.web.two_sites import close

ADDRESSES = {dossier.address for dossier in sample()}
SILENT = "127.0.0.97"


async def test_every_link_of_the_page_is_a_file(visit: Visit) -> None:
    page = (await visit("viewer").get("/reports")).text
    links = re.findall(r'href="(/(?:reports|devices)[^"]*\.[a-z]+)"', page)
    assert {link.rpartition(".")[2] for link in links if link.startswith("/reports/")} == set(FORMATS)
    for link in links:
        answer = await visit("viewer").get(link)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment; filename=")


@pytest.mark.parametrize("ending", sorted(set(FORMATS) - {"sarif"}))
async def test_a_file_holds_every_camera(ending: str, visit: Visit) -> None:
    answer = await visit("viewer").get(f"/reports/estate.{ending}")
    media_type, _ = FORMATS[ending]
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.headers["content-disposition"] == f'attachment; filename="estate.{ending}"'
    for address in ADDRESSES:
        assert address in answer.text


async def test_sarif_tells_of_every_finding_and_of_nothing_that_is_good(house: House, visit: Visit) -> None:
    (run,) = (await visit("viewer").get("/reports/estate.sarif")).json()["runs"]
    found = (await estate.findings(house.store, limit=500)).items
    assert Counter(result["ruleId"] for result in run["results"]) == Counter(row.check for row in found)


async def test_an_address_that_told_nothing_stands_in_every_file(house: House, visit: Visit) -> None:
    scan = await house.scans.start(SILENT, "operator", default_credentials=False)
    async with aclosing(house.scans.events(scan)) as events:
        async for _ in events:
            pass
    for ending in FORMATS:
        assert SILENT in (await visit("viewer").get(f"/reports/estate.{ending}")).text, ending


async def test_a_hostile_camera_is_only_text_in_every_file(visit: Visit) -> None:
    files = {ending: (await visit("viewer").get(f"/reports/estate.{ending}")).text for ending in FORMATS}
    for text in files.values():
        assert "\x1b" not in text
    assert HOSTILE[:4] not in files["html"]
    assert f"<dd>{FORMULA}" not in files["html"]
    cells = [cell for row in csv.reader(io.StringIO(files["csv"])) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert etree.fromstring(files["xml"].encode()) is not None
    assert {result["level"] for result in json.loads(files["sarif"])["runs"][0]["results"]} <= {
        *("error", "warning", "note", "none")
    }
    assert {one.address for one in from_json(files["json"]).cameras} == ADDRESSES


@pytest.mark.parametrize("ending", ["pdf", "HTML", "json.exe", "%2e%2e%2fcamwarden.db"])
async def test_a_format_that_does_not_exist_is_404(ending: str, visit: Visit) -> None:
    assert (await visit("viewer").get(f"/reports/estate.{ending}")).status_code == 404


async def test_a_machine_fetches_the_same_file_with_its_token(house: House, visit: Visit) -> None:
    _, text = await tokens.create(house.store, "ci", [Scope.READ], "anna", days=1)
    async with browser(house.app) as machine:
        headers = {"Authorization": f"Bearer {text.reveal()}"}
        answer = await machine.get("/api/v1/reports/estate.sarif", headers=headers)
        assert (await machine.get("/reports/estate.sarif", headers=headers)).status_code == 303
    ours = (await visit("viewer").get("/reports/estate.sarif")).json()
    assert answer.json()["runs"][0]["results"] == ours["runs"][0]["results"]


async def test_a_handover_is_offered_once_it_is_signed(house: House, visit: Visit) -> None:
    begun = await begin(house.store, await cameras(house, 1))
    link = f"/commissioning/{begun}/handover.zip"
    page = (await visit("viewer").get("/reports")).text
    assert link not in page
    assert "A package comes out of a signed" in page
    await close(house.store, begun)
    page = (await visit("viewer").get("/reports")).text
    assert link in page
    assert "&lt;b&gt;Harbour&lt;/b&gt;" in page
    assert (await visit("viewer").get(link)).content.startswith(b"PK")


async def begin(store: Store, chosen: list[str]) -> str:
    return await records.start(store, "<b>Harbour</b>", chosen, "ana")
