"""Processes that cost a fork: one that has everything imported, and warm, makes them when it is told to."""

import asyncio
import json
import os
import select
import signal
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self


class Child:
    """One process. It is known by a descriptor and not by its number, which another process may have by now."""

    def __init__(self, pid: int) -> None:
        try:
            self._descriptor: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._descriptor = None  # it has ended already, and nobody has to wait for it

    @property
    def alive(self) -> bool:
        if self._descriptor is None:
            return False
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLIN)
        return not waiting.poll(0)

    def kill(self) -> bool:
        """SIGKILL: nothing of it runs any more. Whether it still lived."""
        lived = self.alive
        if lived and self._descriptor is not None:
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
        return lived

    async def ended(self, limit_s: float) -> bool:
        """Waits for its end, at most that long; whether it came."""
        if self._descriptor is None:
            return True
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._descriptor, over.set)
        try:
            async with asyncio.timeout(limit_s):
                await over.wait()
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = None
        return True


class Nursery:
    """`async with Nursery("bench.some_child") as nursery: child = await nursery.start({...})`.

    That module calls `attend` when it is run. The nursery ends with this process, and its children do not.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._one_at_a_time = asyncio.Lock()

    async def __aenter__(self) -> Self:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self._module, stdin=pipe, stdout=pipe
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        await self._process.wait()

    async def start(self, task: Mapping[str, Any]) -> Child:
        assert self._process.stdin is not None  # noqa: S101 - asked for
        assert self._process.stdout is not None  # noqa: S101
        async with self._one_at_a_time:
            self._process.stdin.write(json.dumps(task).encode() + b"\n")
            await self._process.stdin.drain()
            return Child(int(await self._process.stdout.readline()))
