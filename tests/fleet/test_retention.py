"""History of more than a year, cut to what is kept: nothing is lost that a sum can tell, and nobody waits for it."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

from fleet import estate, retention
from fleet.accuracy import rows as accuracy_rows
from fleet.accuracy.rows import Baseline
from fleet.findings import triage as findings
from fleet.jobs.model import Job, JobId, NewJob
from fleet.jobs.queue import Queue
from fleet.jobs.states import JobState
from fleet.pictures import rollups as picture_rollups
from fleet.pictures import rows as picture_rows
from fleet.pictures.rollups import Rollup, Span, added, begins
from fleet.retention import Kept
from fleet.service import open_service
from fleet.settings import Settings
from fleet.store import Store
from fleet.store import accuracy_tables as a
from fleet.store import plans_tables as p
from fleet.store import tables as t
from fleet.store.ids import new_id
from fleet.store.pictures_tables import PictureCheck
from fleet.store.retention_tables import AccuracyDay, PictureRollup
from health.conditions import Condition
from tests.fleet.samples import FAIL, Clock, assessed

DAYS = 400
FAULT = {"blur": {"confidence": 0.9, "evidence": {}}}


async def a_camera(store: Store) -> str:
    return (await findings.record(store, assessed({("telnet-open", ""): FAIL}))).camera


def look(camera: str, at: datetime, verdict: str = "ok", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    values: dict[str, Any] = {"condition": "day", "faults": {}, "reason": None, "picture": None, "stream": {}}
    return {"id": new_id(), "camera": camera, "at": at, "verdict": verdict, **values, **more}


async def add(store: Store, table: Any, rows: Sequence[dict[str, Any]]) -> None:  # noqa: ANN401 - any table
    async with store.write() as connection:
        await connection.execute(insert(table), list(rows))


async def number(store: Store, table: Any) -> int:  # noqa: ANN401 - any table
    async with store.read() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


def every(hours: int, until: datetime, days: int) -> Iterator[datetime]:
    """Moments of so many days before `until`, the oldest first."""
    count = days * 24 // hours
    return (until - timedelta(hours=hours) * back for back in range(count, 0, -1))


async def test_looks_of_a_year_become_hours_and_days(store: Store, settings: Settings, clock: Clock) -> None:
    camera = await a_camera(store)
    moments = list(every(4, clock.at, DAYS))
    await add(
        store, PictureCheck, [look(camera, at, "failed" if n % 10 == 0 else "ok") for n, at in enumerate(moments)]
    )
    before = await retention.would_go(store, settings)
    gone = await retention.keep(store, settings)
    assert (before.looks, before.hours) == (gone.looks, 0)
    assert await retention.would_go(store, settings) == await retention.keep(store, settings) == Kept()
    async with store.read() as connection:
        raw = (await connection.scalars(select(PictureCheck.at))).all()
        sums = (await connection.execute(select(PictureRollup))).all()
    assert min(raw) >= clock.at - timedelta(days=settings.keep_raw_days)
    by_span = {span: [row for row in sums if row.span == span] for span in ("hour", "day")}
    assert min(row.at for row in by_span["hour"]) >= begins(clock.at, Span.DAY) - timedelta(days=90)
    assert len(by_span["day"]) == pytest.approx(DAYS - 90, abs=1)
    assert len(raw) + sum(row.ok + row.degraded + row.failed + row.unknown for row in sums) == len(moments)
    assert sum(row.failed for row in sums) == sum(n % 10 == 0 and at < min(raw) for n, at in enumerate(moments))


async def test_what_comes_late_is_added_to_the_hour_that_is_there(
    store: Store, settings: Settings, clock: Clock
) -> None:
    camera, at = await a_camera(store), clock.at - timedelta(days=8)
    await add(store, PictureCheck, [look(camera, at, stream={"frame_rate": 10.0, "longest_gap_s": 0.5})])
    await retention.keep(store, settings)
    late = look(
        camera, at + timedelta(minutes=9), "failed", faults=FAULT, picture="e" * 64, stream={"frame_rate": 20.0}
    )
    await add(store, PictureCheck, [late])
    await retention.keep(store, settings)
    (one,) = await picture_rollups.of_camera(store, camera, 9)
    assert (one.looks, one.ok, one.failed, one.worst, one.faults) == (2, 1, 1, "failed", {"blur": 1})
    assert (one.frame_rate, one.longest_gap_s, one.picture, one.at) == (15.0, 0.5, "e" * 64, begins(at, Span.HOUR))


WORSE = {
    "a fault is worse than a good look": ("ok", "degraded", "degraded"),
    "a failure is worse than a fault": ("failed", "degraded", "failed"),
    "a look that could not tell is worse than a good one": ("unknown", "ok", "unknown"),
    "a fault that was seen says more than a look that could not tell": ("unknown", "degraded", "degraded"),
}


@pytest.mark.parametrize(("first", "second", "worst"), WORSE.values(), ids=WORSE)
def test_the_worst_look_names_the_hour(first: str, second: str, worst: str, clock: Clock) -> None:
    def one(verdict: str) -> Rollup:
        counts = {name: int(name == verdict) for name in ("ok", "degraded", "failed", "unknown")}
        named = {"condition": "day", "worst": verdict, "faults": {}, "picture": verdict}
        return Rollup("c", Span.HOUR, clock.at, **named, **counts, rated=0, rate_sum=0.0, longest_gap_s=None)  # type: ignore[arg-type] # by name

    for both in (added(one(first), one(second)), added(one(second), one(first))):
        assert (both.worst, both.picture, both.looks) == (worst, worst, 2)


async def test_the_usual_light_is_known_from_hours_too(store: Store, settings: Settings, clock: Clock) -> None:
    camera = await a_camera(store)
    await add(store, PictureCheck, [look(camera, at) for at in every(1, clock.at, 12)])
    since = clock.at - timedelta(days=14)
    before = await picture_rows.good_conditions(store, camera, since)
    await retention.keep(store, settings)
    after = await picture_rows.good_conditions(store, camera, since)
    assert {light for _, light in after} == {Condition.DAY}
    assert len(after) == len(before)


async def test_counts_become_days_but_not_those_that_drift_is_told_from(
    store: Store, settings: Settings, clock: Clock
) -> None:
    camera = await a_camera(store)
    shared = {"camera": camera, "picture": "good", "version": "1", "count": 3, "watched_s": 60.0}
    await add(store, a.AccuracyHour, [{**shared, "hour": at} for at in every(6, clock.at, DAYS)])
    since = clock.at - timedelta(days=200)
    await accuracy_rows.add_baseline(store, camera, Baseline(since, "1", "anna"))
    assert await retention.would_go(store, settings) == (gone := await retention.keep(store, settings))
    hours = [one.hour for one in (await accuracy_rows.history(store, camera)).hours]
    recent = begins(clock.at, Span.DAY) - timedelta(days=90)
    assert all(hour >= recent or since <= hour < since + timedelta(days=28) for hour in hours)
    assert sum(since <= hour < since + timedelta(days=28) for hour in hours) == 28 * 4
    async with store.read() as connection:
        days = (await connection.execute(select(AccuracyDay).order_by(AccuracyDay.day))).all()
    assert sum(row.watched_s for row in days) == gone.counts * 60.0
    assert sum(row._mapping["count"] for row in days) + 3 * len(hours) == 3 * DAYS * 4  # noqa: SLF001 - see retention


async def test_of_visits_the_last_of_each_day_stays_and_later_only_its_score(
    store: Store, settings: Settings, clock: Clock
) -> None:
    newest = clock.at
    for days, hours in ((DAYS, 0), (DAYS, 2), (30, 0), (30, 2), (2, 0), (2, 2)):
        clock.at = newest - timedelta(days=days) + timedelta(hours=hours)
        camera = await a_camera(store)
    clock.at = newest
    assert await retention.would_go(store, settings) == (gone := await retention.keep(store, settings))
    assert (gone.visits, gone.dossiers) == (2, 1)
    view = await estate.device(store, camera)
    assert [(newest - point.at).days for point in view.history] == [399, 29, 2, 1]
    assert view.dossier is not None


async def test_a_camera_that_is_seldom_visited_keeps_its_evidence(
    store: Store, settings: Settings, clock: Clock
) -> None:
    camera = await a_camera(store)
    clock.forward(days=DAYS)
    assert await retention.keep(store, settings) == Kept()
    assert (await estate.device(store, camera)).dossier is not None


async def test_events_of_a_plan_go_long_after_its_end_and_those_of_findings_never(
    store: Store, settings: Settings, clock: Clock
) -> None:
    await a_camera(store)
    old, new, unfinished = new_id(), new_id(), new_id()
    ends = {old: clock.at - timedelta(days=91), new: clock.at - timedelta(days=89), unfinished: None}
    plan = {"state": "done", "baseline": {}, "actor": "anna", "created_at": clock.at, "expires_at": clock.at}
    plan |= dict.fromkeys(("digest", "approved_by", "approved_at", "error"))
    await add(store, p.Plan, [{"id": one, "finished_at": end, **plan} for one, end in ends.items()])
    event = {
        "at": clock.at,
        "event": "made",
        "state": "draft",
        "actor": "anna",
        "reason": "",
        "camera": None,
        "setting": None,
    }
    await add(store, p.PlanEvent, [{"id": new_id(), "plan": one, **event} for one in ends])
    clock.forward(hours=1)
    assert (await retention.keep(store, settings)).events == 1
    async with store.read() as connection:
        assert set(await connection.scalars(select(p.PlanEvent.plan))) == {new, unfinished}
    clock.forward(days=DAYS)
    await retention.keep(store, settings)
    assert await number(store, t.FindingEvent) == 1
    assert await number(store, p.Plan) == 3


async def test_nobody_waits_while_history_is_cut(store: Store, settings: Settings, clock: Clock) -> None:
    """Somebody who writes gets a turn between two batches, not after the last one."""
    camera = await a_camera(store)
    await add(store, PictureCheck, [look(camera, at) for at in every(1, clock.at, 100)])
    left: list[int] = []

    async def somebody() -> None:
        async with store.write() as connection:
            await connection.execute(text("SELECT 1"))
        left.append((await retention.would_go(store, settings)).looks)

    cutting = asyncio.create_task(retention.keep(store, settings))
    await asyncio.sleep(0)
    await somebody()
    await cutting
    assert left[0] > 0
    assert (await retention.would_go(store, settings)).looks == 0


async def test_it_is_a_job_that_a_schedule_asks_for(settings: Settings, clock: Clock) -> None:
    quiet = settings.model_copy(update={"picture_minutes": 0})
    async with open_service(quiet, clock) as service:
        old = await service.queue.enqueue(NewJob("pictures", "ana", not_before=clock.at + timedelta(days=1)))
        await service.queue.cancel(old, "ana")
        await add(service.store, PictureCheck, [look(await a_camera(service.store), clock.at)])
        clock.forward(days=31)
        said = await service.schedules.run("Retention", "ana")
        asked = await ended(service.queue, JobId(said.removeprefix("job ")))
    assert (asked.state, asked.result) == (JobState.DONE, "0 pictures, 1 jobs and 1 rows of history forgotten")


async def ended(queue: Queue, job: JobId) -> Job:
    async with asyncio.timeout(30):
        while not (found := await queue.get(job)).state.final:  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.02)
        return found
