"""The jobs of a plan: one of the plan as a whole while it is at work, and one of each camera that has something to do.

The first hands the others out, once, and waits for them. What is said here of "its cameras' jobs" is read by `work`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import func, select, update
from structlog.contextvars import bind_contextvars, get_contextvars

from fleet.jobs import rows as job_rows
from fleet.jobs.model import Asked, Job, JobId, NewJob, Priority
from fleet.jobs.queue import JobFilter, Queue
from fleet.jobs.states import JobState, Move
from fleet.pictures.rows import sites_of
from fleet.plans.rows import PlanId, Spot
from fleet.store import Store
from fleet.store import jobs_tables as t

PLAN, LOOK, CHANGE = "plan", "plan-look", "plan-change"
_WORK = "plan:"
_NOT_BEGUN = (JobState.QUEUED, JobState.WAITING, JobState.PAUSED)
_OF_CAMERAS = t.Job.kind.in_((LOOK, CHANGE))


class Order(StrEnum):
    """What is done on a camera."""

    OBSERVE = "observe"
    APPLY = "apply"
    UNDO = "undo"


def work_of(plan: PlanId) -> str:
    """What its jobs belong to, and the key of the one of the plan itself."""
    return f"{_WORK}{plan}"


def plan_of(job: Job) -> PlanId:
    return PlanId(job.work.removeprefix(_WORK))


def spot_of(job: Job) -> Spot:
    return Spot(plan_of(job), job.camera or "")


def bind_request(job: Job) -> None:
    """Lines of the log name the request that ordered it, in whichever process it is carried out."""
    bind_contextvars(**_request(job.payload))


def _request(found: Mapping[str, Any]) -> dict[str, str]:
    return {"request": str(found["request"])} if "request" in found else {}


# --- the plan as a whole ---------------------------------------------------------------------------------------------


def whole(plan: PlanId, actor: str, payload: Mapping[str, str] = MappingProxyType({})) -> NewJob:
    """After all others: where there is little room, it takes none from the cameras that it waits for."""
    work, last = work_of(plan), Priority.CLOCK
    return NewJob(PLAN, actor, work=work, key=work, priority=last, payload={**_request(get_contextvars()), **payload})


def in_place_of(job: Job, payload: Mapping[str, str]) -> NewJob:
    """Another one for a job of a plan that is over while the plan is not; the cameras' jobs are handed out already."""
    return whole(plan_of(job), job.actor, {"for": handed_out_by(job), **_request(job.payload), **payload})


def handed_out_by(job: Job) -> str:
    """What the cameras' jobs know the job of their plan by."""
    return str(job.payload.get("for", job.id))


async def of_plan(store: Store, plan: PlanId) -> JobId | None:
    """The job of a plan that is at work."""
    async with store.read() as connection:
        return (await job_rows.unfinished_by_key(connection, [work_of(plan)])).get(work_of(plan))


async def newest(queue: Queue, plan: PlanId) -> Job | None:
    """The last job of the plan as a whole, whatever became of it."""
    page = await queue.listed(JobFilter(kind=PLAN, work=work_of(plan)), limit=1)
    return page.items[0] if page.items else None


async def is_ending(queue: Queue, plan: PlanId) -> bool:
    """Whether somebody wants it to stop: then no camera of it is begun."""
    job = await of_plan(queue.store, plan)
    if job is None:
        return True
    found = await queue.get(job)
    return found.asked is Asked.CANCEL or "ends" in found.payload


# --- its cameras -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """How its cameras' jobs stand. `next` is one that is worth waiting for."""

    running: int
    waiting: int
    failed: int
    next: JobId | None

    @property
    def open(self) -> int:
        return self.running + self.waiting


async def hand_out(queue: Queue, job: Job, order: Order, cameras: Sequence[str]) -> None:
    """A job for each of these cameras. All of them or none."""
    plan, kind = plan_of(job), LOOK if order is Order.OBSERVE else CHANGE
    priority = Priority.ASKED if order is Order.OBSERVE else Priority.WORK
    payload = {"order": order.value, "by": handed_out_by(job), **_request(job.payload)}
    async with queue.store.write() as connection:
        sites = await sites_of(connection, cameras)
        jobs = [
            NewJob(
                kind,
                job.actor,
                camera,
                sites.get(camera),
                job.work,
                f"{work_of(plan)}:{camera}",
                priority,
                payload=payload,
            )
            for camera in cameras
        ]
        await queue.enqueue_in(connection, jobs)
    queue.ring()


async def handed_out(store: Store, job: Job) -> dict[str, tuple[JobState, str]]:
    """The state of each camera's job that it handed out, and why it is so."""
    query = select(t.Job.camera, t.Job.state, t.Job.reason, t.Job.payload)
    async with store.read() as connection:
        rows = (await connection.execute(query.where(t.Job.work == job.work, _OF_CAMERAS))).all()
    mine = handed_out_by(job)
    return {row.camera: (JobState(row.state), row.reason) for row in rows if row.payload.get("by") == mine}


async def tally(store: Store, work: str) -> Tally:
    query = select(t.Job.state, func.count().label("number"), func.min(t.Job.id).label("first"))
    async with store.read() as connection:
        rows = (await connection.execute(query.where(t.Job.work == work, _OF_CAMERAS).group_by(t.Job.state))).all()
    number = {JobState(row.state): row.number for row in rows}
    first = {JobState(row.state): JobId(row.first) for row in rows}
    waiting = sum(number.get(state, 0) for state in _NOT_BEGUN)
    follows = (JobState.RUNNING, *_NOT_BEGUN)
    found = next((first[state] for state in follows if state in first), None)
    return Tally(number.get(JobState.RUNNING, 0), waiting, number.get(JobState.FAILED, 0), found)


async def withdraw(queue: Queue, work: str, why: str, *, running: bool) -> None:
    """Cancel those that do not run, and where wanted ask those that run to stop between two steps."""
    here = (t.Job.work == work, _OF_CAMERAS)
    async with queue.store.write() as connection:
        now = queue.store.now()
        gone = {"state": JobState.CANCELLED.value, "finished_at": now, "reason": why, **job_rows.NOBODY}
        not_begun = t.Job.state.in_(_NOT_BEGUN)
        cancelled = await connection.scalars(update(t.Job).where(*here, not_begun).values(gone).returning(t.Job.id))
        lines = [(job, Move.CANCEL.value, why) for job in cancelled]
        await job_rows.let_go(connection, [job for job, *_ in lines])
        if running:
            unasked = (t.IS_RUNNING, t.Job.asked != Asked.CANCEL.value)
            asking = update(t.Job).where(*here, *unasked).values(asked=Asked.CANCEL.value)
            lines += [(job, f"ask-{Asked.CANCEL}", why) for job in await connection.scalars(asking.returning(t.Job.id))]
        await job_rows.tell(connection, now, lines)
    if lines:
        queue.ring()
