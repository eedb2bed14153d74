"""Jobs a second: the real queue, desk and runner over jobs that do nothing, on SQLite and on PostgreSQL.

Beside them, on the same PostgreSQL server, procrastinate. Both do whatever they do for a job that does something: it is
claimed, carried out, and written down as done, with its history.
"""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from bench import install
from bench.faults_jobs import postgresql
from bench.process import run_module
from fleet.jobs.alone import running
from fleet.jobs.model import Done, Kind, NewJob, Next, Turn
from fleet.jobs.places import Limits
from fleet.jobs.queue import Queue
from fleet.jobs.states import JobState, Move
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.store.jobs_tables import IS_OPEN, Job, JobEvent

FULL, QUICK = 100_000, 10_000
_BATCH = 10_000
_LIMIT_S = 3600.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Jobs a second: asked for, and carried out; `None` where it was not measured."""

    asked: float
    done: float


def measure(*, quick: bool, sizes: Sequence[int] | None = None) -> dict[str, Any]:
    """`sizes`: how many jobs. As many run at once as do where no setting says otherwise."""
    count = (sizes or (QUICK if quick else FULL,))[0]
    at_once = Settings.model_fields["jobs_at_once"].default
    found: dict[str, Rates | None] = {"sqlite": asyncio.run(_ours(count, at_once, None))}
    with contextlib.ExitStack() as stack:
        if new_database := postgresql(stack):
            found["postgresql"] = asyncio.run(_ours(count, at_once, new_database()))
            found["procrastinate"] = _procrastinate(count, at_once, new_database())
    _print(found, f"{count:,} jobs, {at_once} at once")
    rates = {f"jobs_per_s_{name}": round(one.done) for name, one in found.items() if one}
    return {"jobs": count, "at_once": at_once, **rates, "times_procrastinate": _ratio(found)}


def _ratio(found: dict[str, Rates | None]) -> float | None:
    ours, peer = found.get("postgresql"), found.get("procrastinate")
    return round(ours.done / peer.done, 2) if ours and peer else None


def _print(found: dict[str, Rates | None], title: str) -> None:
    table = Table("queue", "asked for, per second", "done, per second", title=title)
    names = {"sqlite": "ours, SQLite", "postgresql": "ours, PostgreSQL", "procrastinate": "procrastinate, PostgreSQL"}
    for name, rates in found.items():
        shown = (f"{rates.asked:,.0f}", f"{rates.done:,.0f}") if rates else (f"missing: {install.HOW_TO}", "")
        table.add_row(names[name], *shown)
    Console(width=100).print(table)
    if ratio := _ratio(found):
        Console().print(f"ours does {ratio:.1f} times as many as procrastinate on the same server")


async def _nothing(_turn: Turn) -> Next:
    return Done()


async def _ours(count: int, at_once: int, url: str | None) -> Rates:
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as name:
        settings = Settings(home=Path(name), database_url=url)
        async with await open_store(settings) as store:
            queue, kind = Queue(store), Kind("nothing", _nothing, at_once=at_once)
            began = time.perf_counter()
            for begin in range(0, count, _BATCH):
                await queue.enqueue_many([NewJob("nothing", "bench")] * min(_BATCH, count - begin))
            asked = time.perf_counter()
            limits = Limits(at_once, at_once)
            async with running(queue, [kind], folder=settings.home / "locks", limits=limits):
                while await _is_any_open(store):  # noqa: ASYNC110 - a condition of the store
                    await asyncio.sleep(0.1)
            done = time.perf_counter()
            await _see_that_all_was_done(store, count)
    return Rates(count / (asked - began), count / (done - asked))


async def _is_any_open(store: Store) -> bool:
    async with store.read() as connection:
        return (await connection.execute(select(Job.id).where(IS_OPEN).limit(1))).first() is not None


async def _see_that_all_was_done(store: Store, count: int) -> None:
    """Each was claimed, is done and free again, and its history says so once: nothing was left out to be quick."""
    whole = (Job.state == JobState.DONE.value, Job.started_at.is_not(None), Job.finished_at.is_not(None))
    async with store.read() as connection:
        jobs = await connection.scalar(select(func.count()).select_from(Job).where(*whole, Job.holder.is_(None)))
        finished = select(func.count(), func.count(JobEvent.job.distinct())).where(JobEvent.event == Move.FINISH.value)
        lines, told = (await connection.execute(finished)).one()
    if not jobs == lines == told == count:
        raise RuntimeError(f"of {count} jobs {jobs} were done, and {told} told of in {lines} lines")


def _procrastinate(count: int, at_once: int, url: str) -> Rates | None:
    if (place := install.place(install.PROCRASTINATE)) is None:
        return None
    job = {"url": url, "count": count, "at_once": at_once}
    done = run_module("bench.peers.procrastinate_jobs", limit_s=_LIMIT_S, job=job, python_path=place)
    found = done.answer()
    if found is None or found["done"] != count:
        raise RuntimeError(f"procrastinate did not come to its end: {done.errors[-2000:]}")
    return Rates(count / found["asked_s"], count / found["done_s"])
