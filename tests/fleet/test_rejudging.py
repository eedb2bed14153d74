"""New knowledge over old evidence: the estate is judged again without a packet, and nothing that was seen changes."""

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files

import pytest
from sqlalchemy import func, select, update

import scanners.knowledge
from fleet import estate
from fleet.errors import StoreUnavailable
from fleet.findings import rejudging
from fleet.findings import triage as findings
from fleet.findings.lifecycle import FindingState
from fleet.findings.rejudging import Rejudged, catching_up, digest_of, rejudge
from fleet.settings import Settings
from fleet.store import Store
from fleet.store import tables as t
from fleet.views import FindingFilter, FindingView
from scanners.assessment import CameraAssessment
from scanners.dossier import Dossier
from scanners.evaluate import evaluate
from scanners.knowledge import Knowledge, load_knowledge
from scanners.score import score
from tests.fleet.samples import Clock
from tests.web.console_estate import AXIS, healthy

OLD = "firmware-outdated"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at first, and later: by then a newer firmware is out for our model."""

    first: Knowledge
    later: Knowledge


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    bundled = files(scanners.knowledge).joinpath("firmware.yaml").read_text()
    catalogue = tmp_path_factory.mktemp("known") / "firmware.yaml"
    catalogue.write_text(bundled.replace(f'"{AXIS.firmware}"', '"13.0.1"'))
    return Known(load_knowledge(), load_knowledge(catalogue))


async def visit(store: Store, dossier: Dossier, knowledge: Knowledge) -> str:
    verdicts = evaluate(dossier, knowledge)
    return (await findings.record(store, CameraAssessment(dossier, verdicts, score(verdicts)))).camera


async def outdated(store: Store) -> list[FindingView]:
    page = await estate.findings(store, FindingFilter(state=None, check=OLD))
    return [await estate.finding(store, row.id) for row in page.items]


async def dossiers(store: Store) -> int:
    async with store.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(t.StoredDossier)) or 0)


async def test_a_newer_firmware_opens_a_finding_on_what_was_seen_before(
    store: Store, clock: Clock, known: Known
) -> None:
    camera = await visit(store, healthy(1, AXIS), known.first)
    seen = clock()
    before = (await estate.device(store, camera)).row
    clock.forward(days=3)
    assert await rejudge(store, known.later) == Rejudged(cameras=1, changed=1, opened=1)
    (found,) = await outdated(store)
    assert (found.row.state, found.row.first_seen, found.row.last_seen) == (FindingState.OPEN, seen, seen)
    assert [(event.event, event.actor, event.at) for event in found.events] == [("opened", "new knowledge", clock())]
    after = (await estate.device(store, camera)).row
    assert (after.score, after.findings.high) == (before.score - 20, before.findings.high + 1)
    assert after.last_seen == seen
    assert await dossiers(store) == 1


async def test_a_catalogue_that_was_wrong_takes_its_finding_back(store: Store, clock: Clock, known: Known) -> None:
    await visit(store, healthy(1, AXIS), known.later)
    clock.forward(hours=1)
    assert await rejudge(store, known.first) == Rejudged(cameras=1, changed=1, fixed=1)
    (found,) = await outdated(store)
    assert (found.row.state, found.row.fixed_at) == (FindingState.FIXED, clock())


async def test_what_is_known_already_changes_nothing(store: Store, known: Known) -> None:
    for number in range(1, 4):
        await visit(store, healthy(number, AXIS), known.first)
    assert await rejudge(store, known.first) == Rejudged(cameras=3)
    assert await rejudge(store, known.later) == Rejudged(cameras=3, changed=3, opened=3)
    assert await rejudge(store, known.later) == Rejudged(cameras=3)


async def test_it_goes_batch_by_batch_and_says_how_far(
    store: Store, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejudging, "BATCH", 2)
    for number in range(1, 6):
        await visit(store, healthy(number, AXIS), known.first)
    told: list[int] = []
    assert (await rejudge(store, known.later, on_progress=told.append)).changed == 5
    assert told == [2, 4, 5]


async def test_one_that_is_stopped_begins_anew_the_next_time(
    store: Store, settings: Settings, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejudging, "BATCH", 1)
    for number in range(1, 4):
        await visit(store, healthy(number, AXIS), known.later)  # the service itself knows what was known at first
    stop = asyncio.Event()
    done = await rejudge(store, known.first, on_progress=lambda _: stop.set(), stop=stop)
    assert done == Rejudged(cameras=1, changed=1, fixed=1)
    async with asyncio.timeout(20), catching_up(store, settings):
        while len(await outdated_states(store, FindingState.FIXED)) < 3:  # noqa: ASYNC110 - the outcome is a row
            await asyncio.sleep(0.01)


async def outdated_states(store: Store, state: FindingState) -> list[FindingView]:
    return [found for found in await outdated(store) if found.row.state is state]


async def test_a_service_that_knows_nothing_new_leaves_the_estate_alone(
    store: Store, settings: Settings, known: Known
) -> None:
    await rejudge(store, known.first)
    await visit(store, healthy(1, AXIS), known.later)
    async with asyncio.timeout(20), catching_up(store, settings):
        pass
    assert len(await outdated_states(store, FindingState.OPEN)) == 1
    assert digest_of(known.first) != digest_of(known.later)


async def test_evidence_of_another_version_keeps_what_was_said_of_it(store: Store, known: Known) -> None:
    await visit(store, healthy(1, AXIS), known.later)
    async with store.write() as connection:
        await connection.execute(update(t.StoredDossier).values(body=b'{"format": "of tomorrow"}'))
    assert await rejudge(store, known.first) == Rejudged(cameras=1, unreadable=1)
    assert len(await outdated_states(store, FindingState.OPEN)) == 1


async def test_a_scan_that_came_between_knows_better(store: Store, known: Known) -> None:
    await visit(store, healthy(1, AXIS), known.first)
    rows = await rejudging._batch(store, "")  # noqa: SLF001 - between its two halves
    await visit(store, replace(healthy(1, AXIS), port=80), known.first)
    assert await rejudging._judge_batch(store, known.later, rows) == Rejudged(cameras=1)  # noqa: SLF001 - as above
    assert await outdated(store) == []


async def test_a_store_that_is_closed_is_said(store: Store, known: Known) -> None:
    await store.close()
    judge = partial(rejudge, store, known.first)
    with pytest.raises(StoreUnavailable):
        await judge()
