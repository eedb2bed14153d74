"""Kinds of jobs that do what a test wants, and desks whose clocks it moves."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from fleet.findings.triage import record
from fleet.jobs.desk import LocalDesk
from fleet.jobs.model import Done, Job, JobId, Kind, NewJob, Next, Turn
from fleet.jobs.places import Limits
from fleet.jobs.queue import Queue
from fleet.jobs.runner import Runner
from fleet.store import Store
from fleet.store import tables as t
from tests.fleet.samples import assessed, camera, dossier


class Steady:
    """A steady clock that the test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


class Script:
    """A kind whose steps say what the test wrote down, the last for ever; each waits at the gate."""

    def __init__(self, *says: Next | Exception, gate: asyncio.Semaphore | None = None) -> None:
        self.says = list(says) or [Done()]
        self.gate = gate or asyncio.Semaphore(1_000_000)
        self.called: list[JobId] = []
        self.begun = asyncio.Event()
        self.at_once = 0
        self.most_at_once = 0

    async def __call__(self, turn: Turn) -> Next:
        self.called.append(turn.job.id)
        self.begun.set()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.acquire()
        finally:
            self.at_once -= 1
        said = self.says[min(len(self.called), len(self.says)) - 1]
        if isinstance(said, Exception):
            raise said
        return said


async def nothing(_turn: Turn) -> Next:
    return Done()


LOOK = Kind("look", nothing)
CHANGE = Kind("change", nothing, changes_camera=True)


def desk(
    queue: Queue, *kinds: Kind, limits: Limits | None = None, folder: Path | None = None, steady: Steady | None = None
) -> LocalDesk:
    return LocalDesk(queue, kinds or (LOOK, CHANGE), limits, folder=folder, steady=steady or Steady())


@asynccontextmanager
async def running(queue: Queue, *kinds: Kind, folder: Path | None = None) -> AsyncIterator[Runner]:
    async with LocalDesk(queue, kinds, folder=folder).attended() as opened, Runner(opened, kinds) as runner:
        yield runner


async def cameras(store: Store, count: int) -> list[str]:
    for number in range(1, count + 1):
        await record(store, assessed({}, dossier(f"10.0.0.{number}", identity=camera(number))))
    async with store.read() as connection:
        return list((await connection.scalars(select(t.Camera.id).order_by(t.Camera.id))).all())


async def asked_for(queue: Queue, count: int, **what: Any) -> list[JobId]:  # noqa: ANN401 - fields of a new job
    return await queue.enqueue_many([NewJob(**{"kind": "look", "actor": "ana", **what}) for _ in range(count)])


def ids(jobs: Sequence[Job]) -> list[JobId]:
    return [job.id for job in jobs]


async def hold(store: Store, camera_id: str, holder: str, minutes: float) -> None:
    """As if other work held the camera."""
    from datetime import timedelta  # noqa: PLC0415

    row = {"camera": camera_id, "holder": holder, "until": store.now() + timedelta(minutes=minutes)}
    async with store.write() as connection:
        await connection.execute(insert(t.CameraLease), [row])
