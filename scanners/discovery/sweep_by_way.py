"""The part of a sweep that goes by a way (`cameras.ways`): the port is asked for there, not by a socket of ours."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cameras.facts import OpenPorts
from cameras.ways import Heard, Way

HOSTS_AT_ONCE = 16


class Allowance:
    """A token bucket: `rate` a second, saved up for at most a twentieth of one."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._most = max(1.0, rate / 20)
        self._tokens = 1.0
        self._at = now

    def wait_s(self, now: float) -> float:
        """Zero where one may start; a started one is paid for with `take`."""
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return 0.0 if self._tokens >= 1.0 else (1.0 - self._tokens) / self._rate

    def take(self) -> None:
        self._tokens -= 1.0


class ByWay:
    """Puts each address of `by_way`, with its ports of the `plan`, into `results` as soon as they are known.

    At most `HOSTS_AT_ONCE` addresses of one way at a time, and `per_address` ports of each; the way itself bounds how
    much is asked of it at once. `allowance` is shared with the rest of the sweep. What ends all of it comes as a result
    too.
    """

    def __init__(
        self,
        by_way: Mapping[str, Way],
        plan: Mapping[str, Sequence[int]],
        results: "asyncio.Queue[tuple[str, OpenPorts] | Exception]",
        allowance: Allowance | None,
        *,
        per_address: int,
        timeout_s: float,
    ) -> None:
        self._results, self._allowance = results, allowance
        self._per_address, self._timeout_s = per_address, timeout_s
        self._task = asyncio.create_task(self._all(by_way, plan))

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _all(self, by_way: Mapping[str, Way], plan: Mapping[str, Sequence[int]]) -> None:
        behind: dict[Way, list[str]] = defaultdict(list)
        for address, way in by_way.items():
            behind[way].append(address)
        try:
            async with asyncio.TaskGroup() as group:
                for way, addresses in behind.items():
                    waiting = iter(addresses)
                    for _ in range(min(HOSTS_AT_ONCE, len(addresses))):
                        group.create_task(self._hosts(way, waiting, plan))
        except Exception as error:  # noqa: BLE001 - a task has nobody to raise to: the iteration raises it
            found: Exception = error
            while isinstance(found, ExceptionGroup):
                found = found.exceptions[0]
            self._results.put_nowait(found)

    async def _hosts(self, way: Way, waiting: Iterator[str], plan: Mapping[str, Sequence[int]]) -> None:
        for address in waiting:
            heard: dict[Heard, list[int]] = {"open": [], "closed": [], "silent": []}
            ports = iter(dict.fromkeys(plan[address]))
            async with asyncio.TaskGroup() as group:
                for _ in range(self._per_address):
                    group.create_task(self._ports(way, address, ports, heard))
            said = (tuple(sorted(heard[one])) for one in ("open", "closed", "silent"))
            self._results.put_nowait((address, OpenPorts(*said)))

    async def _ports(self, way: Way, address: str, ports: Iterator[int], heard: Mapping[Heard, list[int]]) -> None:
        for port in ports:
            if self._allowance is not None:
                await self._paid(self._allowance)
            heard[await way.knock(address, port, self._timeout_s)].append(port)

    async def _paid(self, allowance: Allowance) -> None:
        loop = asyncio.get_running_loop()
        while wait_s := allowance.wait_s(loop.time()):  # noqa: ASYNC110 - time alone fills it
            await asyncio.sleep(wait_s)
        allowance.take()
