"""One controller of the fault runs for jobs: the real store, queue, desk and runner, over jobs that write down what
they do. `python -m bench.faults_jobs_child` is their nursery (`bench.nursery`).
"""

import asyncio
import gc
import json
import mmap
import os
import random
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Pool, event, select

from fleet.audit.trail import Action, Entry, record_first
from fleet.jobs.desk import LocalDesk
from fleet.jobs.model import Again, Asked, Done, Job, JobId, Kind, NewJob, Next, Report, Turn
from fleet.jobs.places import Limits
from fleet.jobs.queue import Queue
from fleet.jobs.runner import Runner
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.store.engine import open_prepared
from fleet.store.jobs_tables import IS_OPEN
from fleet.store.jobs_tables import Job as JobRow
from fleet.store.opened import WRITING
from fleet.store.outages import outlast_outages

STEPS = 2
LIMITS = Limits(16, 4)
# What a process can be at, each a bit of its byte. Several may be under way at once, and none.
MOMENTS = ("start", "claim", "step", "report", "renew", "write", "commit", "end")


@dataclass(frozen=True, slots=True)
class Task:
    """`seed` decides how long steps take; `home` is where processes of one controller see each other; `moment` is the
    file that says what this one is at.
    """

    home: str
    database_url: str | None
    effects: str
    moment: str
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


class Moment:
    """What this process is at now, in a byte of a file that outlives it: whoever killed it can read it there.

    The file is there, and says "start".
    """

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._byte = mmap.mmap(file.fileno(), 1)
        self._counts = Counter({"start": 1})

    @contextmanager
    def at(self, what: str) -> Iterator[None]:
        self.enter(what)
        try:
            yield
        finally:
            self.leave(what)

    def enter(self, what: str) -> None:
        self._counts[what] += 1
        self._tell()

    def leave(self, what: str) -> None:
        self._counts[what] -= 1
        self._tell()

    def _tell(self) -> None:
        self._byte[0] = sum(1 << bit for bit, what in enumerate(MOMENTS) if self._counts[what] > 0)


def new_moment(path: Path) -> Path:
    """Of a process that is about to begin."""
    path.write_bytes(bytes([1]))
    return path


def read_moment(path: Path) -> tuple[str, ...]:
    """What a process that was killed was at; "idle" where that was nothing."""
    byte = path.read_bytes()[0]
    return tuple(what for bit, what in enumerate(MOMENTS) if byte >> bit & 1) or ("idle",)


class _Watched(LocalDesk):
    """The service's own desk; it says what it is at."""

    moment: Moment

    async def claim(self, room: int) -> Sequence[Job]:
        with self.moment.at("claim"):
            return await super().claim(room)

    async def renew(self, jobs: Sequence[JobId]) -> Mapping[JobId, Asked]:
        with self.moment.at("renew"):
            return await super().renew(jobs)

    async def report(self, reports: Sequence[Report]) -> None:
        with self.moment.at("report"):
            await super().report(reports)


def _follow_transactions(moment: Moment) -> None:
    """From the beginning of each that writes to its commit, and from there to its end."""

    @event.listens_for(Engine, "begin")
    def _begun(connection: Connection) -> None:
        if connection.get_execution_options().get(WRITING):
            connection.info["moment"] = "write"
            moment.enter("write")

    @event.listens_for(Engine, "commit")
    def _committing(connection: Connection) -> None:
        if connection.info.get("moment") == "write":
            moment.leave("write")
            moment.enter("commit")
            connection.info["moment"] = "commit"

    @event.listens_for(Pool, "checkin")
    def _over(_driver: object, pooled: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        if was := pooled.info.pop("moment", None):
            moment.leave(was)


def serve(task: Task) -> None:
    """Until every job has ended, or somebody ends this process."""
    moment = Moment(Path(task.moment))
    _follow_transactions(moment)
    asyncio.run(_serve(task, moment))


async def _serve(task: Task, moment: Moment) -> None:
    settings = Settings(home=Path(task.home), database_url=task.database_url)
    async with await open_prepared(settings) as store:
        queue, kinds = Queue(store), _kinds(task, store, moment)
        desk = _Watched(queue, kinds, LIMITS, folder=settings.home / "locks")
        desk.moment = moment
        runner = Runner(desk, kinds, at_once=LIMITS.at_once, begins=outlast_outages)
        # As in `fleet.jobs.alone`.
        async with desk.attended(), runner:
            moment.leave("start")
            while await _open_jobs(store):  # noqa: ASYNC110 - others bring it about as well
                await asyncio.sleep(0.03)
            moment.enter("end")


def _kinds(task: Task, store: Store, moment: Moment) -> tuple[Kind, ...]:
    effects, chance = Effects(Path(task.effects)), random.Random(task.seed)  # noqa: S311 - reproducible on purpose

    async def step(turn: Turn) -> Next:
        job, camera = turn.job.id, turn.job.camera or ""
        number = turn.job.progress.done
        with moment.at("step"):
            if not effects.ended(job, number):
                effects.write("begin", job, camera, number)
                await asyncio.sleep(chance.uniform(0, 0.002))
                said = {"camera": camera, "step": number}
                await record_first(store, Entry("bench", Action.HARDENING_APPLY, f"job:{job}", said))
                effects.write("end", job, camera, number)
        following = turn.job.progress.__class__(number + 1, STEPS)
        return Done() if number + 1 == STEPS else Again(None, following)

    return (
        Kind("change", step, changes_camera=True, at_once=16),
        Kind("other", step, changes_camera=True, at_once=4),
    )


async def _open_jobs(store: Store) -> bool:
    async with store.read() as connection:
        return (await connection.execute(select(JobRow.id).where(IS_OPEN).limit(1))).first() is not None


# --- the nursery ---


def attend() -> None:
    """For each line of standard input, which is a task: the number of the process that carries it out."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    asyncio.run(_warm_up())
    gc.collect()
    gc.freeze()  # else a collection would copy every page that children share
    for line in iter(sys.stdin.buffer.readline, b""):
        if pid := os.fork():
            sys.stdout.write(f"{pid}\n")
            sys.stdout.flush()
        else:
            _child(Task(**json.loads(line)))


def _child(task: Task) -> None:
    """Leaves without a word of what it inherited, as a process that was killed does too."""
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDWR), sys.stdin.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(task)
        code = 0
    except BaseException:  # noqa: BLE001 - the boundary of a process
        traceback.print_exc()
    finally:
        os._exit(code)


async def _warm_up() -> None:
    """Whatever is imported or made at its first use is there before the first fork."""
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as name:
        settings = Settings(home=Path(name) / "home")
        async with await open_store(settings) as store:
            await Queue(store).enqueue(NewJob("other", "bench"))
        moment = new_moment(Path(name) / "moment")
        await _serve(Task(str(settings.home), None, str(Path(name) / "effects"), str(moment), 0), Moment(moment))


if __name__ == "__main__":
    attend()
