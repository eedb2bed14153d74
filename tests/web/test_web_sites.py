"""Sites in the console: added, changed and removed by an administrator, and a filter for everybody."""

import html

import pytest

from fleet import estate, sites
from tests.web.conftest import House, Visit

HARBOUR = {
    "name": "Harbour",
    "networks": "10.20.1.0/28, 10.20.1.99",
    "zone": "Europe/Berlin",
    "window": "",
    "note": "east",
}


async def test_a_site_is_added_changed_and_removed(house: House, visit: Visit) -> None:
    visitor = visit("administrator")
    assert "No sites yet" in (await visitor.get("/sites")).text
    assert (await visitor.post("/sites", HARBOUR)).status_code == 303
    page = (await visitor.get("/sites")).text
    for words in ("Harbour", "10.20.1.0/28", "10.20.1.99/32", "Europe/Berlin", "at any time", "east"):
        assert words in page
    form = (await visitor.get("/sites?edit=Harbour")).text
    assert 'value="Harbour"' in form
    changed = {**HARBOUR, "name": "Pier", "window": "22:00-05:00", "before": "Harbour"}
    assert (await visitor.post("/sites", changed)).status_code == 303
    assert [(view.site.name, view.site.window) for view in await sites.sites(house.store)] == [("Pier", "22:00-05:00")]
    assert (await visitor.post("/sites/remove", {"name": "Pier"})).status_code == 303
    assert await sites.sites(house.store) == []


MISTAKES = {
    "no network": ({"networks": "harbour"}, "is no network"),
    "no zone": ({"zone": "Berlin"}, "no time zone"),
    "no window": ({"window": "night"}, "no window"),
    "gone meanwhile": ({"before": "Pier"}, "There is no site"),
}


@pytest.mark.parametrize(("typed", "why"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_is_said_and_what_was_typed_stays(
    house: House, visit: Visit, typed: dict[str, str], why: str
) -> None:
    answer = await visit("administrator").post("/sites", {**HARBOUR, **typed})
    assert answer.status_code in {404, 422}
    assert why in html.unescape(answer.text)
    assert 'value="east"' in answer.text
    assert await sites.sites(house.store) == []


async def test_who_only_reads_sees_sites_and_no_form(visit: Visit) -> None:
    await visit("administrator").post("/sites", HARBOUR)
    page = (await visit("viewer").get("/sites")).text
    assert "Harbour" in page
    assert "New site" not in page


async def test_lists_offer_sites_as_a_filter(house: House, visit: Visit) -> None:
    visitor = visit("administrator")
    assert 'name="site"' not in (await visitor.get("/devices")).text
    await visitor.post("/sites", HARBOUR)
    here = [row.address for row in (await estate.devices(house.store)).items if row.site]
    gone = [row.address for row in (await estate.devices(house.store)).items if not row.site]
    assert here
    for path in ("/devices", "/findings", "/devices.csv", "/api/v1/cameras", "/api/v1/findings"):
        assert set(await addresses(visit, f"{path}?site=Harbour", [*here, *gone])) <= set(here)
    for path in ("/devices", "/devices.csv"):
        assert await addresses(visit, f"{path}?site=Harbour", [*here, *gone]) == here
        assert await addresses(visit, f"{path}?site=-", [*here, *gone]) == gone
    assert (await visitor.get("/findings?by=check&site=Harbour")).status_code == 200


async def addresses(visit: Visit, path: str, known: list[str]) -> list[str]:
    """Which of the known ones a list names."""
    text = (await visit("viewer").get(path)).text
    return [address for address in known if f"{address}<" in text or f"{address}," in text or f'{address}"' in text]


async def test_the_overview_names_the_site_with_the_most_urgent_cameras_first(visit: Visit) -> None:
    visitor = visit("administrator")
    assert ">Sites<" not in (await visitor.get("/")).text
    for site in ({**HARBOUR, "name": "Attic", "networks": "10.99.0.0/24"}, HARBOUR):
        await visitor.post("/sites", site)
    page = (await visitor.get("/")).text
    assert page.index("Harbour") < page.index("Attic")
    assert "none urgent" in page


async def test_the_api_lists_sites(visit: Visit) -> None:
    await visit("administrator").post("/sites", HARBOUR)
    (view,) = (await visit("viewer").get("/api/v1/sites")).json()["items"]
    assert (view["site"]["name"], view["site"]["networks"]) == ("Harbour", ["10.20.1.0/28", "10.20.1.99/32"])
    assert view["cameras"] > 0
