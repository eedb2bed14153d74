"""One field over everything: the exact one first, few of each kind, and only what one may see."""

import pytest
from sqlalchemy import insert

from fleet import search, sites
from fleet.findings import triage as findings
from fleet.people.scope import EVERYWHERE, Scope
from fleet.search import Kind
from fleet.sites import Site
from fleet.store import Store
from fleet.store import plans_tables as p
from fleet.store.ids import new_id
from tests.fleet.samples import FAIL, NOON, assessed, camera, dossier


@pytest.fixture
async def furnished(store: Store) -> Store:
    await sites.put(store, Site("Harbour", ("10.0.0.1/32",), note="the quay"), "anna")
    for number in range(1, 13):
        of = dossier(f"10.0.0.{number}", identity=camera(number))
        await findings.record(store, assessed({("telnet-open", ""): FAIL}, of))
    plan = {"state": "done", "baseline": {"name": "essential"}, "actor": "anna", "created_at": NOON}
    plan |= {"expires_at": NOON, **dict.fromkeys(("digest", "approved_by", "approved_at", "finished_at", "error"))}
    async with store.write() as connection:
        await connection.execute(insert(p.Plan), [{"id": new_id(), **plan}])
    return store


ASKED = {
    "an address": ("10.0.0.1", Kind.CAMERA, "10.0.0.1:80"),
    "a serial number": ("B8A44F000007", Kind.CAMERA, "10.0.0.7:80"),
    "a MAC address in capitals": ("B8:A4:4F:00:00:03", Kind.CAMERA, "10.0.0.3:80"),
    "two words": ("p3265 10.0.0.5", Kind.CAMERA, "10.0.0.5:80"),
    "a site": ("harb", Kind.SITE, "Harbour"),
    "a weakness": ("telnet-open", Kind.FINDING, "telnet-open on the camera: fail"),
    "a plan": ("ESSENTIAL anna", Kind.PLAN, "essential"),
}


@pytest.mark.parametrize(("text", "kind", "title"), ASKED.values(), ids=ASKED)
async def test_finds(text: str, kind: Kind, title: str, furnished: Store) -> None:
    first = (await search.search(furnished, text)).hits[0]
    assert (first.kind, first.title) == (kind, title)


NOTHING = {
    "no word": "  ",
    "a word that nobody said": "zebra",
    "a pattern of the database": "10.0.0.%_",
    "half a pair": "\ud800",
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
async def test_finds_nothing(text: str, furnished: Store) -> None:
    assert (await search.search(furnished, text)).hits == ()


async def test_there_are_few_of_each_kind_and_it_says_that_there_are_more(furnished: Store) -> None:
    found = await search.search(furnished, "10.0.0")
    assert len(found.hits) == search.MOST_OF_A_KIND
    assert found.more == (Kind.CAMERA,)


async def test_only_what_belongs_to_the_sites_that_one_may_see(furnished: Store) -> None:
    async def seen(text: str, scope: Scope) -> set[str]:
        return {hit.title for hit in (await search.search(furnished, text, scope)).hits}

    harbour, elsewhere = Scope(frozenset({"Harbour"})), Scope(frozenset({"Elsewhere"}))

    assert await seen("10.0.0", harbour) == {"10.0.0.1:80"}
    assert await seen("telnet", elsewhere) == set()
    assert await seen("harbour", elsewhere) == set()
    assert await seen("essential", harbour) == set()
    assert await seen("essential", EVERYWHERE) == {"essential"}
