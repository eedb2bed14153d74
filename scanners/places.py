"""Where each target is spoken to: its door, without a login and without looking any closer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing

from cameras import soap
from cameras.budget import AttemptBudget
from cameras.facts import Gap, OpenPorts
from cameras.place import Place
from scanners.discovery.sweep import sweep
from scanners.identify import HTTP_PORTS, HTTPS_PORTS, Met, NotEvaluated, identify
from scanners.targets import Target

AT_ONCE = 64


async def find_places(
    targets: Sequence[Target],
    *,
    connect_timeout_s: float = 2.0,
    timeout_s: float = 8.0,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Place | NotEvaluated]:
    """One for each target. A web server that may be a camera once logged in to counts as one."""
    await asyncio.to_thread(soap.descriptions)
    free = asyncio.Semaphore(AT_ONCE)
    found: list[Place | NotEvaluated] = []

    async def find(target: Target, ports: OpenPorts | Gap) -> None:
        async with free, AsyncExitStack() as connections:
            met = await identify(connections, target, ports, AttemptBudget(), timeout_s)
            found.append(met if isinstance(met, NotEvaluated) else _place(target, met))
        on_progress(len(found), len(targets))

    async with asyncio.TaskGroup() as group:
        async for one in _with_ports(targets, connect_timeout_s):
            group.create_task(find(*one))
    return found


def _place(target: Target, met: Met) -> Place:
    http = met.session.http
    return Place(target.address, http.port, "https" if http.scheme == "https" else "http", target.shared)


async def _with_ports(targets: Sequence[Target], timeout_s: float) -> AsyncIterator[tuple[Target, OpenPorts | Gap]]:
    """A target that names its port is not searched for others."""
    searched: dict[str, Target] = {}
    for target in targets:
        if target.port is None:
            searched[target.address] = target
        else:
            yield target, Gap("not-asked", "the port was given")
    async with aclosing(sweep(list(searched), (*HTTP_PORTS, *HTTPS_PORTS), timeout_s=timeout_s)) as found:
        async for address, ports in found:
            yield searched[address], ports
