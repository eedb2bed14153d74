"""The queue: what is asked for, who gets what, and what becomes of it."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise, product
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from fleet import leases, sites
from fleet.audit.views import Wanted, entries
from fleet.errors import Busy, Invalid, NotFound
from fleet.jobs import outcomes
from fleet.jobs.model import (
    Again,
    Asked,
    Done,
    Failed,
    Job,
    JobId,
    NewJob,
    Next,
    Priority,
    Progress,
    PutBack,
    Report,
    Stopped,
)
from fleet.jobs.places import Limits
from fleet.jobs.queue import JobFilter, Queue
from fleet.jobs.states import TRANSITIONS, JobState, Move, after, diagram
from fleet.people.scope import EVERYWHERE, Scope
from fleet.sites import Site
from fleet.store import Store
from fleet.store import jobs_tables as t
from tests.fleet.jobs_samples import CHANGE, LOOK, Steady, asked_for, cameras, desk, hold, ids
from tests.fleet.samples import Clock

ROOT = Path(__file__).parents[2]


@pytest.fixture
def queue(store: Store) -> Queue:
    return Queue(store)


# --- states ---

# What brings a fresh job there.
PATHS: dict[JobState, tuple[Move, ...]] = {
    JobState.QUEUED: (),
    JobState.WAITING: (Move.CLAIM, Move.AGAIN),
    JobState.RUNNING: (Move.CLAIM,),
    JobState.PAUSED: (Move.PAUSE,),
    JobState.DONE: (Move.CLAIM, Move.FINISH),
    JobState.FAILED: (Move.CLAIM, Move.FAIL),
    JobState.CANCELLED: (Move.CANCEL,),
}
SAID: dict[Move, Next] = {
    Move.FINISH: Done(),
    Move.FAIL: Failed("it is broken", final=True),
    Move.RETRY: Failed("not now"),
    Move.AGAIN: Again(),
    Move.PUT_BACK: PutBack(),
}


async def do(queue: Queue, job: JobId, move: Move) -> None:
    """Carry a move out as its owner does: a runner by its desk, a person by an order. Does nothing where it cannot."""
    here = desk(queue)
    if move in SAID:
        async with queue.store.write() as connection:
            mine = update(t.Job).where(t.Job.id == job, t.IS_RUNNING)
            await connection.execute(mine.values(holder=here._me))  # noqa: SLF001 - whoever claimed it is gone
        await here.report([Report(job, SAID[move])])
    elif move in {Move.CLAIM, Move.DUE}:
        await _claimed(queue, job, only_due=move is Move.DUE)
    else:
        order = {Move.PAUSE: queue.pause, Move.RESUME: queue.resume, Move.CANCEL: queue.cancel}
        await order.get(move, queue.run_again)(job, "ana")
        if (await queue.get(job)).asked is not Asked.NOTHING:  # it runs: at the end of its step
            await do(queue, job, Move.PUT_BACK)


async def _claimed(queue: Queue, job: JobId, *, only_due: bool) -> None:
    state = (await queue.get(job)).state
    if only_due is (state is JobState.WAITING):
        found = ids(await desk(queue).claim(1))
        assert (job in found) is (state in {JobState.QUEUED, JobState.WAITING})


async def test_every_move_of_the_table_happens_and_no_other(queue: Queue, store: Store) -> None:
    for state, move in product(JobState, Move):
        (job,) = await asked_for(queue, 1)
        for step in PATHS[state]:
            await do(queue, job, step)
        assert (await queue.get(job)).state is state
        to = after(state, move)
        if move is Move.DUE and to:  # happens in the same breath as the claim
            to = JobState.RUNNING
        try:
            await do(queue, job, move)
        except Invalid:
            assert to is None, (state, move)
        assert (await queue.get(job)).state is (to or state), (state, move)
        async with store.write() as connection:
            await connection.execute(delete(t.Job))


def test_every_state_is_reached_and_every_end_is_known() -> None:
    assert set(TRANSITIONS.values()) == set(JobState)
    assert {state for state, _ in TRANSITIONS} | {JobState.DONE} == set(JobState)
    assert {move for _, move in TRANSITIONS} == set(Move)


def test_the_documents_show_the_diagram_as_it_is() -> None:
    assert diagram() in (ROOT / "docs" / "jobs.md").read_text()


# --- asked for ---


async def test_the_same_key_is_one_job_until_that_is_over(queue: Queue) -> None:
    first, second, other = await queue.enqueue_many(
        [NewJob("look", "ana", key="look:1"), NewJob("look", "ben", key="look:1"), NewJob("look", "ben", key="look:2")]
    )
    assert (first, await queue.enqueue(NewJob("look", "cas", key="look:1"))) == (second, first)
    assert other != first
    await queue.cancel(first, "ana")
    assert await queue.enqueue(NewJob("look", "cas", key="look:1")) != first
    with pytest.raises(Invalid, match="under way already"):
        await queue.run_again(first, "ana")


BAD_PAYLOADS = {"no JSON": {"at": object()}, "a book": {"text": "x" * 9000}}


@pytest.mark.parametrize("payload", BAD_PAYLOADS.values(), ids=BAD_PAYLOADS)
async def test_a_payload_is_small_json(queue: Queue, payload: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        await queue.enqueue(NewJob("look", "ana", payload=payload))
    assert (await queue.listed(JobFilter())).total == 0


async def test_no_such_job(queue: Queue) -> None:
    nothing = JobId("nothing")
    for order in (queue.cancel, queue.pause, queue.resume, queue.run_again):
        with pytest.raises(NotFound):
            await order(nothing, "ana")
    with pytest.raises(NotFound):
        await queue.history(nothing)
    with pytest.raises(NotFound):
        await queue.ended(nothing)


# --- who gets what ---


async def test_the_urgent_come_first_then_the_old_and_nobody_before_their_time(queue: Queue, clock: Clock) -> None:
    late, early = await asked_for(queue, 2, priority=Priority.CLOCK)
    (urgent,) = await asked_for(queue, 1, priority=Priority.ASKED)
    (later,) = await asked_for(queue, 1, not_before=clock() + timedelta(hours=1), priority=Priority.ASKED)
    assert ids(await desk(queue).claim(9)) == [urgent, late, early]
    clock.forward(hours=1)
    (job,) = await desk(queue).claim(9)
    assert (job.id, job.state, job.started_at) == (later, JobState.RUNNING, clock())


LIMITS: dict[str, tuple[Limits, int, list[str | None], int]] = {
    "in all": (Limits(3, 9), 9, ["a"] * 5, 3),
    "of a kind": (Limits(9, 9), 2, ["a"] * 5, 2),
    "at a site, others go on": (Limits(9, 2), 9, ["a", "a", "a", "b", None], 4),
    "of no site there is no limit": (Limits(9, 1), 9, [None] * 4, 4),
    "a full site at the head hides nobody": (Limits(9, 1), 9, [*["a"] * 30, "b"], 2),
}


@pytest.mark.parametrize(("limits", "at_once", "sites", "expected"), LIMITS.values(), ids=LIMITS)
async def test_no_more_run_than_the_limits_allow(
    queue: Queue, limits: Limits, at_once: int, sites: list[str | None], expected: int
) -> None:
    await queue.enqueue_many([NewJob("look", "ana", site=site) for site in sites])
    here = desk(queue, replace(LOOK, at_once=at_once), limits=limits)
    taken = [*await here.claim(1), *await here.claim(50)]
    assert len(taken) == expected
    assert await here.claim(50) == []
    await here.report([Report(taken[0].id, Done())])
    assert len(await here.claim(50)) == min(1, len(sites) - expected)


async def test_one_job_at_a_time_changes_a_camera(queue: Queue, store: Store) -> None:
    first, second = await cameras(store, 2)
    await queue.enqueue_many([NewJob("change", "ana", camera=camera) for camera in (first, first, second)])
    here, other = desk(queue), desk(queue)
    mine = [*await here.claim(9), *await other.claim(9)]
    assert {job.camera for job in mine} == {first, second}
    assert len(mine) == 2
    await queue.enqueue(NewJob("look", "ana", camera=first))
    assert [job.kind for job in await other.claim(9)] == ["look"], "whoever only looks does not wait"
    with pytest.raises(Busy, match="job:"):
        async with leases.hold(store, first, "plan:1"):
            pass
    await here.report([Report(job.id, Done()) for job in mine])
    assert [job.camera for job in await other.claim(9)] == [first]


async def test_a_camera_that_other_work_holds_is_waited_for(queue: Queue, store: Store, clock: Clock) -> None:
    (camera,) = await cameras(store, 1)
    await queue.enqueue(NewJob("change", "ana", camera=camera))
    async with leases.hold(store, camera, "plan:1"):
        assert await desk(queue).claim(9) == []
    await hold(store, camera, "rollout:1", minutes=5)
    assert await desk(queue).claim(9) == []
    clock.forward(minutes=6)
    assert len(await desk(queue).claim(9)) == 1


async def test_a_job_of_a_camera_that_is_gone_fails_and_keeps_nobody_waiting(queue: Queue) -> None:
    gone = await queue.enqueue(NewJob("change", "ana", camera="gone"))
    (other,) = await asked_for(queue, 1)
    assert ids(await desk(queue).claim(9)) == [other]
    assert (await queue.get(gone)).state is JobState.FAILED
    assert [one.event for one in await queue.history(gone)] == ["fail"]


KEEPS_IT: dict[str, tuple[Next, Asked, bool]] = {
    "cut off": (PutBack(), Asked.NOTHING, True),
    "one step of several": (Again(), Asked.NOTHING, True),
    "cut off and cancelled": (PutBack(), Asked.CANCEL, False),
    "paused between two steps": (Again(), Asked.PAUSE, False),
    "failed, and tried again later": (Failed("no"), Asked.NOTHING, False),
    "done": (Done(), Asked.NOTHING, False),
}


@pytest.mark.parametrize(("said", "asked", "kept"), KEEPS_IT.values(), ids=KEEPS_IT)
async def test_what_was_begun_on_a_camera_comes_to_its_end_before_anything_else_begins(
    queue: Queue, store: Store, clock: Clock, said: Next, asked: Asked, *, kept: bool
) -> None:
    (camera,) = await cameras(store, 1)
    first, here = await queue.enqueue(NewJob("change", "ana", camera=camera)), desk(queue)
    await here.claim(1)
    if asked is not Asked.NOTHING:
        await (queue.cancel if asked is Asked.CANCEL else queue.pause)(first, "ana")
    await here.report([Report(first, said)])
    urgent = await queue.enqueue(NewJob("change", "ana", camera=camera, priority=Priority.ASKED))
    clock.forward(hours=1)
    assert await leases.holder_of(store, camera) == (f"job:{first}" if kept else None)
    assert ids(await here.claim(9)) == [first if kept else urgent]


async def test_a_camera_that_a_job_kept_is_free_once_the_job_is_cancelled(queue: Queue, store: Store) -> None:
    (camera,) = await cameras(store, 1)
    first, here = await queue.enqueue(NewJob("change", "ana", camera=camera)), desk(queue)
    await here.claim(1)
    await here.report([Report(first, PutBack())])
    await queue.cancel(first, "ana")
    second = await queue.enqueue(NewJob("change", "ana", camera=camera))
    assert ids(await here.claim(9)) == [second]


# --- leases ---


async def test_whoever_is_not_heard_of_loses_the_job_by_a_steady_clock(queue: Queue) -> None:
    steady = Steady()
    (job,) = await asked_for(queue, 1)
    dead, living = desk(queue, steady=steady), desk(queue, steady=steady)
    await dead.claim(9)
    for _ in range(3):
        assert await living.claim(9) == []
        steady.at += 20
    (again,) = await living.claim(9)
    assert (again.id, again.losses) == (job, 1)
    await dead.report([Report(job, Done("too late"))])
    assert await dead.renew([job]) == {}
    assert (await queue.get(job)).state is JobState.RUNNING
    assert [one.event for one in await queue.history(job)] == ["put-back"]


async def test_whoever_renews_keeps_the_job(queue: Queue) -> None:
    steady = Steady()
    (job,) = await asked_for(queue, 1)
    first, second = desk(queue, steady=steady), desk(queue, steady=steady)
    await first.claim(9)
    for _ in range(9):
        steady.at += 20
        assert await first.renew([job]) == {job: Asked.NOTHING}
        assert await second.claim(9) == []


@pytest.mark.parametrize("hours", [-1, 1], ids=["back", "forward"])
async def test_a_clock_that_jumps_takes_nothing_from_anybody(
    queue: Queue, store: Store, clock: Clock, hours: int
) -> None:
    steady = Steady()
    (camera,) = await cameras(store, 1)
    await queue.enqueue_many([NewJob("change", "ana", camera=camera)] * 2)
    first, second = desk(queue, steady=steady), desk(queue, steady=steady)
    (job,) = await first.claim(9)
    clock.forward(hours=hours)
    for _ in range(9):
        assert await second.claim(9) == []
        with pytest.raises(Busy):
            async with leases.hold(store, camera, "plan:1"):
                pass
        steady.at += 20
        assert job.id in await first.renew([job.id])
    for _ in range(4):  # and then its holder dies
        other = await second.claim(9)
        steady.at += 20
    assert ids(await second.claim(9) or other) == [job.id]


async def test_the_next_process_of_a_home_takes_up_at_once_what_the_dead_one_had(
    queue: Queue, store: Store, tmp_path: Path
) -> None:
    (camera,) = await cameras(store, 1)
    job = await queue.enqueue(NewJob("change", "ana", camera=camera))
    async with desk(queue, folder=tmp_path).attended() as first:
        await first.claim(9)
        async with desk(queue, folder=tmp_path).attended() as second:
            assert await second.claim(9) == [], "the first lives"
    async with desk(queue, folder=tmp_path).attended() as third:
        (again,) = await third.claim(9)
    assert (again.id, again.losses) == (job, 1)


async def test_a_job_that_ends_every_process_is_given_up(queue: Queue, tmp_path: Path) -> None:
    (job,) = await asked_for(queue, 1)
    for _ in range(outcomes.MOST_LOSSES + 1):
        async with desk(queue, folder=tmp_path).attended() as here:
            await here.claim(9)
    found = await queue.get(job)
    assert (found.state, found.losses) == (JobState.FAILED, outcomes.MOST_LOSSES)
    assert "processes ended" in found.reason


# --- what becomes of it ---


async def claimed(queue: Queue, **what: object) -> JobId:
    (job,) = await asked_for(queue, 1, **what)
    return job


ENDS: dict[str, tuple[Next, Asked, JobState]] = {
    "done": (Done("all well"), Asked.NOTHING, JobState.DONE),
    "done, although it was to stop": (Done("all well"), Asked.CANCEL, JobState.DONE),
    "one step of several": (Again(), Asked.NOTHING, JobState.WAITING),
    "cancelled between two steps": (Again(), Asked.CANCEL, JobState.CANCELLED),
    "paused between two steps": (Again(), Asked.PAUSE, JobState.PAUSED),
    "it ended early as it was asked": (Stopped(), Asked.CANCEL, JobState.CANCELLED),
    "it failed and is not tried again": (Failed("no"), Asked.CANCEL, JobState.CANCELLED),
    "it failed for good": (Failed("no", final=True), Asked.CANCEL, JobState.FAILED),
    "it was cut off": (PutBack(), Asked.NOTHING, JobState.QUEUED),
}


@pytest.mark.parametrize(("said", "asked", "expected"), ENDS.values(), ids=ENDS)
async def test_what_a_step_says_and_what_was_asked(queue: Queue, said: Next, asked: Asked, expected: JobState) -> None:
    (job,), here = await asked_for(queue, 1), desk(queue)
    await here.claim(1)
    if asked is not Asked.NOTHING:
        await (queue.cancel if asked is Asked.CANCEL else queue.pause)(job, "ana")
        assert await here.renew([job]) == {job: asked}
    await here.report([Report(job, said)])
    found = await queue.get(job)
    assert (found.state, found.holder, found.asked) == (expected, None, Asked.NOTHING)
    assert (found.finished_at is not None) is expected.final


async def test_failures_are_tried_again_later_and_later_and_not_for_ever(queue: Queue, clock: Clock) -> None:
    (job,), here = await asked_for(queue, 1), desk(queue, replace(LOOK, most_tries=3))
    waits = []
    for _ in range(3):
        assert ids(await here.claim(1)) == [job]
        await here.report([Report(job, Failed("no answer"))])
        found = await queue.get(job)
        waits.append(found.not_before - clock())
        assert await here.claim(1) == []
        clock.forward(hours=2)
    assert (found.state, found.tries, found.reason) == (JobState.FAILED, 3, "no answer")
    assert [one.event for one in await queue.history(job)] == ["fail", "retry", "retry"]


def test_waits_double_up_to_a_limit_and_differ() -> None:
    chance = random.Random(1)  # noqa: S311
    longest = [max(outcomes.wait_after(tries, chance) for _ in range(50)) for tries in range(1, 13)]
    assert all(a < b or b > outcomes.MOST_WAIT * 0.9 for a, b in pairwise(longest))
    assert max(longest) <= outcomes.MOST_WAIT
    assert outcomes.wait_after(10_000, chance) <= outcomes.MOST_WAIT
    assert len({outcomes.wait_after(3, chance) for _ in range(20)}) == 20


async def test_progress_is_kept_and_a_step_that_went_well_forgets_failures(queue: Queue, clock: Clock) -> None:
    (job,), here = await asked_for(queue, 1), desk(queue)
    await here.claim(1)
    await here.report([Report(job, Progress(1, 5, "the first")), Report(job, Failed("no"))])
    clock.forward(hours=2)
    await here.claim(1)
    await here.report([Report(job, Again(clock() + timedelta(hours=1), Progress(2, 5, "the second")))])
    found = await queue.get(job)
    assert (found.progress, found.tries, found.state) == (Progress(2, 5, "the second"), 0, JobState.WAITING)
    assert [(one.event, one.note) for one in await queue.history(job)] == [("again", "the second"), ("retry", "no")]


async def test_a_pause_that_is_taken_back_pauses_nothing(queue: Queue) -> None:
    (job,), here = await asked_for(queue, 1), desk(queue)
    await here.claim(1)
    await queue.pause(job, "ana")
    await queue.resume(job, "ana")
    await here.report([Report(job, Again())])
    assert (await queue.get(job)).state is JobState.WAITING


async def hurried(queue: Queue, work: str) -> bool:
    async with queue.store.write() as connection:
        return await queue.hurry_in(connection, work)


async def test_a_job_that_waits_is_due_once_it_is_hurried_and_no_other(queue: Queue, clock: Clock) -> None:
    later = clock() + timedelta(hours=1)
    ours, other, paused = await queue.enqueue_many(
        [NewJob("look", "ana", work=work, not_before=later) for work in ("round:1", "round:2", "round:3")]
    )
    await queue.pause(paused, "ana")
    assert [await hurried(queue, f"round:{number}") for number in (1, 3, 9)] == [True, True, False]
    here = desk(queue)
    assert ids(await here.claim(9)) == [ours]
    assert [(await queue.get(job)).state for job in (other, paused)] == [JobState.WAITING, JobState.PAUSED]
    await here.report([Report(ours, Done())])
    assert not await hurried(queue, "round:1"), "it is over"


# What its step said when somebody hurried it meanwhile, and whether it was to be cancelled: where it is then.
HURRIED: dict[str, tuple[Next, bool, JobState]] = {
    "it was to be due later": (Again(at=Clock()() + timedelta(hours=9)), False, JobState.RUNNING),
    "it was to be over": (Done(), False, JobState.RUNNING),
    "it was cut off": (PutBack(), False, JobState.RUNNING),
    "it failed, and is not tried sooner for that": (Failed("no"), False, JobState.WAITING),
    "it was cancelled before": (Again(), True, JobState.CANCELLED),
}


@pytest.mark.parametrize(("said", "cancelled", "expected"), HURRIED.values(), ids=HURRIED)
async def test_a_job_that_runs_goes_on_once_more_behind_its_step_when_it_is_hurried(
    queue: Queue, said: Next, cancelled: bool, expected: JobState
) -> None:
    (job,), here = await asked_for(queue, 1, work="round:1"), desk(queue)
    await here.claim(1)
    if cancelled:
        await queue.cancel(job, "ana")
    assert await hurried(queue, "round:1")
    assert await here.renew([job]) == {job: Asked.CANCEL if cancelled else Asked.HURRY}
    await here.report([Report(job, said)])
    await here.claim(1)
    found = await queue.get(job)
    assert (found.state, found.asked) == (expected, Asked.NOTHING)
    if expected is JobState.RUNNING:
        await here.report([Report(job, Done())])
        assert (await queue.get(job)).state is JobState.DONE, "once more, and not for ever"


# --- looked at ---


async def test_jobs_are_listed_in_pages_by_what_is_wanted(queue: Queue) -> None:
    await asked_for(queue, 3, site="a")
    await asked_for(queue, 2, site="b", kind="change")
    await queue.cancel((await queue.listed(JobFilter())).items[0].id, "ana")
    seen: list[Job] = []
    after_id = None
    while True:
        page = await queue.listed(JobFilter(), after_id, 2)
        seen += page.items
        if (after_id := page.after) is None:
            break
    assert (len(seen), page.total, ids(seen)) == (5, 5, sorted(ids(seen), reverse=True))
    wanted = [JobFilter(site="a"), JobFilter(kind="change"), JobFilter(state=JobState.CANCELLED), JobFilter(camera="x")]
    assert [(await queue.listed(one)).total for one in wanted] == [3, 2, 1, 0]
    assert await queue.counts() == {JobState.QUEUED: 4, JobState.CANCELLED: 1}


async def test_a_follower_hears_of_every_state(queue: Queue) -> None:
    (job,), here = await asked_for(queue, 1), desk(queue)
    heard: list[JobState] = []

    async def follow() -> None:
        async for now in queue.events(job):
            heard.append(now.state)  # noqa: PERF401 - it is looked at meanwhile

    following = asyncio.create_task(follow())
    while not heard:  # noqa: ASYNC110 - a condition
        await asyncio.sleep(0)
    await here.claim(1)
    await here.report([Report(job, Done())])
    await following
    assert heard[-1] is JobState.DONE


async def test_what_is_over_is_forgotten_after_its_time(queue: Queue, clock: Clock, store: Store) -> None:
    here = desk(queue)
    await asked_for(queue, 3)
    await here.report([Report(job.id, Done()) for job in await here.claim(2)])
    clock.forward(days=29)
    assert await queue.prune([LOOK, CHANGE]) == 0
    clock.forward(days=2)
    assert await queue.prune([LOOK, CHANGE]) == 2
    async with store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.JobEvent)) == 0
    assert (await queue.listed(JobFilter())).total == 1


# --- who sees what, and what is told of it ---


async def test_an_order_is_told_with_the_state_before_and_after_and_one_that_changes_nothing_is_not(
    queue: Queue,
) -> None:
    job = await queue.enqueue(NewJob(LOOK.name, "ana", site="Harbour"))
    for order in (queue.pause, queue.resume, queue.cancel, queue.cancel):
        await order(job, "ben")
    told = (await entries(queue.store, Wanted(action="job"))).items
    said = [(row.action, row.actor, row.about, row.said["was"], row.said["is"]) for row in reversed(told)]
    assert said == [
        ("job.pause", "ben", f"job:{job}", "queued", "paused"),
        ("job.resume", "ben", f"job:{job}", "paused", "queued"),
        ("job.cancel", "ben", f"job:{job}", "queued", "cancelled"),
    ]


async def test_jobs_are_seen_where_their_camera_is_now_or_their_site_is(queue: Queue) -> None:
    (camera,) = await cameras(queue.store, 1)
    await sites.put(queue.store, Site("Harbour", ("0.0.0.0/0",)), "ana")
    of_camera = await queue.enqueue(NewJob(LOOK.name, "ana", camera=camera, site="Depot"))
    of_site = await queue.enqueue(NewJob(LOOK.name, "ana", site="Depot"))
    of_gone = await queue.enqueue(NewJob(LOOK.name, "ana", camera="gone", site="Depot"))
    of_all = await queue.enqueue(NewJob(LOOK.name, "ana"))
    seen = {}
    for name in ("Harbour", "Depot", "Nowhere"):
        scope = Scope(frozenset({name}))
        page = await queue.listed(JobFilter(), scope=scope)
        assert (page.total, sum((await queue.counts(scope)).values())) == (len(page.items), len(page.items))
        seen[name] = [job.id for job in page.items]
    assert seen == {"Harbour": [of_camera], "Depot": [of_site], "Nowhere": []}
    assert {job.id for job in (await queue.listed(JobFilter(), scope=EVERYWHERE)).items} == {
        of_camera,
        of_site,
        of_gone,
        of_all,
    }
