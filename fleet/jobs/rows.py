"""Jobs as they are stored. Functions that take a connection are for use inside a transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.errors import NotFound
from fleet.jobs.model import MOST_NOTE, Asked, Job, JobId, NewJob, Progress
from fleet.jobs.states import JobState
from fleet.store import jobs_tables as t
from fleet.store.ids import new_id
from fleet.store.tables import CameraLease

AnyRow = Row[*tuple[Any, ...]]
Values = dict[str, Any]
SERVICE = "service"
_AT_ONCE = 500
# What a row says when nobody works on the job.
NOBODY: Values = {"holder": None, "lease_until": None, "asked": Asked.NOTHING.value}


@dataclass(frozen=True, slots=True)
class JobEventView:
    """A line of a job's history."""

    id: str
    at: datetime
    event: str
    actor: str
    note: str


def job_of(row: AnyRow) -> Job:
    return Job(
        id=JobId(row.id),
        kind=row.kind,
        camera=row.camera,
        site=row.site,
        work=row.work,
        key=row.key,
        state=JobState(row.state),
        priority=row.priority,
        not_before=row.not_before,
        tries=row.tries,
        losses=row.losses,
        holder=row.holder,
        lease_until=row.lease_until,
        asked=Asked(row.asked),
        actor=row.actor,
        payload=row.payload,
        progress=Progress(row.done, row.total, row.note),
        result=row.result,
        reason=row.reason,
        queued_at=row.queued_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def values_of(new: NewJob, now: datetime) -> Values:
    later = new.not_before is not None and new.not_before > now
    return {
        "id": new_id(),
        "kind": new.kind,
        "camera": new.camera,
        "site": new.site,
        "work": new.work,
        "key": new.key,
        "state": (JobState.WAITING if later else JobState.QUEUED).value,
        "priority": int(new.priority),
        "not_before": new.not_before if later else now,
        "tries": 0,
        "losses": 0,
        "holder": None,
        "lease_until": None,
        "beat": 0,
        "asked": Asked.NOTHING.value,
        "actor": new.actor,
        "payload": dict(new.payload),
        "done": 0,
        "total": 0,
        "note": "",
        "result": "",
        "reason": "",
        "queued_at": now,
        "started_at": None,
        "finished_at": None,
    }


def batches(of: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """A statement takes so many values and no more."""
    return (of[begin : begin + _AT_ONCE] for begin in range(0, len(of), _AT_ONCE))


async def find(connection: AsyncConnection, job: JobId, *, to_change: bool = False) -> AnyRow:
    """Raises NotFound. `to_change`: runners, which wait for no other writer, leave it alone until the end."""
    query = select(t.Job).where(t.Job.id == job)
    row = (await connection.execute(query.with_for_update() if to_change else query)).first()
    if row is None:
        raise NotFound("there is no such job")
    return row


async def unfinished_by_key(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, JobId]:
    found: dict[str, JobId] = {}
    for some in batches(keys):
        query = select(t.Job.key, t.Job.id).where(t.Job.key.in_(some), t.IS_OPEN)
        found |= {row.key: JobId(row.id) for row in (await connection.execute(query)).all()}
    return found


async def add(connection: AsyncConnection, rows: Sequence[Values]) -> None:
    if rows:
        await connection.execute(insert(t.Job), list(rows))


async def change(connection: AsyncConnection, jobs: Sequence[str], values: Mapping[str, Any]) -> None:
    for some in batches(jobs):
        await connection.execute(update(t.Job).where(t.Job.id.in_(some)).values(**values))


async def tell(
    connection: AsyncConnection, at: datetime, lines: Sequence[tuple[str, str, str]], actor: str = SERVICE
) -> None:
    """Write into the history of jobs: (job, event, note)."""
    rows = [
        {"id": new_id(), "job": job, "at": at, "event": event, "actor": actor, "note": note[:MOST_NOTE]}
        for job, event, note in lines
    ]
    if rows:
        await connection.execute(insert(t.JobEvent), rows)


async def let_go(connection: AsyncConnection, jobs: Sequence[str]) -> None:
    """Their cameras are free again."""
    for some in batches([holder_name(job) for job in jobs]):
        await connection.execute(delete(CameraLease).where(CameraLease.holder.in_(some)))


def holder_name(job: str) -> str:
    """How a job stands in the table of leases on cameras (`fleet.leases`)."""
    return f"job:{job}"


async def history(connection: AsyncConnection, job: JobId, limit: int) -> list[JobEventView]:
    """The newest first."""
    query = select(t.JobEvent).where(t.JobEvent.job == job).order_by(t.JobEvent.id.desc()).limit(limit)
    rows = (await connection.execute(query)).all()
    return [JobEventView(row.id, row.at, row.event, row.actor, row.note) for row in rows]
