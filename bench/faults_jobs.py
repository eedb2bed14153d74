"""Jobs: one or two controllers killed at any moment, again and again, until every job has come to its end.

The truth is a file that the jobs' own functions write: who began and ended which step on which camera.
"""

import asyncio
import contextlib
import multiprocessing
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import delete, select

from bench import faults_jobs_child as child
from bench.faults_jobs_child import STEPS, Task
from cameras.facts import Gap
from fleet.findings import triage as findings
from fleet.jobs.model import JobId, NewJob
from fleet.jobs.queue import JobFilter, Queue
from fleet.jobs.states import JobState
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.store import jobs_tables as t
from fleet.store.tables import CameraLease
from scanners.assessment import CameraAssessment
from scanners.dossier import Dossier

FULL, QUICK = 500, 12
JOBS, CAMERAS = 16, 8
MOST_KILLS = 3
# About: "begin", two ids, a step and a process.
LINE_BYTES = 90
LIMIT_S = 30.0
SEED = 11


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one run. `two_writers`: how often a step began on a camera while another one was at work on it."""

    engine: str
    kills: int
    lost: int
    doubled: int
    two_writers: int
    unrecovered: int
    again: int


def measure(*, quick: bool) -> dict[str, Any]:
    runs = QUICK if quick else FULL
    outcomes = asyncio.run(_measure("sqlite", None, runs))
    with contextlib.ExitStack() as stack:
        if url := postgresql(stack):
            outcomes += asyncio.run(_measure("postgresql", url, runs))
    _print(outcomes)
    return keys(outcomes)


def keys(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "runs": len(outcomes),
        "kills": sum(one.kills for one in outcomes),
        "engines": sorted({one.engine for one in outcomes}),
        "lost": sum(one.lost for one in outcomes),
        "doubled": sum(one.doubled for one in outcomes),
        "two_writers": sum(one.two_writers for one in outcomes),
        "taken_up_again": sum(one.again for one in outcomes),
        "locked_out": 0,
        "wrong_tries_max": 0,
        "unrecovered": sum(one.unrecovered for one in outcomes),
    }


def postgresql(stack: contextlib.ExitStack) -> str | None:
    """Of a server that goes with this process; `None` where the programs of PostgreSQL are not installed."""
    from tests.frame.postgresql import PLACES, serving  # noqa: PLC0415 - only here, and pytest with it

    if not PLACES:
        return None
    servers = serving()
    server = next(servers)
    stack.callback(next, servers, None)  # it stops where its generator goes on
    return server.url(server.migrated_database())


async def _measure(engine: str, url: str | None, runs: int) -> list[Outcome]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench.faults_jobs_child"])
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as name:
        folder = Path(name)
        async with _house(folder / "home", url) as store:
            cameras = await _cameras(store)
            for number in range(runs):
                run = _Run(engine, folder, url, store, random.Random(f"{SEED} {number}"))  # noqa: S311
                outcomes.append(await run.carry_out(context, cameras))
    return outcomes


@contextlib.asynccontextmanager
async def _house(home: Path, url: str | None) -> AsyncIterator[Store]:
    async with await open_store(Settings(home=home, database_url=url)) as store:
        yield store


async def _cameras(store: Store) -> list[str]:
    """As a scan leaves them; nobody asks them anything."""
    return [(await findings.record(store, _seen(number))).camera for number in range(1, CAMERAS + 1)]


def _seen(number: int) -> CameraAssessment:
    values: dict[str, Any] = dict.fromkeys(Dossier.__dataclass_fields__, Gap("not-asked", "not asked here"))
    values |= {"address": f"127.0.0.{number}", "port": 80, "scheme": "http", "login": "", "quirks": ()}
    values["collected_at"] = "2026-01-01T00:00:00+00:00"
    return CameraAssessment(Dossier(**values), (), 100)


class _Run:
    def __init__(self, engine: str, folder: Path, url: str | None, store: Store, chance: random.Random) -> None:
        self._engine, self._store, self._chance = engine, store, chance
        self._effects = folder / "effects"
        self._task = Task(str(folder / "home"), url, str(self._effects), chance.randrange(1 << 30))
        self._queue = Queue(store)

    async def carry_out(self, context: ForkServerContext, cameras: Sequence[str]) -> Outcome:
        self._effects.write_text("")
        jobs = await self._queue.enqueue_many([self._new(cameras) for _ in range(JOBS)])
        kills = self._chance.randint(1, MOST_KILLS)
        beside = self._start(context) if self._chance.random() < 0.5 else None  # noqa: PLR2004
        for _ in range(kills):
            process = self._start(context)
            await self._until(process, self._chance.randint(0, JOBS * STEPS // kills))
            process.kill()
            await asyncio.to_thread(process.join)
        finishing = self._start(context)
        for last in (finishing, *([beside] if beside is not None else [])):
            await asyncio.to_thread(last.join, LIMIT_S)
            if last.is_alive():
                last.kill()
                await asyncio.to_thread(last.join)
        return await self._judged(jobs, kills)

    def _new(self, cameras: Sequence[str]) -> NewJob:
        camera = self._chance.choice(cameras)
        return NewJob(
            self._chance.choice(("change", "other")), "bench", camera=camera, site=f"s{cameras.index(camera) % 3}"
        )

    def _start(self, context: ForkServerContext) -> BaseProcess:
        seeded = replace(self._task, seed=self._chance.randrange(1 << 30))
        process = context.Process(target=child.serve, args=(seeded,))
        process.start()
        return process

    async def _until(self, process: BaseProcess, lines: int) -> None:
        """A moment somewhere after that many more lines of effects, be it in the middle of a claim or of a report."""
        size = self._effects.stat().st_size + lines * LINE_BYTES
        async with asyncio.timeout(LIMIT_S):
            while process.is_alive() and self._effects.stat().st_size < size:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.001)
        await asyncio.sleep(self._chance.uniform(0, 0.02))

    async def _judged(self, jobs: Sequence[JobId], kills: int) -> Outcome:
        found = {job.id: job for job in (await self._queue.listed(JobFilter(), limit=JOBS)).items}
        lines = [line.split() for line in self._effects.read_text().splitlines()]
        ends = Counter((job, step) for what, job, _, step, _ in lines if what == "end")
        finished, put_back = await self._told("finish"), await self._told("put-back")
        outcome = Outcome(
            engine=self._engine,
            kills=kills,
            lost=sum(job not in found for job in jobs),
            doubled=sum(count > 1 for count in ends.values()) + sum(count > 1 for count in finished.values()),
            two_writers=overlaps(lines),
            unrecovered=sum(
                job not in found
                or found[job].state is not JobState.DONE
                or {str(step) for step in range(STEPS)} != {step for one, step in ends if one == job}
                for job in jobs
            ),
            again=put_back.total(),
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
    columns = ("engine", "runs", "kills", "taken up again", "lost", "doubled", "two writers", "unrecovered")
    table = Table(*columns, title="killed controllers")
    for engine in sorted({one.engine for one in outcomes}):
        found = keys([one for one in outcomes if one.engine == engine])
        names = ("runs", "kills", "taken_up_again", "lost", "doubled", "two_writers", "unrecovered")
        table.add_row(engine, *(str(found[name]) for name in names))
    Console(width=120).print(table)
