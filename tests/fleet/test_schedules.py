"""Work that begins by the clock. The network and the cameras are replaced, nothing of ours."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from cameras.errors import Unreachable
from fleet import sites, work
from fleet.accuracy import rows as accuracy_rows
from fleet.accuracy import runner as accuracy
from fleet.accuracy.runner import Accuracy, WatchId, WatchState
from fleet.accuracy.sight import OpenSight, Sight
from fleet.audit.views import Wanted, entries
from fleet.errors import Invalid, NotFound
from fleet.findings.triage import record
from fleet.jobs.queue import JobFilter, Queue
from fleet.jobs.states import JobState
from fleet.people.scope import Scope
from fleet.pictures.runner import Pictures
from fleet.scans import rows as scan_rows
from fleet.scans.runner import Scans, ScanState
from fleet.schedules import due
from fleet.schedules import rows as schedule_rows
from fleet.schedules.beginnings import ACTOR, Beginnings
from fleet.schedules.clock import Schedules
from fleet.schedules.rows import NewSchedule, What
from fleet.service import open_service
from fleet.settings import Settings
from fleet.sites import Site
from fleet.store import Store, jobs_tables, open_store
from fleet.store.accuracy_tables import AccuracyWatch
from fleet.store.ids import new_id
from fleet.store.tables import Camera
from health.visit import Pace
from tests.fleet.eyes import Estate as Eyes
from tests.fleet.samples import Clock, assessed, camera, dossier
from tests.fleet.test_accuracy import opens
from tests.fleet.test_scans import Estate, ended, found

MOST_S = 30
SILENT = opens(Unreachable("no answer"))
QUIET = Settings(picture_minutes=0)
NIGHTLY = NewSchedule("Nightly", What.SCAN, "0 2 * * *")
WATCHES = NewSchedule("Watches", What.ACCURACY, "30 11 * * mon-fri")


@pytest.fixture
def network() -> Estate:
    return Estate(found(1), gate=asyncio.Semaphore(0))


@pytest.fixture
async def scans(store: Store, settings: Settings, network: Estate) -> AsyncIterator[Scans]:
    async with Scans(store, settings, assess=network) as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path, database_url: str | None) -> Settings:
    return Settings(home=tmp_path / "home", database_url=database_url, picture_minutes=0)


@asynccontextmanager
async def scheduled(
    store: Store,
    scans: Scans,
    settings: Settings = QUIET,
    *,
    sight: OpenSight = SILENT,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncIterator[tuple[Schedules, Accuracy]]:
    queue = Queue(store)
    eyes = Eyes()
    pictures = Pictures(store, settings, eyes.access_to, pace=Pace(1, 0), queue=queue)
    queue.know([pictures.kind])
    async with Accuracy(store, sight) as watches:
        beginnings = Beginnings(store, scans, pictures, watches, queue)
        async with Schedules(store, settings, beginnings, now=now) as schedules:
            yield schedules, watches


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(MOST_S):
        while not is_so():  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.02)


async def came_of(schedules: Schedules, name: str) -> str:
    """Waits until it has begun."""
    async with asyncio.timeout(MOST_S):
        while (view := await schedules.get(name)).last_at is None:  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.02)
    return view.outcome


async def stored(store: Store, *numbers: int) -> list[str]:
    """Cameras of these numbers, by their ids."""
    return [(await record(store, assessed({}, dossier(f"10.0.0.{n}", identity=camera(n))))).camera for n in numbers]


async def planned(store: Store, new: NewSchedule, ago: timedelta) -> None:
    """As an earlier process left it: its next time was that long ago."""
    made = await schedule_rows.add(store, new, "ana")
    await schedule_rows.note(store, made, due_at=datetime.now(UTC) - ago)


# --- scans ---


async def test_a_scheduled_scan_assesses_every_stored_camera_again(store: Store, scans: Scans, network: Estate) -> None:
    await stored(store, 1)
    for port in (8001, 8002):
        await record(store, assessed({}, dossier("10.0.0.2", port, identity=camera(port))))
    await record(store, assessed({}, dossier("2001:db8::5", 8080, identity=camera(5))))
    network.gate = asyncio.Semaphore(9)
    async with scheduled(store, scans) as (schedules, _):
        await schedules.add(NIGHTLY, "ana")
        assert (await schedules.run("Nightly", "anna")).startswith("scan ")
        (scan,) = await scans.recent()
        view = await ended(scans, scan.id)
    assert (view.state, view.actor, view.targets, view.cameras) == (ScanState.DONE, "schedule", "@all", 1)
    ((targets, _),) = network.asked
    assert [(one.address, one.port, one.scheme, one.shared, one.searched) for one in targets] == [
        ("10.0.0.1", None, None, False, False),
        ("10.0.0.2", 8001, "http", True, False),
        ("10.0.0.2", 8002, "http", True, False),
        ("2001:db8::5", 8080, "http", False, False),
    ]


async def test_a_scan_of_a_site_leaves_the_others_alone(store: Store, scans: Scans, network: Estate) -> None:
    await stored(store, 1, 2)
    network.gate = asyncio.Semaphore(9)
    for name, networks in (("Harbour", ("10.0.0.2",)), ("Empty", ())):
        await sites.put(store, Site(name, networks), "ana")
    async with scheduled(store, scans) as (schedules, _):
        await schedules.add(replace(NIGHTLY, site="Harbour"), "ana")
        await schedules.add(replace(NIGHTLY, name="None", site="Empty"), "ana")
        await schedules.run("Nightly", "anna")
        await ended(scans, (await scans.recent())[0].id)
        assert await schedules.run("None", "anna") == "left out: no camera is of this site"
    ((targets, _),) = network.asked
    assert [one.address for one in targets] == ["10.0.0.2"]


async def test_one_scan_at_a_time_comes_from_the_schedule(
    store: Store, scans: Scans, network: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    await stored(store, 1)
    async with scheduled(store, scans) as (schedules, _):
        await schedules.add(NIGHTLY, "ana")
        await scans.start("10.0.0.9", "anna")  # what people ask for leaves nothing out
        await schedules.run("Nightly", "anna")
        first = (await scans.recent())[0]
        assert first.state is ScanState.QUEUED
        assert await schedules.run("Nightly", "anna") == "left out: the one before still goes on"
        assert "the one before still goes on" in caplog.text
        for _ in range(8):
            network.gate.release()
        await ended(scans, first.id)
        await schedules.run("Nightly", "anna")
    assert [view.actor for view in await scans.recent()] == ["schedule", "schedule", "anna"]


async def test_without_cameras_nothing_is_scanned(store: Store, scans: Scans, caplog: pytest.LogCaptureFixture) -> None:
    async with scheduled(store, scans) as (schedules, _):
        await schedules.add(NIGHTLY, "ana")
        assert (await schedules.run("Nightly", "anna")).startswith("left out: no camera is stored yet")
    assert await scans.recent() == []
    assert "left out" in caplog.text


async def test_a_fault_is_logged_and_the_next_time_is_another_try(
    store: Store, scans: Scans, caplog: pytest.LogCaptureFixture
) -> None:
    await stored(store, 1)
    async with scheduled(store, scans) as (schedules, _):
        made = await schedules.add(NIGHTLY, "ana")
        async with store.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE scans RENAME TO lost")
        await schedule_rows.ask_for(store, made, "anna")
        await schedules.switch(made, "ana", on=False)  # whatever is changed makes it look at once
        await until(lambda: "could not be begun" in caplog.text)
        async with store.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE lost RENAME TO scans")
        await schedules.run(made, "anna")
        assert len(await scans.recent()) == 1


# --- what was missed ---


def daily(ago: timedelta) -> str:
    """The line of the minute of the day that was then."""
    return f"{datetime.now(UTC) - ago:%M %H} * * *"


# What was planned, or how long ago in each day; when it was written down; how often it is begun now.
MISSED: dict[str, tuple[str | timedelta, timedelta, int]] = {
    "down half an hour ago": (timedelta(minutes=30), timedelta(minutes=45), 1),
    "down for days": (timedelta(minutes=30), timedelta(days=9), 1),
    "that is too long ago": (timedelta(minutes=90), timedelta(minutes=105), 0),
    "each minute of a day": ("* * * * *", timedelta(days=1), 1),
    "an interval, many times": ("every 1 minute", timedelta(hours=9), 1),
}


@pytest.mark.parametrize(("planned_for", "ago", "begun"), MISSED.values(), ids=MISSED)
async def test_what_was_missed_is_made_up_for_once(
    store: Store, scans: Scans, planned_for: str | timedelta, ago: timedelta, begun: int
) -> None:
    cadence = planned_for if isinstance(planned_for, str) else daily(planned_for)
    await stored(store, 1)
    await planned(store, replace(NIGHTLY, cadence=cadence), ago)
    at = datetime.now(UTC)
    async with scheduled(store, scans, now=lambda: at) as (schedules, _):  # no minute passes meanwhile
        if begun:
            await came_of(schedules, "Nightly")
        (view,) = [one for one in await schedules.listed() if one.name == "Nightly"]
    assert len(await scans.recent()) == begun
    assert view.due_at is not None
    assert view.due_at > at
    async with scheduled(store, scans, now=lambda: at):
        pass
    assert len(await scans.recent()) == begun, "once"


async def test_a_schedule_that_was_just_written_down_does_not_begin_at_once(store: Store, scans: Scans) -> None:
    await stored(store, 1)
    async with scheduled(store, scans) as (schedules, _):
        await schedules.add(replace(NIGHTLY, cadence=daily(timedelta(minutes=30))), "ana")
        view = await schedules.get("Nightly")
    assert view.next_at[0] > datetime.now(UTC)
    assert await scans.recent() == []


# --- the end ---


async def test_closing_waits_for_what_is_just_being_begun(store: Store, scans: Scans) -> None:
    await stored(store, 1)
    opened = scheduled(store, scans)
    schedules, _ = await opened.__aenter__()
    await schedules.add(NIGHTLY, "ana")
    async with store.write():  # nothing can be stored now, so the scan cannot be begun
        schedules._due(await schedules.get("Nightly"))  # noqa: SLF001 - as the clock does
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
            schedule = await service.schedules.get("Scan of every camera")
            await service.schedules.run(schedule.id, "anna")
            (scan,) = await service.scans.recent()
            async for progress in service.scans.events(scan.id):
                if progress.state is ScanState.RUNNING:
                    break
            (job,) = await work.recent(service)
            (stored_job,) = (await service.queue.listed(JobFilter())).items
    (due_at, *_) = schedule.next_at
    assert (due_at.minute, due_at.hour in {0, 1}) == (0, True), "two o'clock in Berlin"
    assert (job.kind, job.title, job.actor, job.going) == (work.Kind.SCAN, "@all", "schedule", True)
    assert (stored_job.kind, stored_job.state) == ("scan", "running")
    async with await open_store(settings) as store:
        assert (await scan_rows.load(store, scan.id)).state is ScanState.QUEUED
        assert (await Queue(store).get(stored_job.id)).state is JobState.QUEUED


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
    async with scheduled(store, scans) as (schedules, watches):
        for camera_id in (last, first, last):
            await watches.finished(await watches.start(camera_id, "anna", seconds=1))
        await schedules.add(WATCHES, "ana")
        assert await schedules.run("Watches", "anna") == "2 watches"
        begun = [view for view in await watches.recent() if view.actor == ACTOR]
        views = [await watches.finished(view.id) for view in reversed(begun)]
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
    await schedule_rows.add(store, WATCHES, "ana")
    async with scheduled(store, scans) as (_, watches):
        await watches.finished(await watches.start(only, "anna", seconds=1))
    async with scheduled(store, scans, sight=never_open()) as (schedules, _):
        assert await schedules.run("Watches", "anna") == "1 watches"
    async with scheduled(store, scans, sight=never_open()) as (schedules, _):
        assert (await schedules.run("Watches", "anna")).startswith("left out")
        assert "watches left out: those before still go on" in caplog.text
    assert len(await accuracy_rows.newest(store, only, 9)) == 2


async def test_where_not_all_may_wait_those_who_waited_longest_come_first(
    store: Store, scans: Scans, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = await stored(store, 1, 2)
    await schedule_rows.add(store, WATCHES, "ana")
    async with scheduled(store, scans) as (_, watches):
        await watches.finished(await watches.start(old, "anna", seconds=1))
        done = await watches.finished(await watches.start(new, "anna", seconds=1))
    waiting = replace(done, state=WatchState.QUEUED, starts=0)
    rows = [asdict(replace(waiting, id=WatchId(new_id()))) for _ in range(accuracy.MOST_WAITING - 1)]
    async with store.write() as connection:
        await connection.execute(insert(AccuracyWatch), rows)
    async with scheduled(store, scans, sight=never_open()) as (schedules, watches):
        assert await schedules.run("Watches", "anna") == "1 watches"
        (watch,) = [view for view in await watches.recent() if view.actor == ACTOR]
        assert watch.camera == old
    assert "watches are waiting already" in " ".join(str(vars(row).get("reason")) for row in caplog.records)


async def test_where_no_camera_was_ever_watched_none_is(store: Store, scans: Scans) -> None:
    await stored(store, 1)
    async with scheduled(store, scans) as (schedules, watches):
        await schedules.add(WATCHES, "ana")
        assert await schedules.run("Watches", "anna") == "0 watches"
        assert await watches.recent() == []


# --- pictures ---


async def dues(store: Store) -> dict[str, datetime]:
    async with store.read() as connection:
        rows = await connection.execute(select(jobs_tables.Due.camera, jobs_tables.Due.next_at))
        return {row.camera: row.next_at for row in rows.all()}


async def many(store: Store, count: int) -> list[str]:
    """Rows of cameras, as many as an estate has."""
    (first,) = await stored(store, 1)
    async with store.read() as connection:
        like = dict((await connection.execute(select(Camera).where(Camera.id == first))).one()._mapping)  # noqa: SLF001
    rows = [like | {"id": new_id(), "key": f"k{n}"} for n in range(count - 1)]
    async with store.write() as connection:
        await connection.execute(insert(Camera), rows)
    return [first, *(row["id"] for row in rows)]


async def test_ten_thousand_cameras_are_asked_at_even_distances_and_each_once(
    store: Store, scans: Scans, clock: Clock
) -> None:
    cameras = await many(store, 10_000)
    look = NewSchedule("Looks", What.PICTURES, "every 60 minutes")
    async with scheduled(store, scans) as (schedules, _):
        await schedules.add(replace(look, enabled=False), "ana")
        assert await schedules.run("Looks", "anna") == "10000 cameras within 60 min"
    first = await dues(store)
    assert set(first) == set(cameras)
    seconds = sorted(int((at - clock()).total_seconds()) for at in first.values())
    assert (seconds[0] >= 0, seconds[-1] <= 3600) == (True, True)
    assert max(seconds.count(second) for second in set(seconds)) < 20
    clock.forward(hours=1)
    async with store.write() as connection:
        taken = await due.take(connection, due.PICTURES, clock(), 20_000)
        assert set(taken) == set(cameras)
        assert await due.take(connection, due.PICTURES, clock(), 20_000) == []
        await due.begin_round(connection, due.PICTURES, cameras, clock(), timedelta(hours=1))
    second = await dues(store)
    apart = [(second[one] - first[one]) / timedelta(minutes=1) for one in cameras]
    assert sum(abs(minutes - 60) <= 4 for minutes in apart) > 9000


async def test_pictures_become_jobs_when_they_are_due_and_a_new_camera_is_at_once(store: Store, scans: Scans) -> None:
    settings = Settings(picture_minutes=60)
    queue = Queue(store)
    async with scheduled(store, scans, settings):
        (first,) = await stored(store, 1)
        async with asyncio.timeout(MOST_S):
            while not (page := await queue.listed(JobFilter(kind="pictures"))).items:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert [(job.camera, job.actor, job.key) for job in page.items] == [(first, "schedule", f"pictures:{first}")]


# --- what people do, and what the settings say ---


async def test_the_settings_win_where_they_speak_and_people_rule_the_rest(store: Store, scans: Scans) -> None:
    spoken = Settings(scan_schedule="0 2 * * *", picture_minutes=15)
    async with scheduled(store, scans, spoken) as (schedules, _):
        found = {view.name: (view.cadence, view.setting) for view in await schedules.listed()}
        with pytest.raises(Invalid, match="scan_schedule"):
            await schedules.switch("Scan of every camera", "ana", on=False)
    assert found == {
        "Picture checks": ("every 15 minutes", "picture_minutes"),
        "Retention": ("every 360 minutes", "default"),
        "Scan of every camera": ("0 2 * * *", "scan_schedule"),
    }
    async with scheduled(store, scans, Settings()) as (schedules, _):
        await schedules.change("Picture checks", NewSchedule("Looks", What.PICTURES, "every 20 minutes"), "ana")
        with pytest.raises(Invalid, match="turn it off"):
            await schedules.remove("Retention", "anna")
        await schedules.switch("Retention", "ana", on=False)
    async with scheduled(store, scans, Settings()) as (schedules, _):
        kept = {view.name: (view.cadence, view.setting, view.enabled) for view in await schedules.listed()}
    assert kept == {
        "Looks": ("every 20 minutes", "default", True),
        "Retention": ("every 360 minutes", "default", False),
    }


REFUSED: dict[str, tuple[NewSchedule, str]] = {
    "no name": (replace(NIGHTLY, name=" "), "has a name"),
    "the name of another": (replace(NIGHTLY, name="Retention"), "is called that"),
    "no cadence": (replace(NIGHTLY, cadence="whenever"), "write"),
    "no such site": (replace(NIGHTLY, site="Nowhere"), "no such site"),
    "a site without a window": (replace(NIGHTLY, site="Harbour", cadence="window"), "no maintenance window"),
    "retention of a site": (NewSchedule("x", What.RETENTION, "every 5 hours", "Harbour"), "whole estate"),
    "no such zone": (replace(NIGHTLY, zone="Mars/Olympus"), "no time zone"),
}


@pytest.mark.parametrize(("new", "words"), REFUSED.values(), ids=REFUSED)
async def test_what_cannot_be_a_schedule_is_said_so(store: Store, new: NewSchedule, words: str) -> None:
    await sites.put(store, Site("Harbour"), "ana")
    await schedule_rows.write_down(store, QUIET)
    with pytest.raises(Invalid, match=words):
        await schedule_rows.add(store, new, "ana")
    with pytest.raises(NotFound):
        await schedule_rows.remove(store, "Nightly", "anna")


async def test_what_another_process_asks_for_begins_within_a_moment(store: Store, scans: Scans, clock: Clock) -> None:
    async with scheduled(store, scans) as (schedules, _):
        clock.forward(seconds=1)
        made = await schedule_rows.add(store, replace(WATCHES, enabled=False), "ana")
        clock.forward(seconds=1)
        await schedule_rows.ask_for(store, made, "anna")
        assert await came_of(schedules, "Watches") == "0 watches"


async def test_a_schedule_whose_site_is_gone_says_so_and_begins_no_more(store: Store, scans: Scans) -> None:
    await sites.put(store, Site("Harbour", (), "Europe/Berlin", "22:00-05:00"), "ana")
    async with scheduled(store, scans) as (schedules, _):
        await schedules.add(replace(NIGHTLY, site="Harbour", cadence="window"), "ana")
        assert (await schedules.get("Nightly")).zone == "Europe/Berlin"
        await sites.remove(store, "Harbour")
        view = await schedules.get("Nightly")
    assert (view.next_at, view.mistake) == ((), "its site is gone")


async def test_each_change_is_told_with_what_was_and_what_is(store: Store, scans: Scans) -> None:
    async with scheduled(store, scans) as (schedules, _):
        made = await schedules.add(WATCHES, "ana")
        await schedules.change(made, replace(WATCHES, cadence="every 5 hours"), "ben")
        await schedules.switch(made, "ben", on=False)
        await schedules.run(made, "cleo")
        await schedules.remove(made, "ana")
    told = list(reversed((await entries(store, Wanted(action="schedule"))).items))
    assert [(row.action, row.actor, row.about) for row in told] == [
        ("schedule.put", "ana", f"schedule:{made}"),
        ("schedule.put", "ben", f"schedule:{made}"),
        ("schedule.switch", "ben", f"schedule:{made}"),
        ("schedule.run", "cleo", f"schedule:{made}"),
        ("schedule.remove", "ana", f"schedule:{made}"),
    ]
    assert (told[1].said["was"]["cadence"], told[1].said["is"]["cadence"]) == (WATCHES.cadence, "every 300 minutes")
    assert (told[2].said["was"], told[2].said["is"]) == (True, False)


async def test_schedules_are_seen_by_site_and_follow_its_name(store: Store, scans: Scans) -> None:
    await sites.put(store, Site("Harbour"), "ana")
    async with scheduled(store, scans) as (schedules, _):
        await schedules.add(replace(NIGHTLY, site="Harbour"), "ana")
        await sites.put(store, Site("Old harbour"), "ana", instead_of="Harbour")
        seen = await schedules.listed(Scope(frozenset({"Old harbour"})))
        assert [(view.name, view.site, view.mistake) for view in seen] == [("Nightly", "Old harbour", "")]
        assert await schedules.listed(Scope(frozenset({"Depot"}))) == []
        assert len(await schedules.listed()) > 1
