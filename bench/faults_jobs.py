"""Jobs: one or two controllers killed at any moment, again and again, until every job has come to its end.

The truth is a file that the jobs' own functions write: who began and ended which step on which camera. Each step is
told in the audit trail, and orders of a person are written into it meanwhile: the trail is whole after every run.
"""

import asyncio
import contextlib
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import delete, select

from bench.faults_jobs_child import MOMENTS, STEPS, Task, new_moment, read_moment
from bench.nursery import Child, Nursery
from cameras.facts import Gap
from fleet.audit import check as audit_check
from fleet.audit.trail import Action
from fleet.errors import FleetError
from fleet.findings import triage as findings
from fleet.jobs.model import JobId, NewJob
from fleet.jobs.queue import JobFilter, Queue
from fleet.jobs.states import JobState
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.store import jobs_tables as t
from fleet.store.audit_tables import AuditRow
from fleet.store.tables import CameraLease
from scanners.assessment import CameraAssessment
from scanners.dossier import Dossier

FULL, QUICK = 500, 12
JOBS, CAMERAS = 12, 8
MOST_KILLS = 3
# A database serves so many runs: its audit trail, which nothing can be taken out of, is read again after each.
RUNS_OF_A_HOUSE = 20
# Runs side by side: one waits while another computes.
LANES = 3
# How many lines a process that is to be killed may write first: none, a few, or as many as there may be.
_MORE_LINES = (0, JOBS, 2 * JOBS * STEPS)
AIMS = ("claim", "report", "commit", "end")
# About: "begin", two ids, a step and a process.
LINE_BYTES = 90
LIMIT_S = 60.0
SEED = 11


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one run. `two_writers`: how often a step began on a camera while another one was at work on it.

    `untold`: steps that ended, of which the audit trail says nothing. `killed_at`: what each process that was killed
    was at.
    """

    engine: str
    number: int
    kills: int
    lost: int
    doubled: int
    two_writers: int
    unrecovered: int
    broken_trails: int
    untold: int
    again: int
    killed_at: tuple[tuple[str, ...], ...]

    @property
    def is_good(self) -> bool:
        return not any(getattr(self, fault) for fault in FAULTS)


FAULTS = ("lost", "doubled", "two_writers", "unrecovered", "broken_trails", "untold")


def measure(*, quick: bool) -> dict[str, Any]:
    runs = QUICK if quick else FULL
    began = time.perf_counter()
    with contextlib.ExitStack() as stack:
        outcomes = asyncio.run(carry_out("sqlite", lambda: None, range(runs)))
        if new_database := postgresql(stack):
            outcomes += asyncio.run(carry_out("postgresql", new_database, range(runs)))
    _print(outcomes)
    return keys(outcomes) | {"seconds_per_run": round((time.perf_counter() - began) / len(outcomes), 3)}


def keys(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "runs": len(outcomes),
        "kills": sum(one.kills for one in outcomes),
        "engines": sorted({one.engine for one in outcomes}),
        **{fault: sum(getattr(one, fault) for one in outcomes) for fault in FAULTS},
        "taken_up_again": sum(one.again for one in outcomes),
        "killed_at": {what: count for what, count in killed_at(outcomes).items() if count},
        "locked_out": 0,
        "wrong_tries_max": 0,
    }


def killed_at(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many of the processes that were killed were at what; one may have been at several things."""
    found = Counter(what for one in outcomes for moment in one.killed_at for what in moment)
    return {what: found[what] for what in (*MOMENTS, "idle")}


def postgresql(stack: contextlib.ExitStack) -> Callable[[], str] | None:
    """What makes one database after the other, on a server that goes with this process.

    `None` where the programs of PostgreSQL are not installed.
    """
    from tests.frame.postgresql import PLACES, serving  # noqa: PLC0415 - only here, and pytest with it

    if not PLACES:
        return None
    servers = serving()
    server = next(servers)
    stack.callback(next, servers, None)  # it stops where its generator goes on
    return lambda: server.url(server.migrated_database())


@dataclass(frozen=True, slots=True)
class _House:
    """A home and its database, and what starts controllers in it."""

    engine: str
    folder: Path
    url: str | None
    nursery: Nursery


async def carry_out(
    engine: str, new_database: Callable[[], str | None], numbers: Sequence[int], lanes: int = LANES
) -> list[Outcome]:
    """The runs of these numbers, each of which is the same whenever it is carried out, as far as chance goes."""
    places, making = asyncio.Semaphore(lanes), asyncio.Lock()
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as name:
        async with Nursery("bench.faults_jobs_child") as nursery:

            async def house(some: Sequence[int]) -> list[Outcome]:
                async with places:
                    async with making:
                        url = await asyncio.to_thread(new_database)
                    return await _in_a_house(_House(engine, Path(name) / f"{some[0]}", url, nursery), some)

            each = min(RUNS_OF_A_HOUSE, -(-len(numbers) // lanes))
            houses = [numbers[at : at + each] for at in range(0, len(numbers), each)]
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(house(some)) for some in houses]
    return [outcome for task in tasks for outcome in task.result()]


async def _in_a_house(house: _House, numbers: Sequence[int]) -> list[Outcome]:
    house.folder.mkdir()
    outcomes = []
    async with await open_store(Settings(home=house.folder / "home", database_url=house.url)) as store:
        cameras = await _cameras(store)
        for number in numbers:
            outcomes.append(outcome := await _Run(house, store, number).carry_out(cameras))
            if not outcome.is_good:
                sys.stderr.write(f"run {number} on {house.engine}: {asdict(outcome)}\n")
    return outcomes


async def _cameras(store: Store) -> list[str]:
    """As a scan leaves them; nobody asks them anything."""
    return [(await findings.record(store, _seen(number))).camera for number in range(1, CAMERAS + 1)]


def _seen(number: int) -> CameraAssessment:
    values: dict[str, Any] = dict.fromkeys(Dossier.__dataclass_fields__, Gap("not-asked", "not asked here"))
    values |= {"address": f"127.0.0.{number}", "port": 80, "scheme": "http", "login": "", "quirks": ()}
    values["collected_at"] = "2026-01-01T00:00:00+00:00"
    return CameraAssessment(Dossier(**values), (), 100)


class _Run:
    def __init__(self, house: _House, store: Store, number: int) -> None:
        self._house, self._store, self._number = house, store, number
        self._chance = random.Random(f"{SEED} {number}")  # noqa: S311 - the same run again, where one is asked for
        self._effects = house.folder / "effects"
        self._task = Task(str(house.folder / "home"), house.url, str(self._effects), "", 0)
        self._queue = Queue(store)
        self._started = 0
        self._killed_at: list[tuple[str, ...]] = []

    async def carry_out(self, cameras: Sequence[str]) -> Outcome:
        self._effects.write_text("")
        jobs = await self._queue.enqueue_many([self._new(cameras) for _ in range(JOBS)])
        kills = self._chance.randint(1, MOST_KILLS)
        beside = await self._start() if self._chance.random() < 0.5 else None  # noqa: PLR2004
        for _ in range(kills):
            child, moment = await self._start()
            await self._until(child, moment)
            if self._chance.random() < 0.5:  # noqa: PLR2004
                await self._order(self._chance.choice(jobs))
            await self._kill(child, moment)
        for child, moment in [await self._start(), *([beside] if beside else [])]:
            if not await child.ended(LIMIT_S):
                await self._kill(child, moment)
        return await self._judged(jobs)

    def _new(self, cameras: Sequence[str]) -> NewJob:
        camera = self._chance.choice(cameras)
        return NewJob(
            self._chance.choice(("change", "other")), "bench", camera=camera, site=f"s{cameras.index(camera) % 3}"
        )

    async def _start(self) -> tuple[Child, Path]:
        self._started += 1
        moment = new_moment(self._house.folder / f"moment-{self._started}")
        seeded = replace(self._task, moment=str(moment), seed=self._chance.randrange(1 << 30))
        return await self._house.nursery.start(asdict(seeded)), moment

    async def _kill(self, child: Child, moment: Path) -> None:
        lived = child.kill()
        await child.ended(LIMIT_S)
        if lived:
            self._killed_at.append(read_moment(moment))

    async def _until(self, child: Child, moment: Path) -> None:
        """A moment somewhere after some more lines of effects; or, since some are short, one that is waited for."""
        size = self._effects.stat().st_size + self._chance.randint(0, self._chance.choice(_MORE_LINES)) * LINE_BYTES
        aim, pause_s = self._chance.choice((None, None, None, *AIMS)), self._chance.uniform(0, 0.02)
        async with asyncio.timeout(LIMIT_S):
            while child.alive and self._effects.stat().st_size < size:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.001)
            while child.alive and aim and aim not in read_moment(moment):  # noqa: ASYNC110
                await asyncio.sleep(0.0005)
        if aim is None:
            await asyncio.sleep(pause_s)

    async def _order(self, job: JobId) -> None:
        """A person's, written into the audit trail beside what the jobs write there."""
        with contextlib.suppress(FleetError):  # it is over already, or runs on
            await self._queue.pause(job, "ana")
            await self._queue.resume(job, "ana")

    async def _judged(self, jobs: Sequence[JobId]) -> Outcome:
        found = {job.id: job for job in (await self._queue.listed(JobFilter(), limit=JOBS)).items}
        lines = [line.split() for line in self._effects.read_text().splitlines()]
        ends = Counter((job, step) for what, job, _, step, _ in lines if what == "end")
        finished, put_back = await self._told("finish"), await self._told("put-back")
        told = await self._audited(jobs)
        outcome = Outcome(
            engine=self._house.engine,
            number=self._number,
            kills=len(self._killed_at),
            lost=sum(job not in found for job in jobs),
            doubled=sum(count > 1 for count in ends.values()) + sum(count > 1 for count in finished.values()),
            two_writers=overlaps(lines),
            unrecovered=sum(
                job not in found
                or found[job].state is not JobState.DONE
                or {str(step) for step in range(STEPS)} != {step for one, step in ends if one == job}
                for job in jobs
            ),
            broken_trails=not (await audit_check.check(self._store)).whole,
            untold=sum(end not in told for end in ends),
            again=put_back.total(),
            killed_at=tuple(self._killed_at),
        )
        async with self._store.write() as connection:
            for table in (t.JobEvent, t.Job, CameraLease):
                await connection.execute(delete(table))
        shutil.rmtree(Path(self._task.home) / "locks", ignore_errors=True)
        return outcome

    async def _told(self, event: str) -> Counter[str]:
        async with self._store.read() as connection:
            query = select(t.JobEvent.job).where(t.JobEvent.event == event)
            return Counter((await connection.scalars(query)).all())

    async def _audited(self, jobs: Sequence[JobId]) -> set[tuple[str, str]]:
        """Which steps of these jobs the trail tells of."""
        mine = AuditRow.about.in_([f"job:{job}" for job in jobs]), AuditRow.action == Action.HARDENING_APPLY.value
        async with self._store.read() as connection:
            rows = (await connection.execute(select(AuditRow.about, AuditRow.detail).where(*mine))).all()
        return {(row.about.removeprefix("job:"), str(json.loads(row.detail)["step"])) for row in rows}


def overlaps(lines: Sequence[Sequence[str]]) -> int:
    """How often a step began on a camera while one of a process that still wrote afterwards was not over."""
    count = 0
    last_line = {line[4]: number for number, line in enumerate(lines)}
    at_work: dict[str, tuple[str, str]] = {}
    for number, (what, job, camera, _step, process) in enumerate(lines):
        before = at_work.get(camera)
        if what == "end":
            if before == (job, process):
                del at_work[camera]
        else:
            # A process that writes nothing more was killed: what it began ended with it.
            count += before is not None and last_line[before[1]] > number
            at_work[camera] = (job, process)
    return count


def _print(outcomes: Sequence[Outcome]) -> None:
    names = ("runs", "kills", "taken_up_again", *FAULTS)
    table = Table("engine", *(name.replace("_", " ") for name in names), title="killed controllers")
    moments = Table("engine", *MOMENTS, "idle", title="what they were at when they were killed")
    for engine in sorted({one.engine for one in outcomes}):
        mine = [one for one in outcomes if one.engine == engine]
        table.add_row(engine, *(str(keys(mine)[name]) for name in names))
        moments.add_row(engine, *map(str, killed_at(mine).values()))
    for each in (table, moments):
        Console(width=130).print(each)
