"""Plans in the background: approval, changing, proof, undo, and what a crash at any point does to them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select, update

from cameras.place import Place
from cameras.secret import Credential, Secret
from fleet import leases
from fleet.errors import Invalid, NotFound
from fleet.findings import triage as findings
from fleet.jobs.desk import LocalDesk
from fleet.jobs.model import Asked
from fleet.jobs.queue import Queue
from fleet.jobs.runner import Runner
from fleet.plans.reach import Reached
from fleet.plans.runner import MOST_FAILURES_IN_A_ROW, PlanCameraView, PlanId, Plans, PlanView
from fleet.plans.states import TRANSITIONS, PlanEvent, PlanState, after
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.store import tables as t
from fleet.store.jobs_tables import Job
from fleet.store.plans_tables import PlanCamera
from hardening.baseline import Baseline
from hardening.lifecycle import CameraState, StepState
from tests.fleet.on_disk import on_disk
from tests.fleet.samples import FAIL, Clock, assessed, camera, dossier
from tests.hardening.pretend import QUICKLY, PretendCamera, World, a_password
from tests.hardening.test_apply import EVERYTHING, only

QUIET = only(discovery_mode=False, telnet_ftp=False)
LOGIN = Credential("audit", Secret("not-shown"))


class Network:
    """Pretend cameras by the id of their row, and what was asked of the service around them."""

    def __init__(self, cameras: Mapping[str, PretendCamera]) -> None:
        self.cameras = dict(cameras)
        self.proved: list[tuple[str, str]] = []
        self.proof: Callable[[], str] = lambda: "1 fixed"
        self.unknown_logins: set[str] = set()

    async def reach(self, of: str) -> Reached:
        if of in self.unknown_logins:
            raise Invalid("no login is known for this camera")
        number = 1 + list(self.cameras).index(of)
        return Reached(Place(f"10.0.0.{number}", 80, "http"), LOGIN, self.cameras[of].open)

    async def prove(self, place: Place, credential: Credential) -> str:
        assert credential is LOGIN
        self.proved.append((place.address, place.scheme))
        return self.proof()

    def service(self, store: Store, **more: object) -> Plans:
        given = {"patience": QUICKLY, "password_for": self.password, **more}
        return Plans(store, self.reach, self.prove, **given)  # type: ignore[arg-type] # by name

    async def password(self, _camera: str, account: str) -> Secret:
        return await a_password(account)


async def stored(store: Store, count: int) -> list[str]:
    for number in range(1, count + 1):
        of = dossier(f"10.0.0.{number}", identity=camera(number))
        await findings.record(store, assessed({("telnet-open", ""): FAIL}, of))
    async with store.read() as connection:
        return list(await connection.scalars(select(t.Camera.id).order_by(t.Camera.id)))


@pytest.fixture
async def network(store: Store) -> Network:
    return Network({row: PretendCamera() for row in await stored(store, 3)})


async def settled(plans: Plans, plan: PlanId) -> PlanView:
    async with asyncio.timeout(30), aclosing(plans.events(plan)) as events:
        async for _ in events:
            pass
    return await plans.get(plan)


async def observed(plans: Plans, network: Network, baseline: Baseline = QUIET) -> PlanId:
    plan = await plans.create(baseline, list(network.cameras), "anna")
    assert (await settled(plans, plan)).state is PlanState.AWAITING_APPROVAL
    return plan


async def applied(plans: Plans, network: Network, baseline: Baseline = QUIET) -> PlanId:
    plan = await observed(plans, network, baseline)
    await plans.approve(plan, "boris")
    await plans.start(plan, "boris")
    await settled(plans, plan)
    return plan


def states(view: PlanCameraView) -> dict[str, StepState]:
    return {step.setting: step.state for step in view.steps}


async def test_a_plan_shows_the_difference_and_changes_nothing(store: Store, network: Network) -> None:
    async with network.service(store) as plans:
        plan = await observed(plans, network)
        view = await plans.get(plan)
        assert (view.baseline, view.actor, view.approved_by) == ("some", "anna", None)
        assert (view.total, view.drifting, view.unknown) == (3, 3, 0)
        assert view.digest
        first, *_ = await plans.cameras(plan)
        assert first.steps[0].diff == ("- discovery: on", "+ discovery: off")
        assert states(first) == dict.fromkeys(("discovery-mode", "telnet-ftp"), StepState.WAITING)
        assert await plans.recent() == [view]
    assert all(not one.sent for one in network.cameras.values())


async def test_an_approved_plan_is_applied_and_each_camera_is_assessed_again(store: Store, network: Network) -> None:
    async with network.service(store) as plans:
        plan = await applied(plans, network, EVERYTHING)
        view = await plans.get(plan)
        assert (view.state, view.cameras, view.error) == (PlanState.DONE, {CameraState.DONE: 3}, None)
        assert (view.actor, view.approved_by) == ("anna", "boris")
        assert {one.proof for one in await plans.cameras(plan)} == {"1 fixed"}
        events = [(one.setting, one.event, one.actor) for one in await plans.history(plan)][::-1]
    assert sorted(network.proved) == [(f"10.0.0.{number}", "https") for number in (1, 2, 3)]
    assert events[0] == (None, "made", "anna")
    assert events.count((None, "approve", "boris")) == 1
    assert events.count(("http", "begin", "service")) == events.count(("http", "proved", "service")) == 3
    assert await leases.holder_of(store, next(iter(network.cameras))) is None


async def test_no_password_reaches_the_store(store: Store, settings: Settings, network: Network) -> None:
    async with network.service(store) as plans:
        plan = await applied(plans, network, EVERYTHING)
        assert (await plans.get(plan)).state is PlanState.DONE
    assert all(one.world.accounts["audit"] for one in network.cameras.values())
    kept = await asyncio.to_thread(on_disk, settings)
    made = (await a_password("audit")).reveal()
    assert b"service-account" in kept
    assert [secret for secret in (made, LOGIN.password.reveal()) if secret.encode() in kept] == []


async def test_nothing_is_applied_without_approval(store: Store, network: Network) -> None:
    async with network.service(store) as plans:
        plan = await observed(plans, network)
        with pytest.raises(Invalid, match="awaiting-approval cannot be started; it must be approved first"):
            await plans.start(plan, "anna")
        with pytest.raises(Invalid, match="cannot be undone"):
            await plans.undo(plan, "anna")
        await plans.approve(plan, "anna")  # one's own, in this slice; both names are kept
        with pytest.raises(Invalid, match="a plan that is approved cannot be approved"):
            await plans.approve(plan, "boris")
        await plans.stop(plan, "anna")
        assert (await plans.get(plan)).state is PlanState.STOPPED


async def test_a_camera_without_a_login_or_an_answer_stays_in_the_plan_as_unknown(
    store: Store, network: Network
) -> None:
    first, second, _ = network.cameras
    network.unknown_logins.add(first)
    network.cameras[second].silent = True
    async with network.service(store) as plans:
        plan = await observed(plans, network)
        views = {one.camera: one for one in await plans.cameras(plan)}
        assert {step.order for step in (*views[first].steps, *views[second].steps)} == {"unknown"}
        assert "no login is known" in views[first].steps[0].reason
        assert (views[first].address, views[first].port) == ("10.0.0.1", 80)
        assert "unreachable" in views[second].steps[0].reason
        assert (await plans.get(plan)).unknown == 2
        await plans.approve(plan, "anna")
        await plans.start(plan, "anna")
        view = await settled(plans, plan)
        assert view.state is PlanState.FAILED
        assert view.cameras == {CameraState.FAILED: 2, CameraState.DONE: 1}, "unknown is not done"


async def test_a_camera_that_lies_is_put_back_and_costs_the_others_nothing(store: Store, network: Network) -> None:
    liar = next(iter(network.cameras))
    network.cameras[liar].faults.add("ignored:discovery")
    async with network.service(store) as plans:
        plan = await applied(plans, network)
        view = await plans.get(plan)
        assert (view.state, view.error) == (PlanState.FAILED, "not every camera became what was wanted")
        assert view.cameras == {CameraState.FAILED: 1, CameraState.DONE: 2}
        (lying,) = [one for one in await plans.cameras(plan) if one.camera == liar]
        assert states(lying) == {"discovery-mode": StepState.UNDONE, "telnet-ftp": StepState.SKIPPED}
        assert "did not do it" in lying.steps[0].reason


async def test_a_baseline_that_fits_nowhere_leaves_most_cameras_alone(store: Store) -> None:
    rows = await stored(store, MOST_FAILURES_IN_A_ROW + 3)
    network = Network({row: PretendCamera("ignored:discovery") for row in rows})
    async with network.service(store, cameras_at_once=1) as plans:
        plan = await applied(plans, network)
        view = await plans.get(plan)
    assert view.cameras == {CameraState.FAILED: MOST_FAILURES_IN_A_ROW, CameraState.WAITING: 3}
    assert "the others were left alone" in (view.error or "")


async def test_a_plan_is_good_for_a_day(store: Store, network: Network, clock: Clock) -> None:
    async with network.service(store) as plans:
        plan = await observed(plans, network)
        await plans.approve(plan, "anna")
        clock.forward(hours=25)
        assert (await plans.get(plan)).state is PlanState.EXPIRED
        with pytest.raises(Invalid, match="expired cannot be started"):
            await plans.start(plan, "anna")
        for one in network.cameras.values():
            one.world.switches["ftp"] = True
        await plans.renew(plan, "anna")
        view = await settled(plans, plan)
        assert (view.state, view.approved_by) == (PlanState.AWAITING_APPROVAL, None)
        first, *_ = await plans.cameras(plan)
        assert "- ftp: on" in first.steps[1].diff


async def test_what_changed_since_the_plan_is_left_alone(store: Store, network: Network) -> None:
    async with network.service(store) as plans:
        plan = await observed(plans, network)
        await plans.approve(plan, "anna")
        for one in network.cameras.values():
            one.world.switches["ftp"] = True
        await plans.start(plan, "anna")
        await settled(plans, plan)
        first, *_ = await plans.cameras(plan)
        assert states(first) == {"discovery-mode": StepState.DONE, "telnet-ftp": StepState.STALE}


async def test_a_plan_that_was_changed_in_the_store_is_not_what_was_approved(store: Store, network: Network) -> None:
    async with network.service(store) as plans:
        plan = await observed(plans, network)
        await plans.approve(plan, "anna")
        async with store.write() as connection:
            for camera, body in (await connection.execute(select(PlanCamera.camera, PlanCamera.body))).all():
                other = json.loads(json.dumps(body).replace("false", "true"))
                await connection.execute(update(PlanCamera).where(PlanCamera.camera == camera).values(body=other))
        with pytest.raises(Invalid, match="not what was approved"):
            await plans.start(plan, "anna")


class Moving(Network):
    """Its cameras are somewhere else from the moment that somebody says so; where each was looked for since."""

    def __init__(self, cameras: Mapping[str, PretendCamera]) -> None:
        super().__init__(cameras)
        self.moved = False
        self.looked_for: list[str] = []

    async def reach(self, of: str) -> Reached:
        reached = await super().reach(of)
        if not self.moved:
            return reached

        def opened(place: Place) -> AbstractAsyncContextManager[Any]:
            self.looked_for.append(place.address)
            return reached.open_camera(place)

        return replace(reached, place=replace(reached.place, address="10.0.9.9"), open_camera=opened)


@pytest.mark.parametrize("after", ["looked at", "changed"])
async def test_a_camera_that_was_found_elsewhere_since_is_changed_and_put_back_where_it_is_now(
    store: Store, after: str
) -> None:
    network = Moving({row: PretendCamera() for row in await stored(store, 1)})
    async with network.service(store) as plans:
        plan = await observed(plans, network)
        network.moved = after == "looked at"
        await plans.approve(plan, "boris")
        await plans.start(plan, "boris")
        assert (await settled(plans, plan)).state is PlanState.DONE
        network.moved = True
        await plans.undo(plan, "anna")
        assert (await settled(plans, plan)).state is PlanState.UNDONE
    assert set(network.looked_for) == {"10.0.9.9"}
    assert network.proved[-1][0] == "10.0.9.9"
    assert [one.world for one in network.cameras.values()] == [World()]


async def test_an_undone_plan_leaves_the_cameras_as_they_were_and_proves_it(store: Store, network: Network) -> None:
    before = World()
    async with network.service(store) as plans:
        plan = await applied(plans, network, EVERYTHING)
        await plans.undo(plan, "anna")
        view = await settled(plans, plan)
        assert (view.state, view.cameras) == (PlanState.UNDONE, {CameraState.UNDONE: 3})
    assert [one.world for one in network.cameras.values()] == [before] * 3
    assert len(network.proved) == 6


async def test_other_work_on_a_camera_is_waited_for_and_holds_up_no_other(store: Store, network: Network) -> None:
    first, *_ = network.cameras
    async with network.service(store) as plans:
        plan = await observed(plans, network)
        await plans.approve(plan, "boris")
        async with leases.hold(store, first, "rollout:7"):
            await plans.start(plan, "boris")
            async with asyncio.timeout(30), aclosing(plans.events(plan)) as events:
                async for view in events:
                    if view.cameras.get(CameraState.DONE) == 2:
                        break
            assert view.cameras == {CameraState.WAITING: 1, CameraState.DONE: 2}
            assert network.cameras[first].sent == []
        assert (await settled(plans, plan)).state is PlanState.DONE
    assert network.cameras[first].sent == ["discovery", "telnet"]


async def is_asked_to_stop(store: Store) -> bool:
    async with store.read() as connection:
        return Asked.CANCEL in (await connection.scalars(select(Job.asked))).all()


async def test_stopping_ends_between_two_steps(store: Store, network: Network) -> None:
    async with network.service(store, cameras_at_once=1) as plans:
        plan = await observed(plans, network)
        first = next(iter(network.cameras.values()))
        asked: list[asyncio.Task[None]] = []

        async def ask_to_stop() -> None:
            asked.append(asyncio.create_task(plans.stop(plan, "anna")))
            for _ in range(1000):
                if await is_asked_to_stop(store):
                    break
                await asyncio.sleep(0.01)

        def stop(_name: str) -> None:
            first.meanwhile = first.meanwhile or asyncio.create_task(ask_to_stop())

        first.on_sent = stop
        await plans.approve(plan, "anna")
        await plans.start(plan, "anna")
        view = await settled(plans, plan)
        await asyncio.gather(*asked)
        assert view.state is PlanState.STOPPED
        sent = [len(one.sent) for one in network.cameras.values()]
        assert sent == [1, 0, 0]


async def test_a_proof_that_fails_is_told_and_costs_the_change_nothing(store: Store, network: Network) -> None:
    def fails() -> str:
        raise Invalid("the catalogue cannot be read")

    network.proof = fails
    async with network.service(store) as plans:
        plan = await applied(plans, network)
        assert (await plans.get(plan)).state is PlanState.DONE
        assert {one.proof for one in await plans.cameras(plan)} == {
            "it could not be assessed again: the catalogue cannot be read"
        }


BAD: Mapping[str, tuple[Callable[[Sequence[str]], list[str]], type[Exception]]] = {
    "no camera": (lambda _rows: [], Invalid),
    "an unknown camera": (lambda rows: [rows[0], "nobody"], NotFound),
}


@pytest.mark.parametrize(("chosen", "error"), BAD.values(), ids=BAD)
async def test_a_plan_for_nothing_is_none(
    store: Store, network: Network, chosen: Callable[[Sequence[str]], list[str]], error: type[Exception]
) -> None:
    async with network.service(store) as plans:
        with pytest.raises(error):
            await plans.create(QUIET, chosen(list(network.cameras)), "anna")
        assert await plans.recent() == []
        with pytest.raises(NotFound):
            await plans.approve(PlanId("nobody"), "anna")


# --- restarts ---


@asynccontextmanager
async def another_process(settings: Settings, clock: Clock, network: Network) -> AsyncIterator[Plans]:
    locks = settings.home / "locks"
    async with await open_store(settings, clock) as store, network.service(store, locks=locks) as plans:
        yield plans


@asynccontextmanager
async def a_process_that_dies(settings: Settings, store: Store, network: Network) -> AsyncIterator[Plans]:
    """Nothing of it goes on after the block, and nothing is put right behind it."""
    queue = Queue(store)
    plans = network.service(store, queue=queue)
    async with plans, LocalDesk(queue, plans.kinds, folder=settings.home / "locks").attended() as desk:
        runner = await Runner(desk, plans.kinds).__aenter__()
        yield plans
        tasks = list(filter(None, [runner._loop, *runner._steps]))  # noqa: SLF001 - how it dies
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _kill_at(network: Network, calls: int) -> asyncio.Event:
    """At this call of any camera, whichever it is, the process comes no further, and is to be killed."""
    left, died = [calls], asyncio.Event()
    for one in network.cameras.values():
        _arm(one, left, died)
    return died


def _arm(one: PretendCamera, left: list[int], died: asyncio.Event) -> None:
    honest = one.open

    @asynccontextmanager
    async def opened(place: Place) -> AsyncIterator[object]:
        left[0] -= 1
        if left[0] == 0:
            died.set()
            await asyncio.Event().wait()
        async with honest(place) as driver:
            yield driver

    one.open = opened  # type: ignore[method-assign, assignment] # the process dies here


async def test_killed_at_any_connection_a_new_process_ends_it_the_same(
    store: Store, settings: Settings, clock: Clock
) -> None:
    rows = await stored(store, 1)
    for calls in range(1, 60):
        network = Network({row: PretendCamera() for row in rows})
        async with a_process_that_dies(settings, store, network) as plans:
            plan = await observed(plans, network, EVERYTHING)
            await plans.approve(plan, "anna")
            died = _kill_at(network, calls)
            await plans.start(plan, "anna")
            waits = [asyncio.create_task(died.wait()), asyncio.create_task(settled(plans, plan))]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        (one,) = network.cameras.values()
        del one.open  # honest again
        async with another_process(settings, clock, network) as plans:
            view = await settled(plans, plan)
            assert view.state is PlanState.DONE, f"killed at connection {calls}"
        assert one.sent.count("https") == one.sent.count("http") == 1
        assert one.world.services == {"HTTP": False, "HTTPS": True, "RTSP": True}
        if not died.is_set():
            return
    pytest.fail("applying ten settings never ended")


async def test_a_service_that_goes_down_leaves_its_work_to_the_next(
    store: Store, settings: Settings, clock: Clock, network: Network
) -> None:
    going = asyncio.Event()

    async def never(_seconds: float) -> None:
        going.set()
        await asyncio.Event().wait()

    first = next(iter(network.cameras.values()))

    def restarts(_name: str) -> None:
        first.silent_for = 1

    first.on_sent = restarts
    slow = QUICKLY.__class__(tries=3, door_tries=2, pause_s=0, sleep=never)
    async with network.service(store, patience=slow) as plans:
        plan = await observed(plans, network)
        await plans.approve(plan, "anna")
        await plans.start(plan, "anna")
        await going.wait()
    first.on_sent = lambda _name: None
    async with another_process(settings, clock, network) as plans:
        assert (await settled(plans, plan)).state is PlanState.DONE
    assert first.sent == ["discovery", "telnet"]


async def test_a_service_that_is_stopped_lets_the_step_that_is_under_way_come_to_its_end(
    store: Store, settings: Settings, clock: Clock, network: Network
) -> None:
    """What would come after it is the next process's, as is every camera that was not begun."""
    sent = asyncio.Event()
    first = next(iter(network.cameras.values()))
    first.on_sent = lambda _name: sent.set()

    plans = await network.service(store, closing_s=30, cameras_at_once=1).__aenter__()
    plan = await observed(plans, network)
    await plans.approve(plan, "anna")
    await plans.start(plan, "anna")
    await sent.wait()
    await plans.__aexit__(None, None, None)
    states_now = [one.state for one in await plans.cameras(plan)]
    assert [len(one.sent) for one in network.cameras.values()] == [1, 0, 0]
    assert states((await plans.cameras(plan))[0])["discovery-mode"] is StepState.DONE
    assert states_now == [CameraState.APPLYING, CameraState.WAITING, CameraState.WAITING]
    assert (await plans.get(plan)).state is PlanState.APPLYING
    async with another_process(settings, clock, network) as again:
        assert (await settled(again, plan)).state is PlanState.DONE
    assert first.sent == ["discovery", "telnet"]


async def test_a_draft_and_an_undo_go_on_too(store: Store, settings: Settings, clock: Clock, network: Network) -> None:
    async with network.service(store) as plans:
        draft = await plans.create(QUIET, list(network.cameras), "anna")
    async with another_process(settings, clock, network) as plans:
        assert (await settled(plans, draft)).state is PlanState.AWAITING_APPROVAL
        await plans.approve(draft, "anna")
        await plans.start(draft, "anna")
        await settled(plans, draft)
        await plans.undo(draft, "anna")
    async with another_process(settings, clock, network) as plans:
        assert (await settled(plans, draft)).state is PlanState.UNDONE
    assert [one.world for one in network.cameras.values()] == [World()] * 3


async def test_an_undo_that_a_camera_was_away_for_can_be_asked_for_again(store: Store, network: Network) -> None:
    first = next(iter(network.cameras.values()))
    async with network.service(store) as plans:
        plan = await applied(plans, network)
        first.silent = True
        await plans.undo(plan, "anna")
        assert (await settled(plans, plan)).state is PlanState.FAILED
        first.silent = False
        await plans.undo(plan, "anna")
        assert (await settled(plans, plan)).state is PlanState.UNDONE
    assert [one.world for one in network.cameras.values()] == [World()] * 3


async def test_a_fault_of_ours_ends_the_plan_and_it_can_still_be_undone(store: Store, network: Network) -> None:
    first = next(iter(network.cameras.values()))

    def breaks(_name: str) -> None:
        raise ZeroDivisionError

    first.on_sent = breaks
    async with network.service(store) as plans:
        plan = await applied(plans, network)
        view = await plans.get(plan)
        assert (view.state, view.error) == (PlanState.FAILED, "a fault of ours (ZeroDivisionError); see the log")
        first.on_sent = lambda _name: None
        await plans.undo(plan, "anna")
        assert (await settled(plans, plan)).state is PlanState.UNDONE
    assert first.world == World()


# --- the table ---


@pytest.mark.parametrize(("state", "event"), list(product(PlanState, PlanEvent)))
def test_what_is_not_in_the_table_does_not_happen(state: PlanState, event: PlanEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert after(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(Invalid, match=f"a plan that is {state} cannot be"):
            after(state, event)


def test_every_state_is_reached_and_every_event_used() -> None:
    assert {*PlanState} - set(TRANSITIONS.values()) == set()
    assert {event for _, event in TRANSITIONS} == {*PlanEvent}
    assert {*PlanState} - {state for state, _ in TRANSITIONS} == {PlanState.UNDONE}
