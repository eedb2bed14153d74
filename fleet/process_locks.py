"""One process for each piece of durable work: the console and the command line may run side by side over one store.

A lease (`fleet.leases`) belongs to the work and outlives a process, so that another one can go on; it cannot tell
whether the first still lives. A lock on a file can: the system gives it back when a process ends, however it ends.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def only_here(folder: Path, work: str) -> AsyncIterator[bool]:
    """Whether this process may do that work while the block runs: false where another one (or task) does it now."""
    path = folder / work
    descriptor = await asyncio.to_thread(_lock, path)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            await asyncio.to_thread(_unlock, path, descriptor)


def _lock(path: Path) -> int | None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink:  # else whoever had it has just removed it: it locks nothing any more
            return descriptor
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None


def _unlock(path: Path, descriptor: int) -> None:
    path.unlink(missing_ok=True)
    os.close(descriptor)
