"""What people, and the rest of the service, do with jobs: ask for them, look at them, stop and resume them."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet.audit.trail import Action, Entry, record
from fleet.errors import Invalid
from fleet.jobs import rows
from fleet.jobs.model import MOST_PAYLOAD, Asked, Job, JobId, Kind, NewJob
from fleet.jobs.rows import JobEventView
from fleet.jobs.states import JobState, Move, after
from fleet.paging import an_id, number, read_page
from fleet.people.scope import EVERYWHERE, Scope
from fleet.store import Store
from fleet.store import jobs_tables as t
from fleet.views import Page

LOOK_EVERY_S = 1.0
MOST_AT_ONCE = 100_000
_PRUNED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class JobFilter:
    """`None` is any."""

    kind: str | None = None
    state: JobState | None = None
    site: str | None = None
    camera: str | None = None
    work: str | None = None


@dataclass(frozen=True, slots=True)
class _Order:
    """`asked` is what a job that runs is asked for in its place."""

    move: Move
    asked: Asked
    actor: str


class Queue:
    """The jobs of a store. Several may stand side by side, in one process or in many: what counts is stored."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._bells: set[Callable[[], None]] = set()
        self._changed = asyncio.Event()
        self._kinds: dict[str, Kind] = {}

    def know(self, kinds: Iterable[Kind]) -> None:
        """What is run in this process: orders heed what a kind can do."""
        self._kinds |= {kind.name: kind for kind in kinds}

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(self._kinds.values())

    # --- asked for ---

    async def enqueue(self, new: NewJob) -> JobId:
        """The job, or the unfinished one with the same key. Raises Invalid for a payload that is no small JSON."""
        return (await self.enqueue_many([new]))[0]

    async def enqueue_many(self, jobs: Sequence[NewJob]) -> list[JobId]:
        """All of them or none; in their order. Raises Invalid."""
        async with self.store.write() as connection:
            found = await self.enqueue_in(connection, jobs)
        self.ring()
        return found

    async def enqueue_in(self, connection: AsyncConnection, jobs: Sequence[NewJob]) -> list[JobId]:
        """Inside the caller's own transaction; who uses it calls `ring` behind it. Raises Invalid."""
        if len(jobs) > MOST_AT_ONCE:
            raise Invalid(f"at most {MOST_AT_ONCE} jobs can be asked for at once")
        for job in jobs:
            _check(job)
        now = self.store.now()
        keys = list(dict.fromkeys(job.key for job in jobs if job.key))
        known = await rows.unfinished_by_key(connection, keys)
        added, found = [], []
        for job in jobs:
            if job.key is None or job.key not in known:
                values = rows.values_of(job, now)
                added.append(values)
                known |= {job.key: values["id"]} if job.key else {}
                found.append(JobId(values["id"]))
            else:
                found.append(known[job.key])
        await rows.add(connection, added)
        return found

    async def hurry_in(self, connection: AsyncConnection, work: str) -> bool:
        """Inside the caller's own transaction: the job that belongs to that work is due now. Whether there is one.

        One that runs goes on once more behind its step, whatever that says, so that nothing is missed. Who uses it
        calls `ring` behind it.
        """
        runs = and_(t.IS_RUNNING, t.Job.asked == Asked.NOTHING.value)
        values = {"not_before": self.store.now(), "asked": case((runs, Asked.HURRY.value), else_=t.Job.asked)}
        # Also where nothing changes: whoever takes or ends it meanwhile waits for the caller, or was first.
        found = await connection.execute(update(t.Job).where(t.Job.work == work, t.IS_OPEN).values(values))
        return bool(found.rowcount)

    # --- orders ---

    async def cancel(self, job: JobId, actor: str) -> Job:
        """At once, or at the end of the step that runs. Once it is final, nothing happens. Raises NotFound."""
        return await self._order(job, Move.CANCEL, Asked.CANCEL, actor)

    async def pause(self, job: JobId, actor: str) -> Job:
        """At once, or at the end of the step that runs. Raises NotFound, Invalid."""
        return await self._order(job, Move.PAUSE, Asked.PAUSE, actor)

    async def resume(self, job: JobId, actor: str) -> Job:
        """Raises NotFound, Invalid."""
        return await self._order(job, Move.RESUME, Asked.NOTHING, actor)

    async def run_again(self, job: JobId, actor: str) -> Job:
        """One that failed or was cancelled. Raises NotFound, Invalid, also where the same is under way meanwhile."""
        return await self._order(job, Move.RUN_AGAIN, Asked.NOTHING, actor)

    async def _order(self, job: JobId, move: Move, asked: Asked, actor: str) -> Job:
        async with self.store.write() as connection:
            row = await rows.find(connection, job, to_change=True)
            if move is Move.PAUSE and row.kind in self._kinds and not self._kinds[row.kind].pausable:
                raise Invalid(
                    "this kind of work cannot pause here: pause it on its own page where it has one, as a rollout "
                    "does; else cancel it, and begin it anew when it suits"
                )
            await _carry_out(connection, row, _Order(move, asked, clean_text(actor)), self.store.now())
            found = rows.job_of(await rows.find(connection, job))
            if found != (before := rows.job_of(row)):
                await record(connection, _entry(actor, move, before, found))
        self.ring()
        if move is Move.CANCEL and found.state is JobState.CANCELLED:
            await self.tell_of_end(found)
        return found

    async def tell_of_end(self, job: Job) -> None:
        """To whoever keeps rows of their own about that work: its function did not come to say so."""
        if job.kind in self._kinds:
            await self._kinds[job.kind].ended(job)

    async def prune(self, kinds: Iterable[Kind]) -> int:
        """Forget finished jobs that were kept for long enough; how many. The next call goes on where there are more."""
        count, now = 0, self.store.now()
        for kind in kinds:
            old = (t.Job.kind == kind.name, t.IS_FINAL, t.Job.finished_at < now - kind.kept)
            async with self.store.write() as connection:
                query = select(t.Job.id).where(*old).limit(_PRUNED_AT_ONCE)
                jobs = list((await connection.scalars(query)).all())
                for some in rows.batches(jobs):
                    await connection.execute(delete(t.JobEvent).where(t.JobEvent.job.in_(some)))
                    await connection.execute(delete(t.Job).where(t.Job.id.in_(some)))
            count += len(jobs)
        return count

    # --- looked at ---

    async def get(self, job: JobId) -> Job:
        """Raises NotFound."""
        async with self.store.read() as connection:
            return rows.job_of(await rows.find(connection, job))

    async def listed(
        self, wanted: JobFilter, after_id: str | None = None, limit: int = 50, scope: Scope = EVERYWHERE
    ) -> Page[Job]:
        """The newest first; only those whose camera or site is in scope. Raises Invalid for a cursor of no page."""
        columns = {"kind": t.Job.kind, "state": t.Job.state, "site": t.Job.site}
        columns |= {"camera": t.Job.camera, "work": t.Job.work}
        named = [column == value for name, column in columns.items() if (value := getattr(wanted, name)) is not None]
        named.append(_is_seen(scope))
        query = select(t.Job).where(*named)
        begun = query if after_id is None else query.where(t.Job.id < an_id(after_id))
        async with self.store.read() as connection:
            found, more = await read_page(connection, begun.order_by(t.Job.id.desc()), limit)
        total = await number(self.store, ("jobs", wanted, scope), select(t.Job.id).where(*named))
        return Page(tuple(map(rows.job_of, found)), found[-1].id if more else None, total)

    async def unfinished(self, kind: str) -> dict[str, JobId]:
        """By what they belong to."""
        query = select(t.Job.work, t.Job.id).where(t.Job.kind == kind, t.IS_OPEN)
        async with self.store.read() as connection:
            return {row.work: JobId(row.id) for row in (await connection.execute(query)).all()}

    async def of_work(self, work: str) -> Job | None:
        """The newest job that belongs to it."""
        page = await self.listed(JobFilter(work=work), limit=1)
        return page.items[0] if page.items else None

    async def counts(self, scope: Scope = EVERYWHERE) -> dict[JobState, int]:
        """Of all in scope that are remembered."""
        query = select(t.Job.state, func.count()).where(_is_seen(scope)).group_by(t.Job.state)

        async def count() -> dict[JobState, int]:
            async with self.store.read() as connection:
                found = await connection.execute(query)
                return {JobState(state): number for state, number in found.all()}

        return await self.store.summaries.get(("job states", scope), count)

    async def history(self, job: JobId, limit: int = 100) -> list[JobEventView]:
        """The newest first. Raises NotFound."""
        async with self.store.read() as connection:
            await rows.find(connection, job)
            return await rows.history(connection, job, limit)

    async def events(self, job: JobId) -> AsyncGenerator[Job, None]:
        """The job now, then at each change, at least the newest; ends with a final state. Raises NotFound."""
        told: Job | None = None
        while True:
            changed = self._changed
            now = await self.get(job)
            # Every renewal of a lease is a change too, but none that anybody waits for.
            if told is None or replace(now, lease_until=None) != replace(told, lease_until=None):
                yield (told := now)
            if now.state.final:
                return
            with suppress(TimeoutError):  # another process may have changed it
                async with asyncio.timeout(LOOK_EVERY_S):  # `wait_for` swallows who is cancelled as it ends
                    await changed.wait()

    async def ended(self, job: JobId) -> Job:
        """Waits for its end. Raises NotFound."""
        async with aclosing(self.events(job)) as events:
            return [now async for now in events][-1]

    # --- who listens in this process ---

    def listen(self, bell: Callable[[], None]) -> None:
        self._bells.add(bell)

    def leave(self, bell: Callable[[], None]) -> None:
        self._bells.discard(bell)

    def ring(self) -> None:
        """Something has changed: runners look at once, and so does whoever follows a job."""
        self.tell_followers()
        for bell in tuple(self._bells):
            bell()

    @property
    def changed(self) -> asyncio.Event:
        """Set at the next change that this process knows of; whoever waits for it takes it before looking."""
        return self._changed

    def tell_followers(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


_ACTIONS: Mapping[Move, Action] = MappingProxyType(
    {
        Move.CANCEL: Action.JOB_CANCEL,
        Move.PAUSE: Action.JOB_PAUSE,
        Move.RESUME: Action.JOB_RESUME,
        Move.RUN_AGAIN: Action.JOB_RUN_AGAIN,
    }
)


def _entry(actor: str, move: Move, before: Job, now: Job) -> Entry:
    """An order to a job that runs is carried out later: it `is` still running, and `asked` for something."""
    said = {"kind": now.kind, "was": before.state.value, "is": now.state.value, "asked": now.asked.value}
    said |= {name: value for name, value in (("camera", now.camera), ("site", now.site), ("work", now.work)) if value}
    return Entry(actor, _ACTIONS[move], f"job:{now.id}", said)


def _is_seen(scope: Scope) -> ColumnElement[bool]:
    """By where its camera is now; a job of no camera by its site."""
    return or_(scope.of(t.Job.camera), and_(t.Job.camera.is_(None), scope.at(t.Job.site)))


async def _carry_out(connection: AsyncConnection, row: rows.AnyRow, order: _Order, now: datetime) -> None:
    state, move, asked, actor = JobState(row.state), order.move, order.asked, order.actor
    if move is Move.CANCEL and state.final:
        return
    if state is JobState.RUNNING and asked is not Asked.NOTHING:
        await rows.change(connection, [row.id], {"asked": asked.value})
        await rows.tell(connection, now, [(row.id, f"ask-{asked}", "")], actor)
        return
    if state is JobState.RUNNING and move is Move.RESUME and row.asked == Asked.PAUSE:
        # It was only about to pause.
        await rows.change(connection, [row.id], {"asked": Asked.NOTHING.value})
        return
    to = after(state, move)
    if to is None:
        raise Invalid(f"a job that is {state} cannot be told to {move.replace('-', ' ')}")
    values: dict[str, Any] = {"state": to.value, **rows.NOBODY}
    if to is JobState.QUEUED:
        values |= {"finished_at": None, "not_before": now, "reason": "", "tries": 0, "losses": 0}
        if state.final and row.key and await rows.unfinished_by_key(connection, [row.key]):
            raise Invalid("the same work is under way already")
    elif to.final:
        values |= {"finished_at": now, "reason": f"cancelled by {actor}"}
    await rows.change(connection, [row.id], values)
    await rows.let_go(connection, [row.id])
    await rows.tell(connection, now, [(row.id, move.value, "")], actor)


def _check(job: NewJob) -> None:
    try:
        written = json.dumps(dict(job.payload))
    except (TypeError, ValueError):
        raise Invalid("what a job carries is plain JSON") from None
    if len(written) > MOST_PAYLOAD:
        raise Invalid(f"a job carries at most {MOST_PAYLOAD} characters; keep the rest where it belongs")
