"""Changes of passwords as jobs: what orders, deaths and other work do to them, before anything is sent and after."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from cameras.driver import Driver
from cameras.opening import open_camera, password_works
from cameras.secret import Secret
from fleet import leases, sites
from fleet.errors import Busy, VaultUnavailable
from fleet.jobs import outcomes
from fleet.jobs import runner as job_runner
from fleet.jobs.alone import running
from fleet.jobs.model import Asked, Job, JobId, Next, Priority, Turn
from fleet.jobs.outcomes import MOST_LOSSES
from fleet.jobs.queue import JobFilter, Queue
from fleet.jobs.states import JobState
from fleet.rotations import rows as rotation_rows
from fleet.rotations import runner
from fleet.rotations.rows import OpenRow
from fleet.rotations.runner import RotationId, Rotations
from fleet.sites import Site
from fleet.vault.passwords import PasswordState, Vault
from hardening.passwords import State
from simulator import device
from simulator.plan import Account
from tests.fleet.rotating import QUICK, Scene, Step, follow, killed_at, resumed, rotated, scene


def name_of(here: Scene) -> str:
    assert here.camera.plan.login
    return here.camera.plan.login.name


@dataclass
class AtWork:
    """Rotations and the runner of their jobs, as the service opens them. `turns` are the calls of their function."""

    rotations: Rotations
    queue: Queue
    turns: list[Turn] = field(default_factory=list)
    on_end: Callable[[], Awaitable[None]] | None = None

    async def begun(self, here: Scene, account: str | None = None) -> tuple[RotationId, Job]:
        rotation = await self.rotations.start([here.camera_id], account, "anna")
        job = await self.queue.of_work(rotation_rows.work_of(rotation))
        assert job
        return rotation, job

    async def heard(self, asked: Asked) -> None:
        """Until the function knows what is wanted of its job."""
        while self.turns[-1].asked is not asked:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)


@asynccontextmanager
async def at_work(here: Scene, step: Step = lambda _row, _name: None) -> AsyncIterator[AtWork]:
    queue = Queue(here.store)
    async with here.rotations(step, queue) as rotations:
        found, change = AtWork(rotations, queue), rotations.kind.step

        async def noted(turn: Turn) -> Next:
            found.turns.append(turn)
            said = await change(turn)
            if found.on_end:
                await found.on_end()
            return said

        async with running(queue, [replace(rotations.kind, step=noted)], folder=here.locks):
            yield found


@dataclass
class Door:
    """Whoever wants through has `reached` it, and waits until it is `open`."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def passed(self) -> None:
        self.reached.set()
        await self.open.wait()


def before_the_look(monkeypatch: pytest.MonkeyPatch) -> Door:
    """Between the first word to a camera and what is sent to it."""
    door = Door()

    def opened(*where: Any) -> AbstractAsyncContextManager[Driver]:  # noqa: ANN401 - as `open_camera`
        @asynccontextmanager
        async def waiting() -> AsyncIterator[Driver]:
            await door.passed()
            async with open_camera(*where) as driver:
                yield driver

        return waiting()

    monkeypatch.setattr(runner, "open_camera", opened)
    return door


def before_the_proof(monkeypatch: pytest.MonkeyPatch) -> Door:
    """When the camera may have either password."""
    door = Door()

    async def works(*what: Any) -> bool:  # noqa: ANN401 - as `password_works`
        await door.passed()
        return await password_works(*what)

    monkeypatch.setattr(runner, "password_works", works)
    return door


async def test_a_job_stands_for_each_camera_with_its_site_and_who_asked(tmp_path: Path) -> None:
    async with scene(tmp_path / "home", cameras=2) as here, at_work(here) as work:
        await sites.put(here.store, Site("yard", (f"{here.camera.plan.address}/32",)), "anna")
        rotation = await work.rotations.start(list(here.ids.values()), None, "anna")
        jobs = (await work.queue.listed(JobFilter(work=rotation_rows.work_of(rotation)))).items
        assert {job.camera: job.site for job in jobs} == {**dict.fromkeys(here.ids.values()), here.camera_id: "yard"}
        assert {(job.actor, job.priority) for job in jobs} == {("anna", Priority.ASKED)}
        await follow(work.rotations, rotation)
        jobs = (await work.queue.listed(JobFilter(work=rotation_rows.work_of(rotation)))).items
    assert {(job.state, job.result) for job in jobs} == {
        (JobState.DONE, "the new password works everywhere and the old one is refused")
    }


async def test_a_password_that_stays_as_it_was_is_a_job_that_failed(tmp_path: Path) -> None:
    async with scene(tmp_path / "home", "password-ignored") as here, at_work(here) as work:
        rotation, job = await work.begun(here)
        end = await follow(work.rotations, rotation)
        job = await work.queue.get(job.id)
    assert (end.state, job.state, job.reason) == (State.UNDONE, JobState.FAILED, end.detail)
    assert "kept the old one" in job.reason


# --- orders ---


async def test_cancelled_before_it_began_nothing_is_sent(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here, at_work(here) as work:
        async with leases.hold(here.store, here.camera_id, "plan:1"):
            rotation, job = await work.begun(here)
            await work.queue.cancel(job.id, "berta")
        end = await follow(work.rotations, rotation)
        assert (end.state, end.detail) == (State.UNDONE, "nothing was sent: cancelled by berta")
        assert (work.turns, here.camera.password_requests) == ([], 0)
        assert (await rotated(work.rotations, here.camera_id)).state is State.CURRENT, "nothing stands in the way"


async def test_cancelled_while_it_runs_but_before_anything_was_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = before_the_look(monkeypatch)
    async with scene(tmp_path / "home") as here, at_work(here) as work:
        rotation, job = await work.begun(here)
        await door.reached.wait()
        await work.queue.cancel(job.id, "berta")
        await work.heard(Asked.CANCEL)
        door.open.set()
        end = await follow(work.rotations, rotation)
        assert (end.state, end.detail) == (State.UNDONE, "nothing was sent: it was cancelled")
        assert (await work.queue.get(job.id)).state is JobState.CANCELLED
        assert (here.camera.password_requests, here.wrong_tries(name_of(here))) == (0, 0)
        assert await leases.holder_of(here.store, here.camera_id) is None
        assert (await rotated(work.rotations, here.camera_id)).state is State.CURRENT


# What is asked for, how, and what becomes of a job to which that happens.
ORDERS = {
    "cancelled": (Queue.cancel, Asked.CANCEL, JobState.CANCELLED),
    "paused": (Queue.pause, Asked.PAUSE, JobState.PAUSED),
}
Order = Callable[[Queue, JobId, str], Awaitable[Job]]


@pytest.mark.parametrize(("order", "asked", "_"), ORDERS.values(), ids=ORDERS)
async def test_what_has_begun_comes_to_its_end_whatever_is_asked(
    order: Order, asked: Asked, _: JobState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = before_the_proof(monkeypatch)
    async with scene(tmp_path / "home") as here, at_work(here) as work:
        rotation, job = await work.begun(here)
        await door.reached.wait()
        await order(work.queue, job.id, "berta")
        await work.heard(asked)
        door.open.set()
        end = await follow(work.rotations, rotation)
        assert (end.state, (await work.queue.get(job.id)).state) == (State.CURRENT, JobState.DONE), end.detail
    assert (len(work.turns), here.wrong_tries(name_of(here))) == (1, 1)


async def test_paused_before_anything_was_sent_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    door = before_the_look(monkeypatch)
    async with scene(tmp_path / "home") as here, at_work(here) as work:
        rotation, job = await work.begun(here)
        await door.reached.wait()
        await work.queue.pause(job.id, "berta")
        await work.heard(Asked.PAUSE)
        door.open.set()
        assert (await follow(work.rotations, rotation)).state is State.PLANNED, "nobody waits for one that is paused"
        assert (await work.queue.get(job.id)).state is JobState.PAUSED
        assert await leases.holder_of(here.store, here.camera_id) is None
        with pytest.raises(Busy, match="being changed already"):
            await work.rotations.start([here.camera_id], None, "anna")
        await work.queue.resume(job.id, "berta")
        assert (await follow(work.rotations, rotation)).state is State.CURRENT
        assert (await work.queue.get(job.id)).state is JobState.DONE
    assert (here.camera.password_requests, here.wrong_tries(name_of(here))) == (1, 1)


@pytest.mark.parametrize(("order", "_", "becomes"), ORDERS.values(), ids=ORDERS)
async def test_what_is_stopped_in_the_middle_with_an_order_to_it_goes_on_in_the_next_process(
    order: Order, _: Asked, becomes: JobState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path / "home") as here:
        rotation, job = await stopped_in_the_middle(here, monkeypatch, order)
        assert (await Queue(here.store).get(job)).state is becomes
        async with at_work(here) as work:
            assert (await follow(work.rotations, rotation)).state is State.CURRENT
    assert (here.camera.password_requests, here.wrong_tries(name_of(here))) == (1, 1)


async def stopped_in_the_middle(
    here: Scene, monkeypatch: pytest.MonkeyPatch, order: Order | None = None
) -> tuple[RotationId, JobId]:
    door = before_the_proof(monkeypatch)
    async with at_work(here) as work:
        rotation, job = await work.begun(here)
        await door.reached.wait()
        if order:
            await order(work.queue, job.id, "berta")
        asyncio.get_running_loop().call_later(0.2, door.open.set)
    async with here.store.read() as connection:
        (row,) = await rotation_rows.unfinished(connection)
    assert row.state is State.PROVING
    return rotation, job.id


async def test_cancelled_while_it_waits_in_the_middle_another_job_brings_it_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path / "home") as here:
        rotation, job = await stopped_in_the_middle(here, monkeypatch)
        queue = Queue(here.store)
        async with here.rotations(queue=queue) as rotations:
            queue.know([rotations.kind])
            assert (await queue.cancel(job, "berta")).state is JobState.CANCELLED
            again = await queue.of_work(rotation_rows.work_of(rotation))
        assert again
        assert (again.id != job, again.state) == (True, JobState.QUEUED)
        assert (await resumed(here)).state is State.CURRENT


@pytest.mark.parametrize("at", ["planned: next is Look", "sealed: kept", "proving: kept"])
@pytest.mark.parametrize("order", [order for order, *_ in ORDERS.values()], ids=ORDERS)
async def test_an_order_to_what_a_killed_process_left_is_heeded_only_where_nothing_was_sent(
    order: Order, at: str, tmp_path: Path
) -> None:
    async with scene(tmp_path / "home") as here:
        assert (await killed_at(here, at)).name
        queue = Queue(here.store)
        (job,) = (await queue.listed(JobFilter(kind="rotation"))).items
        await order(queue, job.id, "berta")
        end = await resumed(here)
        sent = at == "proving: kept"
        if order is Queue.cancel or sent:
            assert end.state is (State.CURRENT if sent else State.UNDONE), end.detail
        else:
            assert (not end.state.resting, (await queue.get(job.id)).state) == (True, JobState.PAUSED)
        assert here.camera.password_requests == sent


async def test_a_reconcile_waits_for_the_job_that_ended_unclear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the row would go on with a job that is just over."""
    monkeypatch.setattr(device, "TRUNCATED_AT", 8)
    async with scene(tmp_path / "home", "password-truncated") as here, at_work(here) as work:
        door = Door()
        work.on_end = door.passed
        rotation, _ = await work.begun(here)
        await door.reached.wait()
        assert (await work.rotations.get(rotation)).states == {State.UNCLEAR: 1}
        assert await work.rotations.reconcile([here.camera_id], "berta") == []
        door.open.set()
        await follow(work.rotations, rotation)
        assert await work.rotations.reconcile([here.camera_id], "berta") == [rotation]
        assert (await follow(work.rotations, rotation)).state is State.UNCLEAR
        jobs = (await work.queue.listed(JobFilter(kind="rotation"))).items
    assert [(job.actor, job.state) for job in jobs] == [("berta", JobState.FAILED), ("anna", JobState.FAILED)]


# --- what is left behind ---


async def test_a_process_that_is_killed_in_the_middle_is_followed_at_once(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here:
        assert (await killed_at(here, "sending: said yes")).name
        assert await leases.holder_of(here.store, here.camera_id) is not None
        async with asyncio.timeout(10):  # no lease has to run out
            assert (await resumed(here)).state is State.CURRENT
        assert await leases.holder_of(here.store, here.camera_id) is None


async def test_rows_of_an_earlier_version_are_given_jobs(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here:
        async with here.store.write() as connection:
            await rotation_rows.add(connection, here.store, "anna", {here.camera_id: name_of(here)})
        assert (await resumed(here)).state is State.CURRENT


async def test_a_cancelled_job_of_which_nobody_was_told_is_not_begun_anew(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here:
        queue = Queue(here.store)
        async with here.rotations(queue=queue) as rotations:
            rotation = await rotations.start([here.camera_id], None, "anna")
            job = await queue.of_work(rotation_rows.work_of(rotation))
            assert job
            await Queue(here.store).cancel(job.id, "berta")  # as if the process had ended behind it
        end = await resumed(here)
        assert (end.state, end.detail) == (State.UNDONE, "nothing was sent: cancelled by berta")
        assert here.camera.password_requests == 0


@pytest.mark.parametrize("at", ["planned: next is Look", "proving: next is Try"])
async def test_what_ends_every_process_is_given_up_only_where_nothing_was_sent(tmp_path: Path, at: str) -> None:
    async with scene(tmp_path / "home") as here:
        assert (await killed_at(here, at)).name
        for _ in range(MOST_LOSSES - 1):
            assert (await killed_at(here, at, goes_on=True)).name
        end = await resumed(here)
        if at.startswith("planned"):
            assert end.state is State.UNDONE
            assert end.detail == f"nothing was sent: {MOST_LOSSES} processes ended while they were at it"
        else:
            assert (end.state, end.wrong_tries) == (State.CURRENT, 1), end.detail


async def test_who_is_told_of_a_new_password_is_told_again_where_the_process_ended_before(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []

    async def changed(camera: str, account: str) -> None:
        told.append((camera, account))

    async with scene(tmp_path / "home") as here:
        assert (await killed_at(here, "current: kept")).name
        async with Rotations(here.store, here.vault, here.settings, patience=QUICK, changed=changed) as rotations:
            await follow(rotations, (await rotations.recent())[0].id)
        assert told == [(here.camera_id, name_of(here))]


async def test_a_vault_that_does_not_open_in_the_middle_is_tried_again_until_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "FIRST_WAIT", timedelta(milliseconds=5))
    monkeypatch.setattr(job_runner, "LOOK_EVERY_S", 0.05)
    left, opened = 7, Vault.version

    async def version(vault: Vault, camera: str, account: str, number: int) -> Secret:
        nonlocal left
        left -= 1
        if left >= 0:
            raise VaultUnavailable("the key is not there")
        return await opened(vault, camera, account, number)

    async with scene(tmp_path / "home") as here:
        assert (await killed_at(here, "proving: kept")).name
        with monkeypatch.context() as patched:
            patched.setattr(Vault, "version", version)
            assert (await resumed(here)).state is State.CURRENT
        assert left < 0
        assert here.wrong_tries(name_of(here)) == 1


async def test_a_vault_that_does_not_open_before_anything_was_sent_is_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def version(*_: object) -> Secret:
        raise VaultUnavailable("the key is not there")

    async with scene(tmp_path / "home") as here:
        assert (await killed_at(here, "sealed: kept")).name
        with monkeypatch.context() as patched:
            patched.setattr(Vault, "version", version)
            end = await resumed(here)
        assert (end.state, end.detail) == (State.UNDONE, "nothing was sent: the key is not there")
        assert [record.state for record in await here.vault.history(here.camera_id)] == [
            PasswordState.ABANDONED,
            PasswordState.CURRENT,
        ]


# --- one writer ---


async def test_two_rotations_and_other_work_on_one_camera_never_overlap(tmp_path: Path) -> None:
    """Two accounts of it, in two processes, beside work that holds it again and again."""
    async with scene(tmp_path / "home") as here:
        plan = here.camera.plan
        here.camera.become(replace(plan, accounts=(*plan.accounts, Account("guard", "Guard-pass-1", "User"))))
        await here.vault.put(here.camera_id, "guard", Secret("Guard-pass-1"), "anna")
        steps: list[str] = []

        async def others() -> None:
            while steps.count("plan") < 40:
                with suppress(Busy):
                    async with leases.hold(here.store, here.camera_id, "plan:1"):
                        steps.append("plan")
                        await asyncio.sleep(0.05)
                        steps.append("plan")
                await asyncio.sleep(0.02)

        def step(row: OpenRow, _name: str) -> None:
            steps.append(row.account)

        async with here.rotations(step) as one, here.rotations(step) as two:
            other = asyncio.create_task(others())
            guard = await one.start([here.camera_id], "guard", "anna")
            ours = await two.start([here.camera_id], None, "anna")
            ends = [await follow(two, guard), await follow(one, ours)]
            await other
        assert [end.state for end in ends] == [State.CURRENT, State.CURRENT]
        turns = [name for name, _ in groupby(steps)]
        assert [name for name in turns if name != "plan"] == ["guard", name_of(here)], turns
