"""Jobs a second: the real queue, desk and runner over jobs that do nothing, on SQLite and on PostgreSQL."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from bench.faults_jobs import postgresql
from fleet.jobs.alone import running
from fleet.jobs.model import Done, Kind, NewJob, Next, Turn
from fleet.jobs.places import Limits
from fleet.jobs.queue import Queue
from fleet.settings import Settings
from fleet.store import open_store
from fleet.store.jobs_tables import IS_OPEN, Job

FULL, QUICK = 100_000, 10_000
AT_ONCE = 500
_BATCH = 10_000


def measure(*, quick: bool, sizes: Sequence[int] | None = None) -> dict[str, Any]:
    count = (sizes or (QUICK if quick else FULL,))[0]
    found = {"sqlite": asyncio.run(_measure(count, None))}
    with contextlib.ExitStack() as stack:
        if url := postgresql(stack):
            found["postgresql"] = asyncio.run(_measure(count, url))
    table = Table("engine", "asked for, per second", "done, per second", title=f"{count:,} jobs")
    for engine, (asked, done) in found.items():
        table.add_row(engine, f"{asked:,.0f}", f"{done:,.0f}")
    Console(width=100).print(table)
    return {"jobs": count, **{f"jobs_per_s_{engine}": round(done) for engine, (_, done) in found.items()}}


async def _nothing(_turn: Turn) -> Next:
    return Done()


async def _measure(count: int, url: str | None) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as name:
        settings = Settings(home=Path(name), database_url=url)
        async with await open_store(settings) as store:
            queue, kind = Queue(store), Kind("nothing", _nothing, at_once=AT_ONCE)
            began = time.perf_counter()
            for begin in range(0, count, _BATCH):
                await queue.enqueue_many([NewJob("nothing", "bench")] * min(_BATCH, count - begin))
            asked = time.perf_counter()
            limits = Limits(AT_ONCE, AT_ONCE)
            left: int | None = count
            async with running(queue, [kind], folder=settings.home / "locks", limits=limits):
                while left:
                    await asyncio.sleep(0.1)
                    async with store.read() as connection:
                        left = await connection.scalar(select(func.count()).select_from(Job).where(IS_OPEN))
            done = time.perf_counter()
    return count / (asked - began), count / (done - asked)
