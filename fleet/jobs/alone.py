"""Work that is opened without the service, as commands and tests do, and then runs its own jobs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fleet.jobs.desk import LocalDesk
from fleet.jobs.model import Kind
from fleet.jobs.places import Limits
from fleet.jobs.queue import Queue
from fleet.jobs.runner import Runner
from fleet.store.outages import outlast_outages


@asynccontextmanager
async def running(
    queue: Queue, kinds: Sequence[Kind], *, folder: Path | None = None, limits: Limits | None = None
) -> AsyncIterator[Runner]:
    """The jobs of these kinds run while the block does. `folder`: `fleet.jobs.desk.LocalDesk`."""
    desk = LocalDesk(queue, kinds, limits, folder=folder)
    # Steps wait for a database that is gone; the runner itself does not, or it would not see its leases run out.
    runner = Runner(desk, kinds, at_once=desk.limits.at_once, begins=outlast_outages)
    async with desk.attended(), runner:
        yield runner
