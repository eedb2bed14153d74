"""Triage changes what was chosen on this page, says so, and can be undone."""

import re
from datetime import timedelta

import pytest

from fleet import estate
from fleet.findings.triage import FindingState
from fleet.views import FindingFilter, FindingRow
from tests.web.conftest import House, Visit

ANY = FindingFilter(state=None)
BOX = re.compile(r'<input type="checkbox" name="id" value="([^"]+)"')


async def everything(house: House) -> dict[str, FindingRow]:
    return {row.id: row for row in (await estate.findings(house.store, ANY, limit=500)).items}


def states(rows: dict[str, FindingRow]) -> dict[str, FindingState]:
    return {finding: row.state for finding, row in rows.items()}


async def test_only_the_chosen_findings_change(house: House, visit: Visit) -> None:
    before = states(await everything(house))
    chosen = list(before)[3:5]
    answer = await visit("operator").post("/findings", {"action": "acknowledge", "id": chosen, "next": "/findings"})
    after = states(await everything(house))
    assert {finding for finding in before if before[finding] != after[finding]} == set(chosen)
    assert "2 findings acknowledged" in answer.text
    assert set(re.findall(r'name="id" value="([^"]+)"', answer.text)) == set(chosen)


WISHES = {
    "a filter beside the ids": {"q": "", "severity": "critical", "state": "any"},
    "the word all": {"all": "1", "select_all": "on", "id": "all"},
    "a wildcard": {"id": "*"},
    "a pattern of SQL": {"id": "%' OR 1=1 --"},
}


@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)
async def test_nothing_but_an_id_selects_a_finding(wish: dict[str, str], house: House, visit: Visit) -> None:
    before = states(await everything(house))
    answer = await visit("operator").post("/findings", {"action": "acknowledge", **wish})
    assert answer.status_code in {200, 422}
    assert states(await everything(house)) == before


async def test_a_page_offers_only_its_own_rows(house: House, visit: Visit) -> None:
    page = (await visit("operator").get("/findings?severity=critical")).text
    critical = {row.id for row in (await everything(house)).values() if row.severity == "critical"}
    assert set(BOX.findall(page)) == critical
    assert f'data-matching="{len(critical)}"' in page
    assert f'data-everything="{len(await everything(house))}"' in page


async def test_an_acknowledgement_can_be_undone(house: House, visit: Visit) -> None:
    visitor, before = visit("operator"), states(await everything(house))
    chosen = list(before)[:3]
    result = await visitor.post("/findings", {"action": "acknowledge", "id": chosen})
    assert "Undo" in result.text
    undo = {"action": "reopen", "id": re.findall(r'name="id" value="([^"]+)"', result.text), "reason": "undone"}
    await visitor.post("/findings", undo)
    assert states(await everything(house)) == before


async def test_a_risk_is_accepted_with_a_reason_until_the_end_of_a_day(house: House, visit: Visit) -> None:
    chosen = next(iter(await everything(house)))
    day = (house.store.now() + timedelta(days=30)).date()
    fields = {"action": "accept", "id": chosen, "reason": "<b>replaced in March</b>", "until": day.isoformat()}
    answer = await visit("operator").post("/findings", fields)
    row = (await everything(house))[chosen]
    assert answer.status_code == 200
    assert (row.state, row.reason) == (FindingState.RISK_ACCEPTED, "<b>replaced in March</b>")
    assert row.accepted_until
    assert row.accepted_until.date() == day
    history = (await visit("viewer").get(f"/findings/{chosen}")).text
    assert "&lt;b&gt;replaced in March&lt;/b&gt;" in history
    assert "by operator" in history


MISTAKES = {
    "no reason": {"action": "accept", "reason": "", "until": "2999-01-01"},
    "no date": {"action": "accept", "reason": "why not", "until": ""},
    "no date but words": {"action": "accept", "reason": "why not", "until": "soon"},
    "a date that has passed": {"action": "accept", "reason": "why not", "until": "2001-01-01"},
    "a date far away": {"action": "accept", "reason": "why not", "until": "2999-01-01"},
    "an action that does not exist": {"action": "delete"},
    "no action": {},
}


@pytest.mark.parametrize("fields", MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_changes_nothing_and_is_said(fields: dict[str, str], house: House, visit: Visit) -> None:
    before = await everything(house)
    answer = await visit("operator").post("/findings", {**fields, "id": next(iter(before))})
    assert answer.status_code == 422
    assert "Nothing was changed." in answer.text
    assert await everything(house) == before


async def test_choosing_nothing_is_said(visit: Visit) -> None:
    answer = await visit("operator").post("/findings", {"action": "acknowledge"})
    assert answer.status_code == 422
    assert "Nothing was changed." in answer.text


async def test_what_could_not_be_changed_is_listed_with_its_reason(house: House, visit: Visit) -> None:
    visitor, chosen = visit("operator"), next(iter(await everything(house)))
    await visitor.post("/findings", {"action": "acknowledge", "id": chosen})
    answer = await visitor.post("/findings", {"action": "acknowledge", "id": [chosen, "no-such-id"]})
    assert "0 findings acknowledged" in answer.text
    assert "2 findings left as they were" in answer.text
    assert "no-such-id" in answer.text
    assert "Undo" not in answer.text


async def test_findings_are_counted_by_check(house: House, visit: Visit) -> None:
    page = (await visit("viewer").get("/findings?by=check")).text
    assert f"{len(await everything(house))} findings of" in page
