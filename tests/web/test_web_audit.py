"""The audit trail in the console and in the API."""

import asyncio
import json

import pytest

from fleet import estate
from fleet.audit import export as audit_export
from fleet.audit.trail import Action, Entry, record_all
from tests.web.conftest import House, Visit


async def fill(house: House, count: int) -> None:
    async with house.store.write() as connection:
        entries = [Entry("anna", Action.VAULT_PUT, f"camera:{n}", {"account": "<b>root</b>"}) for n in range(count)]
        await record_all(connection, entries)


async def test_entries_are_read_page_by_page_and_by_a_filter(house: House, visit: Visit) -> None:
    await fill(house, 60)
    visitor = visit("administrator")
    page = (await visitor.get("/settings/audit?action=vault")).text
    assert "60 matching records" in page
    assert "&lt;b&gt;root&lt;/b&gt;" in page
    assert "camera:59" in page
    assert "camera:3<" not in page
    following = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = (await visitor.get(following)).text
    assert "camera:3<" in second
    assert "First page" in second
    assert "No entry matches" in (await visitor.get("/settings/audit?actor=nobody")).text


@pytest.mark.parametrize("query", ["since=yesterday", "after=x"])
async def test_a_filter_that_is_none_is_told(visit: Visit, query: str) -> None:
    assert (await visit("administrator").get(f"/settings/audit?{query}")).status_code == 422


async def test_the_check_runs_in_the_background_and_its_end_is_shown(house: House, visit: Visit) -> None:
    visitor = visit("administrator")
    assert "Not checked" in (await visitor.get("/settings/audit")).text
    assert (await visitor.post("/settings/audit/check", {})).status_code == 303
    await house.service.audit.finished()
    assert "Whole" in (await visitor.get("/settings/audit")).text
    async with house.store.write() as connection:
        await connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        await connection.exec_driver_sql("UPDATE audit SET actor = 'nobody' WHERE seq = 2")
    await visitor.post("/settings/audit/check", {})
    await house.service.audit.finished()
    shown = (await visitor.get("/settings/audit")).text
    assert "Not whole" in shown
    assert "Entry 2" in shown


async def test_the_download_proves_itself_and_is_told(house: House, visit: Visit) -> None:
    await fill(house, 5)
    visitor = visit("administrator")
    body = (await visitor.get("/settings/audit/export")).text
    out = house.home / "export.jsonl"
    await asyncio.to_thread(out.write_text, body)
    checked, _ = await asyncio.to_thread(audit_export.verify, out)
    assert checked.whole
    assert json.loads(body.splitlines()[-2])["action"] == "audit.export"


async def test_the_api_pages_by_the_last_number(house: House, visit: Visit) -> None:
    await fill(house, 5)
    visitor = visit("administrator")
    first = (await visitor.get("/api/v1/audit?action=vault&limit=3")).json()
    second = (await visitor.get(f"/api/v1/audit?action=vault&limit=3&after={first['after']}")).json()
    abouts = [entry["about"] for entry in (*first["items"], *second["items"])]
    assert abouts == [f"camera:{n}" for n in range(4, -1, -1)]
    assert (first["total"], second["after"]) == (5, None)
    assert first["items"][0]["detail"] == {"account": "<b>root</b>"}
    assert (await visitor.get("/api/v1/audit/check")).json() is None
    csrf = {"X-CSRF-Token": await visitor.csrf()}
    assert (await visitor.client.post("/api/v1/audit/check", headers=csrf)).status_code == 200
    await house.service.audit.finished()
    assert (await visitor.get("/api/v1/audit/check")).json()["checked"]["fault"] is None


async def test_a_cameras_page_and_a_findings_page_tell_their_history(house: House, visit: Visit) -> None:
    finding = (await estate.findings(house.store, limit=1)).items[0]
    visitor = visit("operator")
    await visitor.post("/findings", {"id": finding.id, "action": "acknowledge", "reason": "known here"})
    await visitor.post(f"/images/{finding.camera}/mute", {"hours": "1"})
    assert "finding.triage" in (await visitor.get(f"/findings/{finding.id}")).text
    page = (await visitor.get(f"/devices/{finding.camera}")).text
    assert "Who did what" in page
    assert "picture.mute" in page


async def test_only_those_who_may_read_it(visit: Visit) -> None:
    assert (await visit("operator").get("/settings/audit")).status_code == 403
    assert "/settings/audit" not in (await visit("operator").get("/settings")).text
