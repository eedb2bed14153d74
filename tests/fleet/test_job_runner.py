"""The runner: it calls the function of each job, keeps what it runs, and stops without losing anything."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.contextvars import get_contextvars

from fleet.errors import Invalid, StoreUnavailable
from fleet.jobs import alone
from fleet.jobs import runner as job_runner
from fleet.jobs.desk import LocalDesk
from fleet.jobs.model import (
    Again,
    Asked,
    Done,
    Failed,
    Job,
    JobId,
    Kind,
    NewJob,
    Next,
    Progress,
    PutBack,
    Report,
    Stopped,
    Turn,
)
from fleet.jobs.queue import JobFilter, Queue
from fleet.jobs.runner import Runner
from fleet.jobs.states import JobState
from fleet.store import Store
from fleet.store.outages import outlasts
from tests.fleet.jobs_samples import Script, Steady, asked_for, running


@pytest.fixture
def queue(store: Store) -> Queue:
    return Queue(store)


ENDS: dict[str, tuple[list[Next | Exception], JobState, str]] = {
    "at once": ([Done("found 3")], JobState.DONE, "found 3"),
    "in three steps": ([Again(), Again(), Done("found 3")], JobState.DONE, "found 3"),
    "it cannot": ([Failed("no answer", final=True)], JobState.FAILED, "no answer"),
    "an error of ours": ([Invalid("write something else")], JobState.FAILED, "write something else"),
    "a fault of ours": ([ValueError("hunter2")], JobState.FAILED, "a fault of ours (ValueError); see the log"),
}


@pytest.mark.parametrize(("says", "state", "words"), ENDS.values(), ids=ENDS)
async def test_a_job_comes_to_its_end(queue: Queue, says: list[Next | Exception], state: JobState, words: str) -> None:
    script = Script(*says)
    async with running(queue, Kind("look", script, most_tries=1)):
        (job,) = await asked_for(queue, 1)
        found = await queue.ended(job)
    assert (found.state, found.result or found.reason, len(script.called)) == (state, words, len(says))


async def test_many_jobs_run_side_by_side_and_each_once(queue: Queue) -> None:
    script = Script()
    async with running(queue, Kind("look", script, at_once=7)):
        jobs = await asked_for(queue, 100)
        for job in jobs:
            await queue.ended(job)
    assert sorted(script.called) == sorted(jobs)
    assert script.most_at_once <= 7


async def test_going_down_lets_steps_end_and_begins_no_other(queue: Queue) -> None:
    script = Script(gate=asyncio.Semaphore(0))
    async with running(queue, Kind("look", script, at_once=1)):
        first, second = await asked_for(queue, 2)
        await script.begun.wait()
        asyncio.get_running_loop().call_later(0.05, script.gate.release)
    assert ((await queue.get(first)).state, (await queue.get(second)).state) == (JobState.DONE, JobState.QUEUED)


async def test_going_down_cuts_off_what_may_be_and_the_next_process_begins_it_anew(queue: Queue) -> None:
    script = Script(gate=asyncio.Semaphore(0))
    async with running(queue, Kind("look", script, cut_short=True)):
        (job,) = await asked_for(queue, 1)
        await script.begun.wait()
    assert (await queue.get(job)).state is JobState.QUEUED
    script.gate.release()
    async with running(queue, Kind("look", script, cut_short=True)):
        assert (await queue.ended(job)).state is JobState.DONE
    assert script.called == [job, job]


async def test_a_hurry_cuts_off_no_step(queue: Queue) -> None:
    script = Script(gate=asyncio.Semaphore(0))
    async with running(queue, Kind("look", script, cut_short=True)):
        (job,) = await asked_for(queue, 1, work="round:1")
        await script.begun.wait()
        async with queue.store.write() as connection:
            assert await queue.hurry_in(connection, "round:1")
        await asyncio.sleep(3 * job_runner.RENEW_EVERY_S)
        assert script.called == [job]
        script.gate.release()
        script.gate.release()
        assert (await queue.ended(job)).state is JobState.DONE
    assert script.called == [job, job]


async def test_a_long_step_hears_that_the_service_stops(queue: Queue) -> None:
    begun = asyncio.Event()

    async def long(turn: Turn) -> Next:
        begun.set()
        await turn.stopping.wait()
        return PutBack()

    async with running(queue, Kind("look", long)):
        (job,) = await asked_for(queue, 1)
        await begun.wait()
    assert (await queue.get(job)).state is JobState.QUEUED


@pytest.mark.parametrize(("order", "state"), [("cancel", JobState.CANCELLED), ("pause", JobState.PAUSED)])
async def test_what_is_asked_happens_between_two_steps(queue: Queue, order: str, state: JobState) -> None:
    script = Script(Again(), gate=asyncio.Semaphore(0))
    async with running(queue, Kind("look", script)):
        (job,) = await asked_for(queue, 1)
        await script.begun.wait()
        await getattr(queue, order)(job, "ana")
        assert (await queue.get(job)).state is JobState.RUNNING
        script.gate.release()
        while (await queue.get(job)).state is JobState.RUNNING:  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.01)
    assert (await queue.get(job)).state is state
    assert script.called == [job]


async def test_a_long_step_hears_what_is_asked_and_tells_where_it_is(queue: Queue) -> None:
    async def step(turn: Turn) -> Next:
        turn.say(Progress(3, 9, "the third"))
        while turn.asked is Asked.NOTHING:  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.01)
        return Stopped("after the third")

    async with running(queue, Kind("look", step)):
        (job,) = await asked_for(queue, 1)
        async for now in queue.events(job):
            if now.progress.done == 3:
                break
        await queue.cancel(job, "ana")
        found = await queue.ended(job)
    assert (found.state, found.progress) == (JobState.CANCELLED, Progress(3, 9, "the third"))


class Faltering(LocalDesk):
    """Cannot reach its store for some time."""

    away = False

    async def report(self, reports: Sequence[Report]) -> None:
        if self.away:
            raise StoreUnavailable("the disk is full")
        await super().report(reports)

    async def renew(self, jobs: Sequence[JobId]) -> Mapping[JobId, Asked]:
        if self.away:
            raise StoreUnavailable("the disk is full")
        return await super().renew(jobs)


async def test_what_could_not_be_handed_in_is_handed_in_later(queue: Queue, caplog: pytest.LogCaptureFixture) -> None:
    script = Script(gate=asyncio.Semaphore(0))
    kind = Kind("look", script)
    desk = Faltering(queue, [kind])
    async with Runner(desk, [kind]):
        (job,) = await asked_for(queue, 1)
        await script.begun.wait()
        desk.away = True
        script.gate.release()
        while "cannot go on" not in caplog.text:  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.01)
        desk.away = False
        desk.wake()
        assert (await queue.ended(job)).state is JobState.DONE
    assert script.called == [job]


@pytest.mark.parametrize("changes_camera", [True, False], ids=["it changes a camera", "it only looks"])
async def test_whose_lease_cannot_be_renewed(
    queue: Queue, caplog: pytest.LogCaptureFixture, *, changes_camera: bool
) -> None:
    """Whoever changes a camera stops before another begins, and the job is not lost; a look goes on to its end."""
    script, steady = Script(gate=asyncio.Semaphore(0)), Steady()
    kind = Kind("look", script, changes_camera=changes_camera)
    desk = Faltering(queue, [kind], steady=steady)
    async with Runner(desk, [kind], steady=steady):
        (job,) = await asked_for(queue, 1)
        await script.begun.wait()
        desk.away = True
        steady.at += 61
        while script.at_once if changes_camera else "cannot go on" not in caplog.text:
            desk.wake()
            await asyncio.sleep(0.01)
        assert (await queue.get(job)).state is JobState.RUNNING, "nobody took it"
        desk.away = False
        script.gate.release()
        desk.wake()
        assert (await queue.ended(job)).state is JobState.DONE
    assert script.called == [job] * (2 if changes_camera else 1)
    assert [line.event for line in await queue.history(job)] == ["finish", *(["put-back"] * changes_camera)]


class Far:
    """A desk without a store, as an agent's over the network."""

    def __init__(self, *jobs: Job) -> None:
        self.jobs, self.reports = list(jobs), list[Report]()
        self._bell = asyncio.Event()

    async def claim(self, room: int) -> Sequence[Job]:
        found, self.jobs = self.jobs[:room], self.jobs[room:]
        return found

    async def renew(self, jobs: Sequence[JobId]) -> Mapping[JobId, Asked]:
        return dict.fromkeys(jobs, Asked.NOTHING)

    async def report(self, reports: Sequence[Report]) -> None:
        self.reports += reports

    async def heard(self, at_most_s: float) -> None:  # noqa: ARG002
        await self._bell.wait()
        self._bell.clear()

    def wake(self) -> None:
        self._bell.set()


async def test_a_runner_needs_a_desk_and_no_store(queue: Queue) -> None:
    await asked_for(queue, 1)
    (job,) = (await queue.listed(JobFilter())).items
    far, script = Far(job, replace(job, id=JobId("another"))), Script()
    async with Runner(far, [Kind("look", script)], at_once=1):
        while len(far.reports) < 2:  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.01)
    assert [report.job for report in far.reports] == [job.id, "another"]


async def test_two_controllers_share_the_work(queue: Queue, tmp_path: Path) -> None:
    first, second = Script(), Script()
    jobs = await asked_for(queue, 60)
    one, two = Kind("look", first, at_once=4), Kind("look", second, at_once=4)
    async with running(queue, one, folder=tmp_path), running(queue, two, folder=tmp_path):
        for job in jobs:
            await queue.ended(job)
    assert sorted(first.called + second.called) == sorted(jobs)


async def test_a_step_waits_for_a_database_that_is_gone_and_its_lines_in_the_log_name_its_job(queue: Queue) -> None:
    found: list[tuple[bool, dict[str, object]]] = []

    async def look(_turn: Turn) -> Next:
        found.append((outlasts(), get_contextvars()))
        return Done()

    async with alone.running(queue, [Kind("look", look)]) as runner:
        assert runner.goes_on()
        job = await queue.enqueue(NewJob("look", "ana", camera="cam-1", work="watch:7"))
        await queue.ended(job)
    assert found == [(True, {"job": job, "kind": "look", "camera": "cam-1", "watch": "7"})]
    assert (runner.goes_on(), outlasts(), get_contextvars()) == (False, False, {})
