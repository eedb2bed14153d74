"""Expected cameras in the console and by the API: a list is tried, imported, shown and forgotten."""

import html
import re

import pytest

from fleet.expected import rows
from fleet.expected.rows import Known
from fleet.store import Store
from tests.web.conftest import House, Visit, Visitor

LIST = 'IP;Name;Serial\n10.20.1.13;Gate;\n10.99.0.1;"<b>=1+1";S1\n10.20.1.10;Dock;not-this-one\n'
BROKEN = LIST + "10.99.0.0/24;Yard;\n"


async def give(visitor: Visitor, text: str | None, **fields: str) -> str:
    files = {} if text is None else {"list": ("cameras.csv", text.encode(), "text/csv")}
    sent = {"csrf": await visitor.csrf(), "order": "import", **fields}
    answer = await visitor.client.post("/expected", data=sent, files=files)
    assert answer.status_code in {200, 422}, answer.text
    return answer.text


async def stand(store: Store) -> dict[str, str]:
    page = await rows.expected(store, known=tuple(Known))
    return {row.place: row.known.value for row in page.items}


async def test_a_list_is_tried_imported_shown_and_forgotten(house: House, visit: Visit) -> None:
    visitor = visit("operator")
    assert "No list was imported" in (await visitor.get("/expected?all=1")).text
    page = await give(visitor, LIST, order="try")
    assert "Nothing was imported" in page
    assert await stand(house.store) == {}
    page = html.unescape(await give(visitor, LIST))
    assert re.search(r"there is [-\w]+ with serial SN", page)
    assert await stand(house.store) == {"10.20.1.10": "other", "10.20.1.13": "found", "10.99.0.1": "missing"}
    page = (await visitor.get("/expected")).text
    assert "10.99.0.1" in page
    assert "&lt;b&gt;=1+1" in page
    assert "Another unit answers there" in page
    assert "10.20.1.13" not in page
    assert "10.20.1.13" in (await visitor.get("/expected?all=1")).text
    assert (await visitor.post("/expected/forget", {"place": "10.99.0.1"})).status_code == 303
    assert "10.99.0.1" not in await stand(house.store)


async def test_what_cannot_be_read_is_said_and_nothing_is_kept(house: House, visit: Visit) -> None:
    visitor = visit("operator")
    page = html.unescape(await give(visitor, BROKEN))
    assert "Line 5: '10.99.0.0/24' is more than one address" in page
    assert await stand(house.store) == {}
    await give(visitor, BROKEN, partial="1")
    assert len(await stand(house.store)) == 3
    for text, why in ((None, "Choose the file"), ("name\nGate", "No column is the address")):
        assert why in await give(visitor, text)


async def test_who_only_reads_sees_what_is_expected_and_no_form(visit: Visit) -> None:
    await give(visit("operator"), LIST)
    page = (await visit("viewer").get("/expected")).text
    assert "10.99.0.1" in page
    assert "Import a list" not in page
    assert "Forget" not in page


@pytest.mark.parametrize("trial", [True, False])
async def test_the_api_does_the_same(house: House, visit: Visit, *, trial: bool) -> None:
    operator = visit("operator")
    headers = {"X-CSRF-Token": await operator.csrf(), "Content-Type": "application/json"}
    asked = {"csv": BROKEN, "partial": True, "trial": trial, "source": "the asset register"}
    answer = await operator.client.post("/api/v1/expected", json=asked, headers=headers)
    done = answer.json()
    assert (answer.status_code, done["kept"]) == (200, not trial)
    assert [(line["place"], line["known"]) for line in done["lines"]] == [
        ("10.20.1.13", "found"),
        ("10.99.0.1", "missing"),
        ("10.20.1.10", "other"),
    ]
    assert [one["line"] for one in done["mistakes"]] == [5]
    listed = (await operator.get("/api/v1/expected")).json()
    assert [row["place"] for row in listed["items"]] == ([] if trial else ["10.20.1.10", "10.99.0.1"])
    assert (await operator.get("/api/v1/expected?every=true")).json()["total"] == (0 if trial else 3)
    gone = {"places": ["10.99.0.1", "10.99.0.2"]}
    answer = await operator.client.post("/api/v1/expected/forget", json=gone, headers=headers)
    assert answer.json() == {"forgotten": 0 if trial else 1}
    for body in ('{"csv": "name\\nGate"}', '{"csv": "\\ud800"}', '{"list": "ip"}', '{"csv": 7}'):
        sent = await operator.client.post("/api/v1/expected", content=body, headers=headers)
        assert sent.status_code == 422, sent.text
    assert len(await stand(house.store)) == (0 if trial else 2)
