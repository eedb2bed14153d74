"""Plans as jobs of the queue: their limits, orders to single jobs, other work on their cameras, what a crash leaves."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from structlog.contextvars import bound_contextvars, get_contextvars

from cameras.budget import AttemptBudget
from cameras.place import Place
from cameras.secret import Credential
from fleet import sites
from fleet.jobs import alone
from fleet.jobs.desk import LocalDesk
from fleet.jobs.model import Asked, Done, Job, JobId, Kind, NewJob, Next, Report, Turn
from fleet.jobs.outcomes import MOST_LOSSES
from fleet.jobs.places import Limits
from fleet.jobs.queue import JobFilter, Queue
from fleet.jobs.runner import Runner
from fleet.jobs.states import JobState
from fleet.plans import whole
from fleet.plans.reach import Reached, reaching
from fleet.plans.runner import PlanId, Plans, PlanView
from fleet.plans.states import PlanState
from fleet.reach import by_rules
from fleet.settings import Settings
from fleet.sites import Site
from fleet.store import Store
from fleet.store.jobs_tables import Job as JobRow
from fleet.store.tables import Camera
from hardening.baseline import parse_baseline
from hardening.lifecycle import CameraState, StepState
from scanners.credentials import load_credentials
from tests.fleet.rotating import scene
from tests.fleet.samples import Clock
from tests.fleet.test_plans import QUIET, Network, observed, settled, states, stored
from tests.hardening.pretend import PretendCamera, World

ROOT = Path(__file__).parents[2]


class Busy(Network):
    """Its proofs wait at a gate; how many were waited for at once."""

    def __init__(self, cameras: Mapping[str, PretendCamera]) -> None:
        super().__init__(cameras)
        self.gate = asyncio.Semaphore(0)
        self.proving: asyncio.Queue[str] = asyncio.Queue()
        self.now = self.most = 0

    async def prove(self, place: Place, credential: Credential) -> str:
        self.now += 1
        self.most = max(self.most, self.now)
        self.proving.put_nowait(place.address)
        await asyncio.sleep(0.01)
        await self.gate.acquire()
        self.now -= 1
        return await super().prove(place, credential)

    def open_the_gate(self) -> None:
        for _ in range(1000):
            self.gate.release()


@pytest.fixture
async def network(store: Store) -> Busy:
    return Busy({row: PretendCamera() for row in await stored(store, 3)})


@pytest.fixture
def queue(store: Store) -> Queue:
    return Queue(store)


class Telling(LocalDesk):
    """Says when what is asked of a job has come to its runner."""

    def __init__(self, queue: Queue, kinds: Sequence[Kind]) -> None:
        super().__init__(queue, kinds)
        self.heard_of: dict[JobId, asyncio.Event] = {}

    async def renew(self, jobs: Sequence[JobId]) -> Mapping[JobId, Asked]:
        found = await super().renew(jobs)
        for job, asked in found.items():
            if asked and job in self.heard_of:
                self.heard_of[job].set()
        return found

    async def told(self, job: JobId) -> None:
        await self.heard_of.setdefault(job, asyncio.Event()).wait()


@asynccontextmanager
async def told_of_orders(plans: Plans, queue: Queue) -> AsyncIterator[Telling]:
    desk = Telling(queue, plans.kinds)
    async with desk.attended(), Runner(desk, plans.kinds):
        yield desk


async def started(plans: Plans, network: Network) -> PlanId:
    plan = await observed(plans, network)
    await plans.approve(plan, "boris")
    await plans.start(plan, "boris")
    return plan


async def job_of(queue: Queue, plan: PlanId, kind: str = "plan", camera: str | None = None) -> Job:
    page = await queue.listed(JobFilter(kind=kind, work=f"plan:{plan}", camera=camera), limit=1)
    return page.items[0]


async def until(condition: Callable[[PlanView], bool], plans: Plans, plan: PlanId) -> None:
    async with asyncio.timeout(30), aclosing(plans.events(plan)) as events:
        async for view in events:
            if condition(view):
                return
    pytest.fail("it never came to be so")


async def in_state(queue: Queue, job: JobId, state: JobState) -> None:
    async with asyncio.timeout(30):
        while (await queue.get(job)).state is not state:  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.01)


def sent(network: Network) -> list[int]:
    return [len(one.sent) for one in network.cameras.values()]


async def cameras_of(plans: Plans, plan: PlanId) -> list[CameraState]:
    return [one.state for one in await plans.cameras(plan)]


# --- the queue ---


async def test_every_camera_has_a_job_that_says_what_became_of_it(store: Store, queue: Queue, network: Busy) -> None:
    network.open_the_gate()
    strict, silent, good = network.cameras
    network.cameras[strict].faults.add("refuses:discovery")
    network.cameras[silent].silent = True
    async with network.service(store, queue=queue) as plans, alone.running(queue, plans.kinds):
        await settled(plans, plan := await started(plans, network))
        await plans.undo(plan, "cleo")
        await settled(plans, plan)
        found = (await queue.listed(JobFilter(work=f"plan:{plan}"))).items[::-1]
    whole_ones = [(one.actor, one.state, one.result or one.reason) for one in found if one.kind == "plan"]
    assert whole_ones == [
        ("anna", JobState.DONE, "awaiting approval"),
        ("boris", JobState.FAILED, "not every camera became what was wanted"),
        ("cleo", JobState.DONE, "undone"),
    ]
    said = {(one.kind, one.camera, one.payload["order"]): one.result or one.reason for one in found if one.camera}
    assert said == {
        **{("plan-look", one, "observe"): "2 of 2 settings differ from what is wanted" for one in (strict, good)},
        ("plan-look", silent, "observe"): "0 of 2 settings differ from what is wanted; 2 could not be asked for",
        ("plan-change", strict, "apply"): "not as wanted: discovery-mode",
        ("plan-change", silent, "apply"): "it could not be asked for discovery-mode, telnet-ftp; make a new plan",
        ("plan-change", good, "apply"): "it is as wanted",
        **{("plan-change", one, "undo"): "it is as it was before" for one in (strict, good)},
    }
    assert [one.key for one in found if one.camera == good] == [f"plan:{plan}:{good}"] * 3


async def test_lines_of_the_log_name_the_request_that_ordered_it_also_in_another_process(
    store: Store, network: Busy
) -> None:
    said: list[dict[str, object]] = []
    reached = network.reach

    async def reach(of: str) -> Reached:
        said.append(get_contextvars())
        return await reached(of)

    network.reach = reach  # type: ignore[method-assign] # it listens
    async with network.service(store, queue=Queue(store)) as plans:
        with bound_contextvars(request="r-1"):
            plan = await plans.create(QUIET, list(network.cameras), "anna")
    async with network.service(store) as plans:
        await settled(plans, plan)
    assert {(one["request"], one["plan"]) for one in said} == {("r-1", plan)}
    assert {one["camera"] for one in said} == set(network.cameras)


async def test_no_more_cameras_of_a_site_are_changed_at_once_than_its_limit(store: Store, queue: Queue) -> None:
    await sites.put(store, Site("North", ("10.0.0.0/29",)), "anna")
    network = Busy({row: PretendCamera() for row in await stored(store, 7)})
    limits = Limits(per_site=2)
    async with network.service(store, queue=queue) as plans, alone.running(queue, plans.kinds, limits=limits):
        plan = await started(plans, network)
        for _ in range(2):
            await network.proving.get()
        await asyncio.sleep(0.1)  # a third would come now
        network.open_the_gate()
        assert (await settled(plans, plan)).state is PlanState.DONE
    assert (network.most, len(network.proved)) == (2, 7)


async def test_plans_come_to_their_end_where_only_one_job_has_room(
    store: Store, clock: Clock, queue: Queue, network: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They take no place from the cameras that they wait for."""
    monkeypatch.setattr(whole, "_IDLE_S", 0.1)
    network.open_the_gate()

    async def goes_on() -> None:
        while True:
            await asyncio.sleep(0.05)
            clock.forward(seconds=1)

    going = asyncio.create_task(goes_on())
    async with network.service(store, queue=queue) as plans, alone.running(queue, plans.kinds, limits=Limits(1, 1)):
        made = [await plans.create(QUIET, list(network.cameras), "anna") for _ in range(2)]
        ends = [(await settled(plans, plan)).state for plan in made]
    going.cancel()
    assert ends == [PlanState.AWAITING_APPROVAL] * 2


async def test_other_jobs_that_change_the_same_cameras_take_turns_with_it(
    store: Store, queue: Queue, network: Busy
) -> None:
    network.open_the_gate()
    rotating, overlaps, over = set[str](), list[str](), asyncio.Event()

    async def rotates(turn: Turn) -> Next:
        """As soon as it has ended, another one wants the camera."""
        camera = turn.job.camera or ""
        rotating.add(camera)
        before = list(network.cameras[camera].sent)
        await asyncio.sleep(0.02)
        overlaps.extend(network.cameras[camera].sent[len(before) :])
        rotating.discard(camera)
        if not over.is_set():
            await queue.enqueue(NewJob("rotation-like", "ana", camera=camera))
        return Done()

    other = Kind("rotation-like", rotates, changes_camera=True)
    async with network.service(store, queue=queue) as plans, alone.running(queue, [*plans.kinds, other]):
        plan = await observed(plans, network)
        await plans.approve(plan, "boris")
        for camera, one in network.cameras.items():
            one.on_sent = lambda name, camera=camera: overlaps.extend([name] if camera in rotating else [])  # type: ignore[misc] # no name
            await queue.enqueue(NewJob("rotation-like", "ana", camera=camera))
        await plans.start(plan, "boris")
        view = await settled(plans, plan)
        over.set()
    assert (view.state, overlaps, sent(network)) == (PlanState.DONE, [], [2, 2, 2])


class Late(LocalDesk):
    """Says that the plan's own job has ended only when the gate is open."""

    def __init__(self, queue: Queue, kinds: Sequence[Kind]) -> None:
        super().__init__(queue, kinds)
        self.gate = asyncio.Event()

    async def report(self, reports: Sequence[Report]) -> None:
        for report in reports:
            if isinstance(report.next, Done) and (await self.queue.get(report.job)).kind == "plan":
                await self.gate.wait()
        await super().report(reports)


async def test_what_is_ordered_before_the_end_of_its_last_job_is_told_is_done(
    store: Store, queue: Queue, network: Busy
) -> None:
    network.open_the_gate()
    async with network.service(store, queue=queue) as plans:
        desk = Late(queue, plans.kinds)
        async with desk.attended(), Runner(desk, plans.kinds):
            plan = await observed(plans, network)
            assert (await job_of(queue, plan)).state is JobState.RUNNING
            await plans.approve(plan, "boris")
            await plans.start(plan, "boris")
            desk.gate.set()
            assert (await settled(plans, plan)).state is PlanState.DONE
    assert sent(network) == [2, 2, 2]


# --- orders to its jobs ---


async def test_cancelling_its_job_in_the_queue_stops_the_plan(store: Store, queue: Queue, network: Busy) -> None:
    async with network.service(store, queue=queue, cameras_at_once=1) as plans, alone.running(queue, plans.kinds):
        plan = await started(plans, network)
        await network.proving.get()
        job = await job_of(queue, plan)
        await queue.cancel(job.id, "cleo")
        for camera in list(network.cameras)[1:]:
            await in_state(queue, (await job_of(queue, plan, "plan-change", camera)).id, JobState.CANCELLED)
        network.open_the_gate()
        view = await settled(plans, plan)
        assert (view.state, (await queue.ended(job.id)).state) == (PlanState.STOPPED, JobState.CANCELLED)
        assert view.cameras == {CameraState.DONE: 1, CameraState.WAITING: 2}
    assert sent(network) == [2, 0, 0]


async def test_a_draft_is_stopped_also_while_a_camera_keeps_it_waiting(
    store: Store, queue: Queue, network: Busy
) -> None:
    begun = asyncio.Event()

    async def reach(_camera: str) -> object:
        begun.set()
        return await asyncio.Event().wait()

    network.reach = reach  # type: ignore[method-assign, assignment] # no answer
    async with network.service(store, queue=queue) as plans, alone.running(queue, plans.kinds):
        plan = await plans.create(QUIET, list(network.cameras), "anna")
        await begun.wait()
        async with asyncio.timeout(30):
            await plans.stop(plan, "cleo")
        assert (await plans.get(plan)).state is PlanState.STOPPED
        ends = [one for one in (await queue.listed(JobFilter(work=f"plan:{plan}"))).items if one.camera]
    # One that began in the very moment found the plan ending, and looked at nothing.
    assert all(one.state is JobState.CANCELLED or "left alone" in one.result for one in ends)
    assert JobState.CANCELLED in {one.state for one in ends}


async def test_an_order_to_stop_outlives_the_process_that_was_to_carry_it_out(
    store: Store, queue: Queue, network: Busy
) -> None:
    async with network.service(store, queue=queue, cameras_at_once=1) as plans:
        async with alone.running(queue, plans.kinds):
            plan = await started(plans, network)
            await network.proving.get()
            await queue.cancel((await job_of(queue, plan)).id, "cleo")
        network.open_the_gate()
        async with alone.running(queue, plans.kinds):
            view = await settled(plans, plan)
    assert (view.state, view.cameras) == (PlanState.STOPPED, {CameraState.DONE: 1, CameraState.WAITING: 2})
    assert sent(network) == [2, 0, 0]


@pytest.mark.parametrize("phase", [PlanState.DRAFT, PlanState.APPLYING])
async def test_a_plan_whose_job_is_cancelled_before_it_begins_is_stopped(
    store: Store, queue: Queue, network: Busy, phase: PlanState
) -> None:
    async with network.service(store, queue=queue) as plans:
        if phase is PlanState.DRAFT:
            plan = await plans.create(QUIET, list(network.cameras), "anna")
        else:
            async with alone.running(queue, plans.kinds):
                plan = await observed(plans, network)
            await plans.approve(plan, "boris")
            await plans.start(plan, "boris")
        asked = [one.asked for one in network.cameras.values()]
        job = await job_of(queue, plan)
        await queue.cancel(job.id, "cleo")
        async with alone.running(queue, plans.kinds):
            assert (await settled(plans, plan)).state is PlanState.STOPPED
        assert (await queue.get(job.id)).state is JobState.CANCELLED
    assert [one.asked for one in network.cameras.values()] == asked
    assert sent(network) == [0, 0, 0]


async def test_an_undo_goes_on_also_where_its_job_is_cancelled_before_it_begins(
    store: Store, queue: Queue, network: Busy
) -> None:
    network.open_the_gate()
    async with network.service(store, queue=queue) as plans:
        async with alone.running(queue, plans.kinds):
            await settled(plans, plan := await started(plans, network))
        await plans.undo(plan, "anna")
        await queue.cancel((await job_of(queue, plan)).id, "cleo")
        async with alone.running(queue, plans.kinds):
            assert (await settled(plans, plan)).state is PlanState.UNDONE
    assert [one.world for one in network.cameras.values()] == [World()] * 3


async def test_a_camera_whose_job_is_cancelled_before_its_turn_stays_as_it_is(
    store: Store, queue: Queue, network: Busy
) -> None:
    _, second, _ = network.cameras
    async with network.service(store, queue=queue, cameras_at_once=1) as plans, alone.running(queue, plans.kinds):
        plan = await started(plans, network)
        await network.proving.get()
        await queue.cancel((await job_of(queue, plan, "plan-change", second)).id, "cleo")
        network.open_the_gate()
        view = await settled(plans, plan)
        assert (view.state, view.error) == (PlanState.FAILED, "not every camera became what was wanted")
        assert await cameras_of(plans, plan) == [CameraState.DONE, CameraState.WAITING, CameraState.DONE]
    assert sent(network) == [2, 0, 2]


ORDERS = {"cancelled": (Queue.cancel, JobState.CANCELLED), "paused": (Queue.pause, JobState.PAUSED)}


@pytest.mark.parametrize(("order", "state"), ORDERS.values(), ids=ORDERS)
async def test_a_camera_whose_job_is_stopped_in_the_middle_stops_between_two_steps(
    store: Store, queue: Queue, network: Busy, order: Callable[..., object], state: JobState
) -> None:
    network.open_the_gate()
    first = next(iter(network.cameras))
    camera, on = network.cameras[first], asyncio.Event()
    honest = camera.open

    @asynccontextmanager
    async def opened(place: Place) -> AsyncIterator[object]:
        if camera.sent:
            await on.wait()
        async with honest(place) as driver:
            yield driver

    camera.open = opened  # type: ignore[method-assign, assignment] # it is slow
    async with network.service(store, queue=queue) as plans, told_of_orders(plans, queue) as desk:
        plan = await started(plans, network)
        await until(lambda view: view.cameras.get(CameraState.DONE) == 2 and len(camera.sent) == 1, plans, plan)
        job = await job_of(queue, plan, "plan-change", first)
        await order(queue, job.id, "cleo")  # type: ignore[misc] # one of two methods
        await desk.told(job.id)
        on.set()
        await in_state(queue, job.id, state)
        assert camera.sent == ["discovery"]
        if state is JobState.PAUSED:
            assert (await plans.get(plan)).state is PlanState.APPLYING
            await queue.resume(job.id, "cleo")
        view = await settled(plans, plan)
        now = (await plans.cameras(plan))[0]
    if state is JobState.PAUSED:
        assert (view.state, camera.sent) == (PlanState.DONE, ["discovery", "telnet"])
    else:
        assert (view.state, now.state, camera.sent) == (PlanState.FAILED, CameraState.STOPPED, ["discovery"])
        assert states(now) == {"discovery-mode": StepState.DONE, "telnet-ftp": StepState.SKIPPED}


async def test_a_camera_whose_look_is_cancelled_is_part_of_the_plan_as_unknown(
    store: Store, queue: Queue, network: Busy
) -> None:
    """It is not changed, and the plan says so."""
    network.open_the_gate()
    first, on = next(iter(network.cameras)), asyncio.Event()
    reached = network.reach

    async def reach(camera: str) -> object:
        if camera == first:
            await on.wait()
        return await reached(camera)

    network.reach = reach  # type: ignore[method-assign, assignment] # it is slow
    async with network.service(store, queue=queue) as plans, alone.running(queue, plans.kinds):
        plan = await plans.create(QUIET, list(network.cameras), "anna")
        await until(lambda view: view.drifting == 2, plans, plan)
        await queue.cancel((await job_of(queue, plan, "plan-look", first)).id, "cleo")
        view = await settled(plans, plan)
        assert (view.state, view.drifting, view.unknown) == (PlanState.AWAITING_APPROVAL, 2, 1)
        assert "cancelled" in (await plans.cameras(plan))[0].steps[0].reason
        on.set()
        await plans.approve(plan, "boris")
        await plans.start(plan, "boris")
        assert (await settled(plans, plan)).state is PlanState.FAILED
    assert sent(network) == [0, 2, 2]


async def test_a_job_that_is_run_again_after_its_plan_changes_nothing(
    store: Store, queue: Queue, network: Busy
) -> None:
    network.open_the_gate()
    first = next(iter(network.cameras))
    network.cameras[first].faults.add("ignored:discovery")
    async with network.service(store, queue=queue) as plans, alone.running(queue, plans.kinds):
        view = await settled(plans, plan := await started(plans, network))
        before = sent(network)
        for kind, camera in (("plan", None), ("plan-change", first)):
            job = await job_of(queue, plan, kind, camera)
            await queue.run_again(job.id, "cleo")
            assert "on" in (found := await queue.ended(job.id)).reason
            assert "page" in found.reason
        assert await plans.get(plan) == view
    assert sent(network) == before


async def test_a_camera_that_is_taken_out_meanwhile_is_told_and_costs_the_others_nothing(
    store: Store, queue: Queue, network: Busy
) -> None:
    network.open_the_gate()
    first = next(iter(network.cameras))
    async with network.service(store, queue=queue) as plans:
        async with alone.running(queue, plans.kinds):
            plan = await observed(plans, network)
        await plans.approve(plan, "boris")
        await plans.start(plan, "boris")
        async with store.write() as connection:
            await connection.execute(delete(Camera).where(Camera.id == first))
        async with alone.running(queue, plans.kinds):
            view = await settled(plans, plan)
        now = (await plans.cameras(plan))[0]
    assert (view.state, view.error) == (PlanState.FAILED, "not every camera became what was wanted")
    assert (now.state, now.reason) == (CameraState.FAILED, "there is no such camera any more")
    assert sent(network) == [0, 2, 2]


# --- several processes ---


async def test_it_is_followed_and_stopped_from_a_process_that_does_not_run_it(store: Store, network: Busy) -> None:
    queue, other = Queue(store), network.service(store, queue=Queue(store))
    async with network.service(store, cameras_at_once=1) as plans, other as elsewhere:
        plan = await started(plans, network)
        await network.proving.get()
        stopping = asyncio.create_task(elsewhere.stop(plan, "cleo"))
        for camera in list(network.cameras)[1:]:
            await in_state(queue, (await job_of(queue, plan, "plan-change", camera)).id, JobState.CANCELLED)
        assert not stopping.done()
        network.open_the_gate()
        async with asyncio.timeout(30):
            await stopping
        assert (await elsewhere.get(plan)).state is PlanState.STOPPED
    assert sent(network) == [2, 0, 0]


# What a process that was killed had written of the job of a plan that it was at work on, and what becomes of the plan.
LEFT = {
    "no job": (None, PlanState.DONE, None),
    "its job was cancelled": (JobState.CANCELLED, PlanState.STOPPED, None),
    "its job was given up": (JobState.FAILED, PlanState.FAILED, "5 processes ended"),
}


@pytest.mark.parametrize(("left", "becomes", "why"), LEFT.values(), ids=LEFT)
async def test_what_a_killed_process_left_of_a_plan_comes_to_an_end(
    store: Store, network: Busy, left: JobState | None, becomes: PlanState, why: str | None
) -> None:
    network.open_the_gate()
    async with network.service(store) as plans:
        plan = await observed(plans, network)
    async with network.service(store, queue=Queue(store)) as plans:
        await plans.approve(plan, "boris")
        await plans.start(plan, "boris")
    async with store.write() as connection:
        of_plan = JobRow.state == JobState.QUEUED.value
        if left is None:
            await connection.execute(delete(JobRow).where(of_plan))
        else:
            await connection.execute(update(JobRow).where(of_plan).values(state=left.value, reason=why or ""))
    async with network.service(store) as plans:
        view = await settled(plans, plan)
    assert (view.state, view.error) == (becomes, why)
    assert sent(network) == ([2, 2, 2] if becomes is PlanState.DONE else [0, 0, 0])


async def test_a_plan_that_ends_every_process_is_given_up_and_says_so(
    store: Store, settings: Settings, queue: Queue, network: Busy
) -> None:
    locks = settings.home / "locks"
    async with network.service(store, queue=queue) as plans:
        plan = await plans.create(QUIET, list(network.cameras), "anna")
        for _ in range(MOST_LOSSES):
            async with LocalDesk(queue, plans.kinds, folder=locks).attended() as desk:
                assert await desk.claim(1)
        async with alone.running(queue, plans.kinds, folder=locks):
            view = await settled(plans, plan)
    assert (view.state, view.error) == (PlanState.FAILED, "5 processes ended while they were at it")


async def test_a_plan_that_is_cut_off_hands_no_camera_out_twice(
    store: Store, settings: Settings, network: Busy
) -> None:
    """Neither one whose job has come to its end, nor one whose job was cancelled."""
    _, second, _ = network.cameras
    locks, queue = settings.home / "locks", Queue(store)
    async with network.service(store, cameras_at_once=1, locks=locks) as plans:
        plan = await started(plans, network)
        await network.proving.get()
        await queue.cancel((await job_of(queue, plan, "plan-change", second)).id, "cleo")
        network.gate.release()
        await network.proving.get()
    network.open_the_gate()
    async with network.service(store, locks=locks) as plans:
        assert (await settled(plans, plan)).state is PlanState.FAILED
        assert await cameras_of(plans, plan) == [CameraState.DONE, CameraState.WAITING, CameraState.DONE]
    jobs = (await queue.listed(JobFilter(kind="plan-change"))).items
    assert len(jobs) == 3
    assert sent(network) == [2, 0, 2]


# Applies a plan, and gets no further than it is let.
DIES = """
import asyncio, sys
from pathlib import Path
from cameras.budget import AttemptBudget
from fleet.plans.reach import reaching
from fleet.plans.runner import Plans
from fleet.reach import by_rules
from fleet.settings import Settings
from fleet.store.engine import open_prepared
from scanners.credentials import load_credentials
from tests.fleet.test_plan_jobs import proved

async def main(home, plan):
    settings = Settings(home=Path(home))
    async with await open_prepared(settings) as store:
        where = by_rules(store, load_credentials(settings.home / "credentials.yaml"))
        async with Plans(store, reaching(where, AttemptBudget()), proved, locks=settings.home / "locks") as plans:
            await plans.start(plan, "boris")
            await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""
FEW = "format: camwarden/baseline/1\nname: few\nsettings:\n  discovery-mode: off\n  ntp: {from_dhcp: true}\n"


async def proved(_place: Place, _credential: Credential) -> str:
    return "1 fixed"


@pytest.mark.parametrize("killed_at", [1, 2], ids=["the first change", "the second change"])
async def test_killed_while_a_camera_carries_out_a_change_the_next_process_goes_on_at_once(
    tmp_path: Path, killed_at: int
) -> None:
    """The camera has done it, and nobody is there any more to hear that."""
    told: list[str] = []
    async with scene(tmp_path / "home", "discovery-left-on", "ntp-not-configured", family="axis") as place:
        camera, locks = place.camera, place.settings.home / "locks"
        where = by_rules(place.store, load_credentials(place.settings.home / "credentials.yaml"))
        reach = reaching(where, AttemptBudget())
        async with Plans(place.store, reach, proved, locks=locks) as plans:
            plan = await plans.create(parse_baseline(FEW), [place.camera_id], "anna")
            assert (await settled(plans, plan)).drifting == 1
            await plans.approve(plan, "boris")
        words = ("-c", DIES, str(place.settings.home), plan)
        process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT)
        change = camera.change

        def changed(**fields: object) -> None:
            change(**fields)
            told.extend(fields)
            if len(set(told) & {"discoverable", "ntp_from_dhcp"}) == killed_at and process.returncode is None:
                process.send_signal(signal.SIGKILL)

        camera.change = changed  # type: ignore[method-assign] # what it is told
        assert await process.wait() == -signal.SIGKILL
        async with Plans(place.store, reach, proved, locks=locks) as plans:
            view = await settled(plans, plan)
            events = [(one.setting, one.event) for one in await plans.history(plan, single=True)]
        job = await job_of(Queue(place.store), plan, "plan-change")
        history = [line.event for line in await Queue(place.store).history(job.id)]
    assert view.state is PlanState.DONE
    assert sorted(told) == sorted(set(told)), "a step was sent twice"
    assert {one for one in events if one[1] == "proved"} == {("discovery-mode", "proved"), ("ntp", "proved")}
    assert len(events) == len(set(events)), "something was written down twice"
    assert (job.state, history) == (JobState.DONE, ["finish", "put-back"])
