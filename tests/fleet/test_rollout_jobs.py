"""The job of a rollout: there is one as soon as somebody must look after it, and it goes on until nobody must."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from bench.paper_cameras import PaperCamera, PaperEstate
from cameras.driver import Driver
from fleet import leases
from fleet.errors import Busy, Invalid, StoreUnavailable
from fleet.jobs.alone import running
from fleet.jobs.desk import LocalDesk
from fleet.jobs.model import Job
from fleet.jobs.outcomes import MOST_LOSSES
from fleet.jobs.queue import JobFilter, Queue
from fleet.jobs.states import JobState
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts import rows as rollout_rows
from fleet.rollouts import runner as rollout_runner
from fleet.rollouts.rows import RolloutId, TargetRow, work_of
from fleet.rollouts.runner import Rollouts
from fleet.settings import Settings
from fleet.store import Store
from hardening.rollout import CampaignState, TargetState
from hardening.windows import parse_window
from tests.fleet import rollout_samples as samples
from tests.fleet.jobs_samples import hold
from tests.fleet.rollout_samples import FAST, RULES, approved, ends, firmware, over, paper, started
from tests.fleet.samples import Clock

S = TargetState
PATIENT = replace(RULES, restart_most=timedelta(hours=3), rollback_after=timedelta(hours=4))


@pytest.fixture
def queue(store: Store) -> Queue:
    """As another process has it: it rings no bell of the one that runs the jobs."""
    return Queue(store)


@asynccontextmanager
async def opened(store: Store, settings: Settings, estate: PaperEstate) -> AsyncIterator[Rollouts]:
    async with Rollouts(store, settings, connect=estate.connect, pace=FAST) as rollouts:
        yield rollouts


async def jobs_of(queue: Queue, rollout: RolloutId) -> list[Job]:
    """The oldest first."""
    return list((await queue.listed(JobFilter(work=work_of(rollout)))).items)[::-1]


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await true():  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.01)


async def waits(queue: Queue, rollout: RolloutId) -> Job:
    """Its job, once that holds no place."""

    async def is_waiting() -> bool:
        return (await jobs_of(queue, rollout))[-1].state is JobState.WAITING

    await until(is_waiting)
    return (await jobs_of(queue, rollout))[-1]


async def has_sent(estate: PaperEstate) -> None:
    async def sent() -> bool:
        return any(camera.flashed for camera in estate.cameras.values())

    await until(sent)


class Gate:
    """The way to cameras that lets nobody through until it is open."""

    def __init__(self, estate: PaperEstate) -> None:
        self._estate = estate
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    def connect(self, camera: str) -> AbstractAsyncContextManager[Driver]:
        return self._connected(camera)

    @asynccontextmanager
    async def _connected(self, camera: str) -> AsyncIterator[Driver]:
        self.reached.set()
        await self.open.wait()
        async with self._estate.connect(camera) as driver:
            yield driver


# --- asked for ---


async def test_an_order_and_its_job_are_written_together_or_not_at_all(
    store: Store, settings: Settings, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = await paper(store, PaperCamera())
    rollout = await approved(store, await firmware(store, settings), list(estate.cameras))
    assert await jobs_of(queue, rollout) == [], "nobody must look after it yet"

    async def fails(*_words: object) -> None:
        raise StoreUnavailable("the disk is full")

    for module, name in ((Queue, "enqueue_in"), (rollout_rows, "record")):
        with monkeypatch.context() as broken:
            broken.setattr(module, name, fails)
            with pytest.raises(StoreUnavailable):
                await rollout_orders.start(store, rollout, "berta")
        assert (await rollout_rows.standing(store, rollout))[0] is CampaignState.APPROVED
        assert await jobs_of(queue, rollout) == []
    await rollout_orders.start(store, rollout, "berta")
    (job,) = await jobs_of(queue, rollout)
    assert (job.kind, job.state, job.actor, job.camera) == ("rollout", JobState.QUEUED, "berta", None)
    await rollout_orders.pause(store, rollout, "anna")
    assert len(await jobs_of(queue, rollout)) == 1


async def test_one_that_an_older_version_left_has_a_job_on_entry(
    store: Store, settings: Settings, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_words: object) -> None:
        pass

    estate = await paper(store, PaperCamera())
    with monkeypatch.context() as older:
        older.setattr(rollout_rows, "_look_after", nothing)
        rollout = await started(store, await firmware(store, settings), list(estate.cameras))
    assert await jobs_of(queue, rollout) == []
    async with opened(store, settings, estate) as rollouts:
        assert (await over(rollouts, rollout)).state is CampaignState.DONE
        (job,) = await jobs_of(queue, rollout)
        assert (await queue.ended(job.id)).state is JobState.DONE


# --- waiting ---

WINDOWS: dict[str, tuple[str, float]] = {"opens tonight": ("22:00-05:00", 10), "opens soon": ("12:05-13:00", 5)}


@pytest.mark.parametrize(("window", "minutes"), WINDOWS.values(), ids=WINDOWS)
async def test_a_rollout_that_waits_for_its_window_holds_no_place_and_an_order_wakes_it(
    store: Store, settings: Settings, queue: Queue, clock: Clock, window: str, minutes: float
) -> None:
    estate = await paper(store, PaperCamera())
    rules = replace(RULES, window=parse_window(window))
    rollout = await started(store, await firmware(store, settings), list(estate.cameras), rules)
    async with opened(store, settings, estate) as rollouts:
        job = await waits(queue, rollout)
        assert job.not_before == clock() + timedelta(minutes=minutes)
        assert estate.connections == 0
        await rollout_orders.abort(store, rollout, "anna")  # by another process: no bell rings here
        async with asyncio.timeout(5):
            assert (await over(rollouts, rollout)).state is CampaignState.ABORTED
            assert (await queue.ended(job.id)).state is JobState.DONE
    assert await ends(store, rollout) == [S.SKIPPED]


async def test_once_the_time_comes_it_goes_on_by_itself(
    store: Store, settings: Settings, queue: Queue, clock: Clock
) -> None:
    estate = await paper(store, *(PaperCamera() for _ in range(3)))
    rules = replace(PATIENT, soak=timedelta(minutes=25))
    rollout = await started(store, await firmware(store, settings), list(estate.cameras), rules)
    async with opened(store, settings, estate) as rollouts:
        await waits(queue, rollout)
        assert sorted(await ends(store, rollout)) == [S.SUCCEEDED, S.SUCCEEDED, S.WAITING]
        for _ in range(3):
            clock.forward(minutes=9)
        assert (await over(rollouts, rollout)).counts == {S.SUCCEEDED: 3}


# An order that comes while the last look is over and the end of the step is not yet handed in.
async def test_an_order_to_one_that_has_just_ended_is_not_missed(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = await paper(store, PaperCamera())
    rollout = await started(store, await firmware(store, settings), list(estate.cameras), PATIENT)
    report = LocalDesk.report
    undone = False

    async def late(desk: LocalDesk, reports: Any) -> None:  # noqa: ANN401 - as it takes them
        nonlocal undone
        if not undone and (await rollout_rows.load(store, rollout)).finished_at is not None:
            undone = True
            await rollout_orders.undo(store, rollout, "anna")
        await report(desk, reports)

    monkeypatch.setattr(LocalDesk, "report", late)
    async with opened(store, settings, estate) as rollouts:

        async def is_undone() -> bool:
            return (await over(rollouts, rollout)).state is CampaignState.UNDONE

        await until(is_undone)
    assert await ends(store, rollout) == [S.ROLLED_BACK]


async def test_it_pauses_on_its_own_page_and_not_in_the_queue(store: Store, settings: Settings) -> None:
    estate = await paper(store, PaperCamera())
    rollout = await started(store, await firmware(store, settings), list(estate.cameras))
    queue = Queue(store)
    queue.know([Rollouts(store, settings, connect=estate.connect).kind])
    (job,) = await jobs_of(queue, rollout)
    with pytest.raises(Invalid, match="pause it on its own page"):
        await queue.pause(job.id, "anna")


# --- cancelled, given up ---


async def told(store: Store, rollout: RolloutId) -> tuple[CampaignState, str, str]:
    """Its state, why, and who did that."""
    view = await rollout_rows.load(store, rollout)
    assert view.finished_at is not None
    (line,) = [line for line in await samples.history(store, rollout) if line.event == "abort"]
    return view.state, view.reason, line.actor


async def test_whoever_cancels_its_job_aborts_it_and_what_is_in_flight_comes_to_its_end(
    store: Store, settings: Settings, queue: Queue
) -> None:
    estate = await paper(store, *(PaperCamera(restart_s=1.5) for _ in range(6)))
    rollout = await started(store, await firmware(store, settings), list(estate.cameras), PATIENT)
    async with opened(store, settings, estate) as rollouts:
        await has_sent(estate)
        (job,) = await jobs_of(queue, rollout)
        await queue.cancel(job.id, "cas")
        await over(rollouts, rollout)
        assert (await queue.ended(job.id)).state is JobState.CANCELLED
    assert await told(store, rollout) == (CampaignState.ABORTED, "its job was cancelled", "cas")
    assert [state is S.SUCCEEDED for state in await ends(store, rollout)] == [
        bool(camera.flashed) for camera in estate.cameras.values()
    ]
    assert S.SKIPPED in await ends(store, rollout)
    assert len(await jobs_of(queue, rollout)) == 1


@pytest.mark.parametrize("here", [True, False], ids=["where it runs", "elsewhere, and the next process finds it"])
async def test_a_job_that_is_cancelled_while_it_waits_aborts_its_rollout_and_one_more_winds_it_up(
    store: Store, settings: Settings, queue: Queue, *, here: bool
) -> None:
    estate = await paper(store, PaperCamera())
    rollout = await started(store, await firmware(store, settings), list(estate.cameras))
    await rollout_orders.pause(store, rollout, "anna")
    shared = Queue(store)
    async with AsyncExitStack() as stack:
        rollouts = Rollouts(store, settings, connect=estate.connect, pace=FAST, queue=shared)
        await stack.enter_async_context(rollouts)
        await stack.enter_async_context(running(shared, [rollouts.kind], folder=settings.home / "locks"))
        job = await waits(queue, rollout)
        await (shared if here else queue).cancel(job.id, "cas")
        if here:
            await over(rollouts, rollout)
    async with opened(store, settings, estate) as rollouts, asyncio.timeout(10):
        await over(rollouts, rollout)
    assert await told(store, rollout) == (CampaignState.ABORTED, "its job was cancelled", "cas")
    first, _ = await jobs_of(queue, rollout)
    assert first.state is JobState.CANCELLED
    assert estate.connections == 0


async def test_a_rollout_that_ends_every_process_is_aborted_and_then_left_to_people(
    store: Store, settings: Settings, queue: Queue
) -> None:
    estate = await paper(store, PaperCamera())
    rollout = await started(store, await firmware(store, settings), list(estate.cameras))
    deadly, folder = Queue(store), settings.home / "locks"
    kind = Rollouts(store, settings, connect=estate.connect, queue=deadly).kind
    for _ in range(3 * MOST_LOSSES):
        async with LocalDesk(deadly, [kind], folder=folder).attended() as desk:
            await desk.claim(9)
    found = await rollout_rows.load(store, rollout)
    assert (found.state, found.finished_at, "processes ended" in found.reason) == (CampaignState.ABORTED, None, True)
    first, second = await jobs_of(queue, rollout)
    assert (first.state, second.state) == (JobState.FAILED, JobState.FAILED)
    async with opened(store, settings, estate) as rollouts:
        assert len(await jobs_of(queue, rollout)) == 2, "it is not taken up by itself"
        await queue.run_again(second.id, "anna")
        async with asyncio.timeout(10):
            assert (await over(rollouts, rollout)).state is CampaignState.ABORTED
    assert await ends(store, rollout) == [S.SKIPPED]


async def test_a_fault_of_ours_stops_a_rollout_and_is_tried_again_later(
    store: Store, settings: Settings, queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_words: object) -> None:
        raise ValueError("a fault")

    estate = await paper(store, PaperCamera())
    rollout = await started(store, await firmware(store, settings), list(estate.cameras))
    async with opened(store, settings, estate) as rollouts:
        with monkeypatch.context() as faulty:
            faulty.setattr(rollout_runner, "decide", fails)
            job = await waits(queue, rollout)
        assert (job.tries, "a fault of ours" in job.reason) == (1, True)
        assert (await rollouts.get(rollout)).state is CampaignState.STOPPED
        clock.forward(minutes=1)
        assert (await over(rollouts, rollout)).state is CampaignState.STOPPED
    assert await ends(store, rollout) == [S.SKIPPED]


# --- its cameras ---


async def refused(store: Store, camera: str) -> str:
    with pytest.raises(Busy) as found:
        async with leases.hold(store, camera, "plan:1"):
            pass
    return str(found.value)


async def test_a_clock_that_jumps_ahead_gives_no_camera_in_flight_to_other_work(
    store: Store, settings: Settings, queue: Queue, clock: Clock
) -> None:
    estate = await paper(store, PaperCamera())
    (camera,), gate = list(estate.cameras), Gate(estate)
    rollout = await started(store, await firmware(store, settings), [camera], PATIENT)
    async with Rollouts(store, settings, connect=gate.connect, pace=FAST) as rollouts:
        await gate.reached.wait()
        (job,) = await jobs_of(queue, rollout)
        clock.forward(hours=1)
        assert f"job:{job.id}" in await refused(store, camera)
        gate.open.set()
        assert (await over(rollouts, rollout)).counts == {S.SUCCEEDED: 1}
        assert await leases.holder_of(store, camera) is None


async def test_a_camera_in_flight_when_the_service_stops_is_kept_for_the_next_process_which_goes_on_at_once(
    store: Store, settings: Settings, queue: Queue, clock: Clock
) -> None:
    estate = await paper(store, PaperCamera(restart_s=0.3))
    (camera,) = list(estate.cameras)
    rollout = await started(store, await firmware(store, settings), [camera], PATIENT)
    async with opened(store, settings, estate):
        await has_sent(estate)
    (job,) = await jobs_of(queue, rollout)
    assert (job.state, job.losses) == (JobState.QUEUED, 0)
    clock.forward(hours=1)
    assert f"job:{job.id}" in await refused(store, camera)
    async with opened(store, settings, estate) as rollouts, asyncio.timeout(5):
        assert (await over(rollouts, rollout)).counts == {S.SUCCEEDED: 1}
        assert await leases.holder_of(store, camera) is None
    assert estate.cameras[camera].uploads == 1


async def test_a_camera_that_has_landed_is_not_kept_by_a_process_that_died_before_it_let_go(
    store: Store, settings: Settings, queue: Queue
) -> None:
    estate = await paper(store, *(PaperCamera() for _ in range(3)))
    rules = replace(PATIENT, soak=timedelta(hours=1))
    rollout = await started(store, await firmware(store, settings), list(estate.cameras), rules)
    async with opened(store, settings, estate):
        job = await waits(queue, rollout)
    camera = next(row.camera for row in await samples.rows(store, rollout) if row.state is S.SUCCEEDED)
    await hold(store, camera, f"job:{job.id}", minutes=5)
    await rollout_orders.pause(store, rollout, "anna")

    async def is_free() -> bool:
        return await leases.holder_of(store, camera) is None

    async with opened(store, settings, estate):
        await until(is_free)


async def test_a_fault_of_ours_on_one_camera_lets_go_of_it(store: Store, settings: Settings, queue: Queue) -> None:
    estate = await paper(store, *(PaperCamera() for _ in range(3)))
    first = next(iter(estate.cameras))
    rules = replace(PATIENT, errors=replace(RULES.errors, count=9), success_percent=1, soak=timedelta(hours=1))

    def connect(camera: str) -> AbstractAsyncContextManager[Driver]:
        return cast("Any", None) if camera == first else estate.connect(camera)

    rollout = await started(store, await firmware(store, settings), list(estate.cameras), rules)
    async with Rollouts(store, settings, connect=connect, pace=FAST):
        await waits(queue, rollout)
        assert sorted(await ends(store, rollout)) == [S.SUCCEEDED, S.UNKNOWN, S.WAITING]
        assert await leases.holder_of(store, first) is None


async def test_a_camera_whose_landing_could_not_be_read_is_looked_at_again_and_let_go(
    store: Store, settings: Settings, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate, read, failed = await paper(store, *(PaperCamera() for _ in range(3))), rollout_rows.target, list[str]()

    async def fails_once(where: Store, target: str) -> TargetRow:
        if target not in failed:
            failed.append(target)
            raise StoreUnavailable("the database went away in the middle")
        return await read(where, target)

    monkeypatch.setattr(rollout_rows, "target", fails_once)
    rules = replace(PATIENT, soak=timedelta(hours=1))
    rollout = await started(store, await firmware(store, settings), list(estate.cameras), rules)
    async with opened(store, settings, estate):
        await waits(queue, rollout)
        assert sorted(await ends(store, rollout)) == [S.SUCCEEDED, S.SUCCEEDED, S.WAITING]
        assert [await leases.holder_of(store, camera) for camera in estate.cameras] == [None] * 3
    assert len(failed) == 2
    assert sum(camera.uploads for camera in estate.cameras.values()) == 2


async def test_of_two_processes_one_looks_after_it_and_the_other_follows_and_goes_on(
    store: Store, settings: Settings
) -> None:
    estate = await paper(store, *(PaperCamera(restart_s=0.1) for _ in range(6)))
    rollout = await started(store, await firmware(store, settings), list(estate.cameras), PATIENT)
    async with AsyncExitStack() as stack:
        async with opened(store, settings, estate) as first:
            await has_sent(estate)
            second = await stack.enter_async_context(opened(store, settings, estate))
            assert (await first.get(rollout)).finished_at is None
        async with asyncio.timeout(20):
            assert (await over(second, rollout)).counts == {S.SUCCEEDED: 6}
    assert [camera.uploads for camera in estate.cameras.values()] == [1] * 6
