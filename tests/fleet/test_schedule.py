"""Scans and watches that begin by the clock. The network and the cameras are replaced, nothing of ours."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import insert

from cameras.errors import Unreachable
from fleet import accuracy, accuracy_rows, scan_rows, work
from fleet.accuracy import Accuracy, WatchId, WatchState
from fleet.crontab import trigger_of
from fleet.findings import record
from fleet.scans import Scans, ScanState
from fleet.schedule import ACTOR, Cadence, Schedule
from fleet.service import open_service
from fleet.settings import Settings
from fleet.sight import OpenSight, Sight
from fleet.store import Store, open_store
from fleet.store.accuracy_tables import AccuracyWatch
from fleet.store.ids import new_id
from tests.fleet.samples import assessed, camera, dossier
from tests.fleet.test_accuracy import opens
from tests.fleet.test_scans import Estate, ended, found

EVERY_SECOND = CronTrigger(second="*", timezone=UTC)
MOST_S = 30
SILENT = opens(Unreachable("no answer"))


@pytest.fixture
def network() -> Estate:
    return Estate(found(1), gate=asyncio.Semaphore(0))


@pytest.fixture
async def scans(store: Store, settings: Settings, network: Estate) -> AsyncIterator[Scans]:
    async with Scans(store, settings, assess=network) as opened:
        yield opened


@asynccontextmanager
async def scheduled(
    store: Store,
    scans: Scans,
    scan: BaseTrigger | None = None,
    *,
    watch: BaseTrigger | None = None,
    sight: OpenSight = SILENT,
) -> AsyncIterator[tuple[Schedule, Accuracy]]:
    """A schedule whose scans and watches begin by these triggers, or only when they are called."""
    wanted = {Cadence.SCAN: scan, Cadence.ACCURACY: watch}
    when = {cadence: trigger for cadence, trigger in wanted.items() if trigger}
    async with Accuracy(store, sight) as watches, Schedule(store, scans, watches, when) as schedule:
        yield schedule, watches


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(MOST_S):
        while not is_so():  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.02)


async def stored(store: Store, *numbers: int) -> list[str]:
    """Cameras of these numbers, by their ids."""
    return [(await record(store, assessed({}, dossier(f"10.0.0.{n}", identity=camera(n))))).camera for n in numbers]


# --- scans ---


async def test_a_scheduled_scan_assesses_every_stored_camera_again(store: Store, scans: Scans, network: Estate) -> None:
    await stored(store, 1)
    for port in (8001, 8002):
        await record(store, assessed({}, dossier("10.0.0.2", port, identity=camera(port))))
    await record(store, assessed({}, dossier("2001:db8::5", 8080, identity=camera(5))))
    network.gate = asyncio.Semaphore(9)
    async with scheduled(store, scans) as (schedule, _):
        scan = await schedule.scan()
        assert scan
        view = await ended(scans, scan)
    assert (view.state, view.actor, view.targets, view.cameras) == (ScanState.DONE, "schedule", "@all", 1)
    ((targets, _),) = network.asked
    assert [(one.address, one.port, one.scheme, one.shared, one.searched) for one in targets] == [
        ("10.0.0.1", None, None, False, False),
        ("10.0.0.2", 8001, "http", True, False),
        ("10.0.0.2", 8002, "http", True, False),
        ("2001:db8::5", 8080, "http", False, False),
    ]


async def test_one_scan_at_a_time_comes_from_the_schedule(
    store: Store, scans: Scans, network: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    await stored(store, 1)
    async with scheduled(store, scans) as (schedule, _):
        await scans.start("10.0.0.9", "anna")  # what people ask for leaves nothing out
        first = await schedule.scan()
        assert first
        assert (await scans.get(first)).state is ScanState.QUEUED
        assert await schedule.scan() is None
        assert "the one before still goes on" in caplog.text
        for _ in range(8):
            network.gate.release()
        await ended(scans, first)
        assert await schedule.scan()
    assert [view.actor for view in await scans.recent()] == ["schedule", "schedule", "anna"]


async def test_without_cameras_nothing_is_scanned(store: Store, scans: Scans, caplog: pytest.LogCaptureFixture) -> None:
    async with scheduled(store, scans) as (schedule, _):
        assert await schedule.scan() is None
    assert await scans.recent() == []
    assert "left out" in caplog.text


async def test_a_trigger_begins_a_scan_and_leaves_the_next_out(
    store: Store, scans: Scans, caplog: pytest.LogCaptureFixture
) -> None:
    await stored(store, 1)
    async with scheduled(store, scans, EVERY_SECOND):
        await until(lambda: "left out" in caplog.text)
        (view,) = await scans.recent()
    assert (view.actor, view.state.final) == (ACTOR, False)


async def test_a_fault_is_logged_and_the_next_time_is_another_try(
    store: Store, scans: Scans, caplog: pytest.LogCaptureFixture
) -> None:
    await stored(store, 1)
    async with scheduled(store, scans, EVERY_SECOND):
        async with store.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE scans RENAME TO lost")
        await until(lambda: "could not be begun" in caplog.text)
        async with store.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE lost RENAME TO scans")
        await until(lambda: "left out" in caplog.text)
        assert len(await scans.recent()) == 1


# --- what was missed ---


def daily(ago: timedelta) -> str:
    """The line of the minute of the day that was then."""
    return f"{datetime.now(UTC) - ago:%M %H} * * *"


MISSED: dict[str, tuple[timedelta, timedelta, bool]] = {
    "down half an hour ago": (timedelta(minutes=30), timedelta(days=1), True),
    "down for days": (timedelta(minutes=30), timedelta(days=9), True),
    "it was begun then": (timedelta(minutes=30), timedelta(minutes=29), False),
    "that is too long ago": (timedelta(minutes=90), timedelta(days=1), False),
}


async def begun(store: Store, scans: Scans, ago: timedelta) -> None:
    """As if the schedule had begun a scan then."""
    view = await scans.get(await scans.start("10.0.0.1", ACTOR))
    await scans.stop(view.id)
    await scan_rows.save(store, replace(await scans.get(view.id), queued_at=datetime.now(UTC) - ago))


@pytest.mark.parametrize(("due", "last", "missed"), MISSED.values(), ids=MISSED)
async def test_a_scan_that_was_missed_within_the_hour_is_made_up_for(
    store: Store, scans: Scans, due: timedelta, last: timedelta, missed: bool
) -> None:
    await stored(store, 1)
    await begun(store, scans, last)
    async with scheduled(store, scans, trigger_of(daily(due))) as (schedule, _):
        await until(lambda: (schedule.next_due(Cadence.SCAN) or datetime.now(UTC)) > datetime.now(UTC))
    assert len(await scans.recent()) == (2 if missed else 1)


async def test_many_missed_scans_are_made_up_for_by_one(
    store: Store, scans: Scans, caplog: pytest.LogCaptureFixture
) -> None:
    await stored(store, 1)
    await begun(store, scans, timedelta(days=1))
    async with scheduled(store, scans, trigger_of("* * * * *")) as (schedule, _):
        await until(lambda: (schedule.next_due(Cadence.SCAN) or datetime.now(UTC)) > datetime.now(UTC))
    assert len(await scans.recent()) == 2
    assert caplog.text.count("left out") <= 1, "a minute may have begun meanwhile"


async def test_a_schedule_that_was_just_written_down_does_not_begin_at_once(store: Store, scans: Scans) -> None:
    await stored(store, 1)
    async with scheduled(store, scans, trigger_of(daily(timedelta(minutes=30)))) as (schedule, _):
        due = schedule.next_due(Cadence.SCAN)
    assert due
    assert due > datetime.now(UTC)
    assert await scans.recent() == []


# --- the end ---


async def test_closing_waits_for_what_is_just_being_begun(store: Store, scans: Scans) -> None:
    await stored(store, 1)
    opened = scheduled(store, scans, EVERY_SECOND)
    async with store.write():  # nothing can be stored now, so the scan cannot be begun
        schedule, _ = await opened.__aenter__()
        first = schedule.next_due(Cadence.SCAN)
        await until(lambda: schedule.next_due(Cadence.SCAN) != first)
        closing = asyncio.create_task(opened.__aexit__(None, None, None))
        await asyncio.sleep(0.1)
        assert not closing.done()
    await closing
    (view,) = await scans.recent()
    assert view.actor == ACTOR


async def test_a_service_closes_with_a_scheduled_scan_under_way(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path / "home", scan_schedule="0 2 * * *", schedule_zone="Europe/Berlin", picture_minutes=0
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts and never answers
        port = silent.getsockname()[1]
        async with open_service(settings) as service:
            await record(service.store, assessed({}, dossier("127.0.0.1", port)))
            due = service.schedule.next_due(Cadence.SCAN)
            scan = await service.schedule.scan()
            assert scan
            async for progress in service.scans.events(scan):
                if progress.state is ScanState.RUNNING:
                    break
            (job,) = await work.recent(service)
    assert due
    assert (due.minute, due.hour in {0, 1}) == (0, True), "two o'clock in Berlin"
    assert (job.kind, job.title, job.actor, job.going) == (work.Kind.SCAN, "@all", "schedule", True)
    async with await open_store(settings) as store:
        assert (await scan_rows.load(store, scan)).state is ScanState.INTERRUPTED


# --- watches ---


def never_open() -> OpenSight:
    """Cameras that take for ever."""

    @asynccontextmanager
    async def open_sight(_camera: str) -> AsyncIterator[Sight]:
        await asyncio.Event().wait()
        raise AssertionError
        yield  # type: ignore[unreachable] # makes it a generator

    return open_sight


async def test_every_camera_that_was_ever_watched_is_watched_again(store: Store, scans: Scans) -> None:
    first, _never, last = await stored(store, 1, 2, 3)
    async with scheduled(store, scans) as (schedule, watches):
        for camera_id in (last, first, last):
            await watches.finished(await watches.start(camera_id, "anna", seconds=1))
        begun = await schedule.watch()
        views = [await watches.finished(watch) for watch in begun]
    assert [(view.camera, view.actor, view.seconds) for view in views] == [
        (first, "schedule", 60),
        (last, "schedule", 60),
    ]
    assert {view.state for view in views} == {WatchState.FAILED}
    assert "no answer" in (views[0].error or "")


async def test_watches_are_left_out_while_those_before_go_on_even_after_a_restart(
    store: Store, scans: Scans, caplog: pytest.LogCaptureFixture
) -> None:
    (only,) = await stored(store, 1)
    async with scheduled(store, scans) as (schedule, watches):
        await watches.finished(await watches.start(only, "anna", seconds=1))
    async with scheduled(store, scans, sight=never_open()) as (schedule, _):
        assert len(await schedule.watch()) == 1
    async with scheduled(store, scans, sight=never_open()) as (schedule, _):
        assert await schedule.watch() == ()
        assert "watches left out: those before still go on" in caplog.text
    assert len(await accuracy_rows.newest(store, only, 9)) == 2


async def test_where_not_all_may_wait_those_who_waited_longest_come_first(
    store: Store, scans: Scans, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = await stored(store, 1, 2)
    async with scheduled(store, scans) as (_, watches):
        await watches.finished(await watches.start(old, "anna", seconds=1))
        done = await watches.finished(await watches.start(new, "anna", seconds=1))
    waiting = replace(done, state=WatchState.QUEUED, starts=0)
    rows = [asdict(replace(waiting, id=WatchId(new_id()))) for _ in range(accuracy.MOST_WAITING - 1)]
    async with store.write() as connection:
        await connection.execute(insert(AccuracyWatch), rows)
    async with scheduled(store, scans, sight=never_open()) as (schedule, watches):
        (watch,) = await schedule.watch()
        assert (await watches.get(watch)).camera == old
    assert "watches are waiting already" in " ".join(str(vars(row).get("reason")) for row in caplog.records)


async def test_a_trigger_begins_watches_and_leaves_the_next_out(
    store: Store, scans: Scans, caplog: pytest.LogCaptureFixture
) -> None:
    (only,) = await stored(store, 1)
    async with scheduled(store, scans) as (_, watches):
        await watches.finished(await watches.start(only, "anna", seconds=1))
    async with scheduled(store, scans, watch=EVERY_SECOND, sight=never_open()):
        await until(lambda: "watches left out" in caplog.text)
    assert [view.actor for view in await accuracy_rows.newest(store, only, 9)] == ["schedule", "anna"]
    assert await scans.recent() == []


async def test_watches_that_were_missed_within_the_hour_are_made_up_for(store: Store, scans: Scans) -> None:
    (only,) = await stored(store, 1)
    async with scheduled(store, scans) as (_, watches):
        done = await watches.finished(await watches.start(only, ACTOR, seconds=1))
    await accuracy_rows.save(store, replace(done, queued_at=datetime.now(UTC) - timedelta(days=1)))
    async with scheduled(store, scans, watch=trigger_of(daily(timedelta(minutes=30)))) as (schedule, _):
        await until(lambda: (schedule.next_due(Cadence.ACCURACY) or datetime.now(UTC)) > datetime.now(UTC))
    assert len(await accuracy_rows.newest(store, only, 9)) == 2


async def test_where_no_camera_was_ever_watched_none_is(store: Store, scans: Scans) -> None:
    await stored(store, 1)
    async with scheduled(store, scans) as (schedule, watches):
        assert await schedule.watch() == ()
        assert await watches.recent() == []
