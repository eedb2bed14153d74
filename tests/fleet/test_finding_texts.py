"""Findings are found by any part of what they say, whatever was said before, however many say it, and by their site."""

from dataclasses import replace

import pytest

from fleet import estate, retention, sites
from fleet.findings import texts
from fleet.findings import triage as findings
from fleet.findings.triage import FindingState
from fleet.people.scope import EVERYWHERE, Scope
from fleet.search import Kind, search
from fleet.settings import Settings
from fleet.sites import Site
from fleet.store import Store, bulk_insert
from fleet.store import tables as t
from fleet.views import FindingFilter
from fleet.words import MOST_CANDIDATES
from scanners.assessment import CameraAssessment
from scanners.model import Verdict
from tests.fleet.samples import FAIL, PASS, camera, dossier, verdict

CLOCK, TELNET = "clock-skew", "telnet-open"


def saying(summary: str, check: str = CLOCK, subject: str = "") -> Verdict:
    return replace(verdict(check, FAIL, subject), summary=summary)


async def seen(store: Store, number: int, *verdicts: Verdict, address: str | None = None) -> None:
    here = dossier(address or f"10.0.0.{number}", identity=camera(number))
    await findings.record(store, CameraAssessment(here, tuple(verdicts), 50))


async def found(store: Store, text: str, **more: object) -> list[str]:
    page = await estate.findings(store, FindingFilter(text=text, **more))  # type: ignore[arg-type] # by name
    assert page.total == len(page.items)
    return sorted(row.summary for row in page.items)


async def test_what_is_said_now_is_found_and_what_was_said_before_is_not(store: Store) -> None:
    await seen(store, 1, saying("The clock is 12 s off"), saying("Größe über 9", TELNET))
    await seen(store, 2, saying("The clock is 13 s off"))
    for text, summaries in {
        "12 S OFF": ["The clock is 12 s off"],
        "clock off": ["The clock is 12 s off", "The clock is 13 s off"],
        "GRÖSSE": ["Größe über 9"],
        "clock-sk 0.0.2": ["The clock is 13 s off"],
        "offgrö": [],
        "%": [],
    }.items():
        assert await found(store, text) == summaries, text
    await seen(store, 1, saying("The clock is 14 s off"))
    assert await found(store, "12 s") == []
    assert await found(store, "14 s", state=FindingState.OPEN) == ["The clock is 14 s off"]
    assert await found(store, "14 s", state=FindingState.FIXED) == []


async def test_very_many_that_say_much_the_same_are_counted_and_the_rare_among_them_found(store: Store) -> None:
    await seen(store, 1, saying("The clock is off since build 00000"))
    async with store.read() as connection:
        row = dict((await connection.execute(t.Finding.__table__.select())).one()._mapping)  # noqa: SLF001 - its public name
    numbers = range(1, MOST_CANDIDATES + 2)
    rows = [
        {**row, "id": f"{n:05}", "subject": f"{n}", "summary": f"build {n:05}", "said": n, "state": "fixed"}
        for n in numbers
    ]
    said = [{"number": n, "text": f"{CLOCK}\n{n}\nbuild {n:05}", "worded": 2} for n in numbers]
    async with store.write() as connection:
        await bulk_insert(connection, t.Finding, rows)
        await bulk_insert(connection, t.FindingText, said)
    page = await estate.findings(store, FindingFilter(text="build", state=None), limit=3)
    assert (len(page.items), page.total) == (3, MOST_CANDIDATES + 2)
    for text in ("00007", "00007 build", "build 00007"):
        assert await found(store, text, state=None) == ["build 00007"], text
    assert await found(store, "00007", state=FindingState.OPEN) == []


async def test_the_words_of_one_text_are_kept_once_and_forgotten_when_nobody_says_them(
    store: Store, settings: Settings
) -> None:
    await seen(store, 1, saying("The clock is off"))
    await seen(store, 2, saying("The clock is off"))
    await seen(store, 2, saying("The clock is wrong"))
    await seen(store, 2, saying("The clock is very wrong"))
    assert await _texts(store) == ["off", "very wrong", "wrong"]
    assert (await retention.would_go(store, settings)).texts == (await retention.keep(store, settings)).texts == 1
    assert await _texts(store) == ["off", "very wrong"]
    await seen(store, 3, saying("The clock is wrong"))
    assert await found(store, "wrong") == ["The clock is very wrong", "The clock is wrong"]
    await seen(store, 2, verdict(CLOCK, PASS))
    assert await found(store, "very", state=FindingState.FIXED) == ["The clock is very wrong"]


async def _texts(store: Store) -> list[str]:
    async with store.read() as connection:
        every = (await connection.execute(t.FindingText.__table__.select())).all()
    assert all(row.number == texts.number_of(row.text) for row in every)
    return sorted(row.text.partition("clock is ")[2] for row in every)


@pytest.mark.parametrize("text", ["", "clock"])
async def test_a_finding_belongs_to_the_site_of_its_camera_wherever_that_goes(store: Store, text: str) -> None:
    await sites.put(store, Site("house", ("10.0.0.0/24",)), "ana")
    await seen(store, 1, saying("The clock is off"))
    await seen(store, 2, saying("The clock is off"), address="10.9.9.2")

    async def at(site: str | None, scope: Scope = EVERYWHERE) -> list[str]:
        page = await estate.findings(store, FindingFilter(text=text, site=site), scope=scope)
        return sorted(row.address for row in page.items)

    house, yard = Scope(frozenset({"house"})), Scope(frozenset({"yard"}))
    assert (await at("house"), await at(""), await at(None, house)) == (["10.0.0.1"], ["10.9.9.2"], ["10.0.0.1"])
    await sites.put(store, Site("yard", ("10.9.9.0/24",)), "ana")
    assert (await at("yard"), await at(""), await at(None, yard)) == (["10.9.9.2"], [], ["10.9.9.2"])
    await seen(store, 1, saying("The clock is off"), address="10.9.9.1")
    assert (await at("yard"), await at("house")) == (["10.9.9.1", "10.9.9.2"], [])
    await sites.put(store, Site("court", ("10.9.9.0/24",)), "ana", instead_of="yard")
    assert (await at("court"), await at("yard"), await at(None, yard)) == (["10.9.9.1", "10.9.9.2"], [], [])
    await sites.remove(store, "court")
    assert await at("") == ["10.9.9.1", "10.9.9.2"]


async def test_the_search_finds_what_open_findings_say(store: Store) -> None:
    await seen(store, 1, saying("The clock is off"), saying("Telnet answers", TELNET))
    await seen(store, 2, saying("The clock is off"))
    await seen(store, 2, verdict(CLOCK, PASS))
    hits = [hit for hit in (await search(store, "clock")).hits if hit.kind is Kind.FINDING]
    assert [(hit.title, hit.detail.partition(" ")[0]) for hit in hits] == [("The clock is off", "10.0.0.1")]
    assert [hit.title for hit in (await search(store, "telnet-open")).hits] == ["Telnet answers"]
