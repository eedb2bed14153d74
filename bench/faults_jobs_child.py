"""One controller of the fault runs for jobs: the real store, queue and runner, over jobs that write down what they do.

Loaded once by multiprocessing's fork server, so that a process costs a fork and not a second of imports.
"""

import asyncio
import os
import random
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from fleet.jobs.alone import running
from fleet.jobs.model import Again, Done, Kind, Next, Turn
from fleet.jobs.places import Limits
from fleet.jobs.queue import Queue
from fleet.settings import Settings
from fleet.store import Store, postgresql, sqlite
from fleet.store.engine import utc_now
from fleet.store.jobs_tables import IS_OPEN, Job

STEPS = 2


@dataclass(frozen=True, slots=True)
class Task:
    """`seed` decides how long steps take; `home` is where processes of one controller see each other."""

    home: str
    database_url: str | None
    effects: str
    seed: int


class Effects:
    """An append-only file: one line for the beginning and one for the end of each step, with who wrote it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, what: str, job: str, camera: str, step: int) -> None:
        os.write(self._descriptor, f"{what} {job} {camera} {step} {os.getpid()}\n".encode())

    def ended(self, job: str, step: int) -> bool:
        """What a driver would ask its camera: was this done already, by a process that could not say so any more?"""
        line = f"end {job} "
        return any(one.startswith(line) and one.split()[3] == str(step) for one in self._path.read_text().splitlines())


def serve(task: Task) -> None:
    """Until every job has ended, or somebody ends this process."""
    asyncio.run(_serve(task))


async def _serve(task: Task) -> None:
    settings = Settings(home=Path(task.home), database_url=task.database_url)
    effects, chance = Effects(Path(task.effects)), random.Random(task.seed)  # noqa: S311 - reproducible on purpose

    async def step(turn: Turn) -> Next:
        job, camera = turn.job.id, turn.job.camera or ""
        number = turn.job.progress.done
        if not effects.ended(job, number):
            effects.write("begin", job, camera, number)
            await asyncio.sleep(chance.uniform(0, 0.002))
            effects.write("end", job, camera, number)
        following = turn.job.progress.__class__(number + 1, STEPS)
        return Done() if number + 1 == STEPS else Again(None, following)

    kinds = (Kind("change", step, changes_camera=True, at_once=16), Kind("other", step, changes_camera=True, at_once=4))
    # The schema is there: looking for changes of it would cost more than the run.
    database = await postgresql.opened(settings) if settings.database_url else sqlite.opened(settings.database)
    async with Store(database, utc_now) as store:
        queue = Queue(store)
        async with running(queue, kinds, folder=settings.home / "locks", limits=Limits(16, 4)):
            while await _open_jobs(store):  # noqa: ASYNC110 - others bring it about as well
                await asyncio.sleep(0.03)


async def _open_jobs(store: Store) -> bool:
    async with store.read() as connection:
        return (await connection.execute(select(Job.id).where(IS_OPEN).limit(1))).first() is not None
