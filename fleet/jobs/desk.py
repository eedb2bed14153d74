"""The desk of this service: hands jobs of the store out to a runner, and writes down what became of them.

A lease runs out by watching it: whoever sees for `LASTS_S` by its own steady clock that nobody renewed it takes the job
away. The clock on the wall, which may jump, decides nothing. Processes of one home see at once whether another one
lives (`fleet.process_locks`).
"""

import asyncio
import hashlib
import random
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.jobs import rows
from fleet.jobs.model import Asked, Job, JobId, Kind, Report
from fleet.jobs.outcomes import Change, became, lost
from fleet.jobs.places import Limits, Places
from fleet.jobs.queue import Queue
from fleet.jobs.states import JobState, Move
from fleet.process_locks import only_here
from fleet.store import jobs_tables as t
from fleet.store import tables
from fleet.store.ids import new_id
from fleet.store.upserts import upsert

LASTS_S = 60.0
RENEWED_EVERY_S = LASTS_S / 4
REAPED_EVERY_S = 1.0
_MOST_ROUNDS = 25
# Beside those of `fleet.store.postgresql`.
CLAIM_LOCK = 0x63616D03
GONE = "there is no such camera any more"
# What was begun on a camera is brought to its end before anything else is begun on it.
_GO_ON = frozenset({Move.AGAIN, Move.PUT_BACK})
_RUNNING, _QUEUED = JobState.RUNNING.value, JobState.QUEUED.value


class LocalDesk:
    """`async with LocalDesk(...).attended() as desk`. `folder` is where processes of one home see each other."""

    def __init__(
        self,
        queue: Queue,
        kinds: Sequence[Kind],
        limits: Limits | None = None,
        *,
        folder: Path | None = None,
        steady: Callable[[], float] = time.monotonic,
        lasts_s: float = LASTS_S,
        chance: random.Random | None = None,
    ) -> None:
        self.queue = queue
        self._store = queue.store
        self._kinds = {kind.name: kind for kind in kinds}
        queue.know(kinds)
        self.limits = limits or Limits()
        self._folder = folder
        self._steady = steady
        self._lasts_s = lasts_s
        self._chance = chance or random.Random()  # noqa: S311 - spreads tries over time, guards nothing
        self._home = _home_of(folder) if folder else new_id()
        self._me = f"{self._home}/{new_id()}"
        self._bell = asyncio.Event()
        self._renewed_at: float | None = None
        self._reaped_at: float | None = None
        self._seen: dict[str, tuple[int, float]] = {}

    @asynccontextmanager
    async def attended(self) -> AsyncIterator["LocalDesk"]:
        """Others see that this process lives for as long as the block runs."""
        self.queue.listen(self.wake)
        try:
            if self._folder is None:
                yield self
            else:
                async with only_here(self._folder, _lock_of(self._me)):
                    yield self
        finally:
            self.queue.leave(self.wake)

    def wake(self) -> None:
        self._bell.set()

    async def heard(self, at_most_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._bell.wait()
        self._bell.clear()

    # --- claim ---

    async def claim(self, room: int) -> Sequence[Job]:
        """In order of priority, then age, as far as the limits and the cameras allow."""
        await self._reap()
        if not await self._anything():
            return []
        async with self._store.claim() as connection:
            await _one_claim_at_a_time(connection)
            now = self._store.now()
            due = update(t.Job).where(t.IS_WAITING, t.Job.not_before <= now)
            await connection.execute(due.values(state=_QUEUED))
            found = await self._picked(connection, room, now)
            jobs = [row.id for row in found]
            until = now + timedelta(seconds=self._lasts_s)
            mine = {"state": _RUNNING, "holder": self._me, "lease_until": until, "asked": ""}
            await rows.change(connection, jobs, mine | {"started_at": func.coalesce(t.Job.started_at, now)})
        if jobs and self._renewed_at is None:
            self._renewed_at = self._steady()
        return [_taken(rows.job_of(row), self._me, until, now) for row in found]

    async def _anything(self) -> bool:
        """Idle, a controller asks its store and leaves it to others to write."""
        due = t.IS_WAITING & (t.Job.not_before <= self._store.now())
        async with self._store.read() as connection:
            for condition in (t.IS_QUEUED, due):
                if (await connection.execute(select(t.Job.id).where(condition).limit(1))).first():
                    return True
        return False

    async def _picked(self, connection: AsyncConnection, room: int, now: datetime) -> list[rows.AnyRow]:
        places = Places(self.limits, self._kinds, await _running(connection))
        found: list[rows.AnyRow] = []
        for _ in range(_MOST_ROUNDS):
            wanted = min(room - len(found), places.left)
            if wanted <= 0 or not places.kinds:
                break
            query = select(t.Job).where(t.IS_QUEUED, *places.conditions(), t.Job.id.not_in(_ids(found)))
            query = query.where(self._camera_is_free(now)).order_by(t.Job.priority, t.Job.id).limit(wanted)
            offered = (await connection.execute(query.with_for_update(skip_locked=True))).all()
            took = [row for row in offered if places.take(row)]
            found += await self._with_cameras(connection, took, now)
            if len(offered) < wanted:
                break
        return found

    def _camera_is_free(self, now: datetime) -> ColumnElement[bool]:
        """For kinds that change cameras: no other such job has it, and neither has other work (`fleet.leases`)."""
        changing = [kind.name for kind in self._kinds.values() if kind.changes_camera]
        other = tables.CameraLease
        lease = exists().where(other.camera == t.Job.camera, other.holder != "job:" + t.Job.id, tables.in_force(now))
        return or_(t.Job.kind.not_in(changing), t.Job.camera.is_(None), ~lease)

    async def _with_cameras(
        self, connection: AsyncConnection, offered: Sequence[rows.AnyRow], now: datetime
    ) -> list[rows.AnyRow]:
        """Those of them that have the sole right to their camera now; a job of a camera that is gone fails."""
        changing = [row for row in offered if self._kinds[row.kind].changes_camera and row.camera]
        if not changing:
            return list(offered)
        cameras = [row.camera for row in changing]
        there = set((await connection.scalars(select(tables.Camera.id).where(tables.Camera.id.in_(cameras)))).all())
        gone = [row.id for row in changing if row.camera not in there]
        until = now + timedelta(seconds=self._lasts_s)
        wanted = [
            {"camera": row.camera, "holder": rows.holder_name(row.id), "until": until}
            for row in sorted(changing, key=lambda row: row.camera)
            if row.camera in there
        ]
        taken: set[str] = set()  # by other work, in this moment
        if wanted:
            ran_out = (tables.CameraLease.camera.in_(cameras), ~tables.in_force(now))
            await connection.execute(delete(tables.CameraLease).where(*ran_out))
            await connection.execute(upsert(tables.CameraLease).on_conflict_do_nothing(), wanted)
            held = select(tables.CameraLease.holder).where(tables.CameraLease.camera.in_(cameras))
            holders = set((await connection.scalars(held)).all())
            taken |= {row["holder"] for row in wanted} - holders
        if gone:
            ended = {"state": JobState.FAILED.value, "finished_at": now, "reason": GONE}
            await rows.change(connection, gone, ended)
            await rows.tell(connection, now, [(job, Move.FAIL.value, GONE) for job in gone])
        return [row for row in offered if row.id not in gone and rows.holder_name(row.id) not in taken]

    # --- renew ---

    async def renew(self, jobs: Sequence[JobId]) -> Mapping[JobId, Asked]:
        """Written only when a quarter of the lease is over."""
        now, steady = self._store.now(), self._steady()
        mine = (t.Job.holder == self._me, t.IS_RUNNING)
        if self._renewed_at is None or steady - self._renewed_at >= self._lasts_s / 4:
            until = now + timedelta(seconds=self._lasts_s)
            async with self._store.claim() as connection:
                await connection.execute(update(t.Job).where(*mine).values(lease_until=until, beat=t.Job.beat + 1))
            self._renewed_at = steady
        async with self._store.read() as connection:
            found = (await connection.execute(select(t.Job.id, t.Job.asked).where(*mine))).all()
        wanted = set(jobs)
        return {JobId(row.id): Asked(row.asked) for row in found if row.id in wanted}

    # --- report ---

    async def report(self, reports: Sequence[Report]) -> None:
        async with self._store.claim() as connection:
            now = self._store.now()
            held = await self._held(connection, [report.job for report in reports])
            changes = [
                became(row, self._kinds[row.kind], report.next, now, self._chance)
                for report in reports
                if (row := held.get(report.job))
            ]
            await _write(connection, changes, now)
        if changes:
            self.queue.tell_followers()
        await self._tell_of_ends(change for change in changes if change.move is Move.CANCEL)

    async def _held(self, connection: AsyncConnection, jobs: Sequence[JobId]) -> dict[str, rows.AnyRow]:
        found: dict[str, rows.AnyRow] = {}
        for some in rows.batches(list(dict.fromkeys(jobs))):
            query = select(t.Job).where(t.Job.id.in_(some), t.Job.holder == self._me, t.IS_RUNNING)
            locked = query.order_by(t.Job.id).with_for_update()
            found |= {row.id: row for row in (await connection.execute(locked)).all()}
        return found

    # --- what others left behind ---

    async def _reap(self) -> None:
        """Take jobs from those who do not renew them any more."""
        steady = self._steady()
        if self._reaped_at is not None and steady - self._reaped_at < REAPED_EVERY_S:
            return
        self._reaped_at = steady
        others = select(t.Job.holder, t.Job.beat).where(t.IS_RUNNING, t.Job.holder != self._me)
        beats: dict[str, list[int]] = {}
        async with self._store.read() as connection:
            for holder, beat in (await connection.execute(others)).all():
                beats.setdefault(str(holder), []).append(beat)
        self._seen = {holder: seen for holder, seen in self._seen.items() if holder in beats}
        for holder, found in beats.items():
            if await self._has_ended(holder, _pulse(found), steady):
                await self._take_away(holder, _pulse(found))

    async def _has_ended(self, holder: str, beat: int, steady: float) -> bool:
        home = holder.partition("/")[0]
        if self._folder is not None and home == self._home:
            async with only_here(self._folder, _lock_of(holder)) as ended:
                return ended
        before, since = self._seen.get(holder, (None, steady))
        if before != beat:
            self._seen[holder] = (beat, steady)
            return False
        return steady - since >= self._lasts_s

    async def _take_away(self, holder: str, beat: int) -> None:
        """Unless it was heard of meanwhile."""
        async with self._store.write() as connection:
            now = self._store.now()
            left = select(t.Job).where(t.Job.holder == holder, t.IS_RUNNING)
            found = (await connection.execute(left.order_by(t.Job.id).with_for_update())).all()
            changes = [lost(row, now) for row in found] if _pulse([row.beat for row in found]) == beat else []
            await _write(connection, changes, now)
        self.queue.tell_followers()
        await self._tell_of_ends(change for change in changes if change.state.final)

    async def _tell_of_ends(self, changes: Iterable[Change]) -> None:
        for change in changes:
            await self.queue.tell_of_end(await self.queue.get(JobId(change.job)))


async def _write(connection: AsyncConnection, changes: Sequence[Change], now: datetime) -> None:
    """Whatever is the same for many jobs is one statement."""
    same: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for change in changes:
        values = dict(change.values) | {"state": change.state.value}
        values |= rows.NOBODY if change.move else {}
        same.setdefault(repr(values), (values, []))[1].append(change.job)
    for values, jobs in same.values():
        await rows.change(connection, jobs, values)
    moved = [change for change in changes if change.move]
    await rows.let_go(connection, [change.job for change in moved if change.move not in _GO_ON])
    await rows.tell(connection, now, [(one.job, one.move.value, one.note) for one in moved if one.move])


async def _one_claim_at_a_time(connection: AsyncConnection) -> None:
    """Limits are counted and kept in one go. A claim takes many jobs: whoever waits here waits for a moment."""
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({CLAIM_LOCK})")


async def _running(connection: AsyncConnection) -> Sequence[Any]:
    query = select(t.Job.kind, t.Job.site, func.count()).where(t.IS_RUNNING)
    return (await connection.execute(query.group_by(t.Job.kind, t.Job.site))).all()


def _taken(job: Job, holder: str, until: datetime, now: datetime) -> Job:
    taken = replace(job, state=JobState.RUNNING, holder=holder, lease_until=until, asked=Asked.NOTHING)
    return replace(taken, started_at=job.started_at or now)


def _ids(found: Sequence[rows.AnyRow]) -> list[str]:
    return [row.id for row in found]


def _pulse(beats: Sequence[int]) -> int:
    """Changes with every renewal."""
    return hash(tuple(sorted(beats)))


def _home_of(folder: Path) -> str:
    """The same for every process over one folder of one machine, and for no other."""
    return hashlib.sha256(f"{socket.gethostname()}:{folder.resolve()}".encode()).hexdigest()[:12]


def _lock_of(holder: str) -> str:
    return f"jobs-{holder.partition('/')[2]}"
