"""A sweep of loopback: listeners, refusals, and a listener whose queue is full, which answers nothing."""

import asyncio
import errno
import resource
import selectors
import socket
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, contextmanager
from typing import Any

import pytest

from cameras.facts import OpenPorts
from scanners.discovery import sweep as module
from scanners.discovery.sweep import PER_ADDRESS, sweep, sweep_each


@contextmanager
def listening(address: str, backlog: int = 128) -> Iterator[int]:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as listener:
        listener.bind((address, 0))
        listener.listen(backlog)
        yield int(listener.getsockname()[1])


@contextmanager
def refusing(address: str) -> Iterator[int]:
    """A port that is taken, so that nobody else gets it, but at which nobody listens."""
    with socket.socket() as taken:
        taken.bind((address, 0))
        yield int(taken.getsockname()[1])


@contextmanager
def silent(address: str) -> Iterator[int]:
    """Linux drops what comes to a listener whose queue is full: nothing answers."""
    with ExitStack() as stack:
        port = stack.enter_context(listening(address, backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((address, port))
        yield port


async def found(addresses: list[str], ports: list[int], **options: Any) -> dict[str, OpenPorts]:  # noqa: ANN401
    async with aclosing(sweep(addresses, ports, **options)) as swept:
        return {address: seen async for address, seen in swept}


async def test_tells_open_closed_and_silent_ports_apart() -> None:
    a, b = "127.41.0.1", "127.41.0.2"
    with listening(a) as first, listening(b) as second, refusing(a) as shut, silent(a) as mute:
        seen = await found([a, b], [shut, first, mute, second, first], timeout_s=0.3)
    assert seen[a].open == (first,)
    assert seen[a].silent == (mute,)
    assert seen[a].closed == tuple(sorted((shut, second)))
    assert seen[b] == OpenPorts(open=(second,), closed=tuple(sorted((first, shut, mute))), silent=())


async def test_speaks_ipv6() -> None:
    with listening("::1") as port:
        assert (await found(["::1"], [port]))["::1"].open == (port,)


async def test_what_cannot_be_asked_at_all_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_ipv6(*_: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "address family not supported")

    monkeypatch.setattr(socket, "socket", no_ipv6)
    assert await found(["::1"], [80]) == {"::1": OpenPorts((), (), (80,))}


async def test_a_fault_of_ours_ends_the_sweep_and_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(socket.socket):
        def connect_ex(self, _address: object) -> int:
            raise RuntimeError("broken")

    monkeypatch.setattr(socket, "socket", Broken)
    with pytest.raises(RuntimeError, match="broken"):
        await found(["127.41.10.1"], [80])


async def test_nothing_to_do() -> None:
    assert await found([], [80]) == {}
    assert await found(["127.0.0.1"], []) == {"127.0.0.1": OpenPorts((), (), ())}


async def test_each_address_may_have_ports_of_its_own() -> None:
    with listening("127.41.1.1") as one, listening("127.41.1.2") as other:
        async with aclosing(sweep_each({"127.41.1.1": (one,), "127.41.1.2": (other,)})) as swept:
            seen = {address: ports.open async for address, ports in swept}
    assert seen == {"127.41.1.1": (one,), "127.41.1.2": (other,)}


async def test_an_address_is_told_as_soon_as_its_ports_are_known() -> None:
    with silent("127.41.2.1") as mute:
        async with aclosing(sweep(["127.41.2.1", "127.41.2.2"], [mute], timeout_s=30)) as swept:
            first = await anext(swept)
    assert first[0] == "127.41.2.2"


async def test_reports_progress() -> None:
    said: list[tuple[int, int]] = []
    await found(["127.41.3.1", "127.41.3.2"], [1], on_progress=lambda done, total: said.append((done, total)))
    assert said == [(1, 2), (2, 2)]


class Counting(selectors.DefaultSelector):
    """Counts how many are under way."""

    most = 0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401
        key = super().register(fileobj, events, data)
        Counting.most = max(Counting.most, len(self.get_map()))
        return key


LIMITS = {
    "one at a time": (1, 1),
    "three at a time": (3, 3),
    "no more than four for one address": (100, PER_ADDRESS * 2),
}


@pytest.mark.parametrize(("in_flight", "most"), LIMITS.values(), ids=LIMITS)
async def test_keeps_its_limits(in_flight: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "most", 0)
    monkeypatch.setattr(selectors, "DefaultSelector", Counting)
    with ExitStack() as stack:
        ports = [stack.enter_context(silent("127.41.4.1")) for _ in range(6)]
        fillers = [stack.enter_context(silent("127.41.4.2")) for _ in range(6)]
        seen = await found(["127.41.4.1"], ports, in_flight=in_flight, timeout_s=0.05)
        assert seen["127.41.4.1"].silent == tuple(sorted(ports))
        both = {"127.41.4.1": ports, "127.41.4.2": fillers}
        async with aclosing(sweep_each(both, in_flight=in_flight, timeout_s=0.05)) as swept:
            assert {address async for address, _ in swept} == set(both)
    assert Counting.most == most


async def test_starts_no_more_in_a_second_than_allowed() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await found(["127.41.5.1", "127.41.5.2"], list(range(1, 11)), per_second=100)
    # Twenty at a hundred a second, of which five may have been saved up: not a test of speed but of slowness.
    assert loop.time() - begun >= 0.14


async def test_waits_while_the_system_has_no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = iter([OSError(errno.EMFILE, "too many open files")] * 3)
    real = socket.socket

    def scarce(*arguments: Any) -> socket.socket:  # noqa: ANN401
        for refusal in refusals:
            raise refusal
        return real(*arguments)

    monkeypatch.setattr(socket, "socket", scarce)
    assert (await found(["127.41.6.1"], [1, 2]))["127.41.6.1"].closed == (1, 2)


async def test_gives_up_where_the_system_never_has_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> socket.socket:  # noqa: ANN401
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(socket, "socket", never)
    monkeypatch.setattr(module, "SHORTAGE_PATIENCE_S", 0.1)
    with pytest.raises(OSError, match="ulimit"):
        await found(["127.41.6.2"], [1, 2])


async def test_takes_at_most_half_of_the_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (6, 6))
    monkeypatch.setattr(Counting, "most", 0)
    monkeypatch.setattr(selectors, "DefaultSelector", Counting)
    with ExitStack() as stack:
        ports = [stack.enter_context(silent("127.41.7.1")) for _ in range(4)]
        await found(["127.41.7.1"], ports, timeout_s=0.05)
    assert Counting.most == 3


async def test_leaving_early_closes_everything() -> None:
    with silent("127.41.8.1") as mute:
        async with aclosing(sweep(["127.41.8.1", "127.41.8.2", "127.41.8.3"], [mute], timeout_s=30)) as swept:
            await anext(swept)
    # The frame around the tests fails this one for a descriptor or a task left open.


async def test_a_cancelled_sweep_ends() -> None:
    with silent("127.41.9.1") as mute:
        task = asyncio.create_task(found(["127.41.9.1"], [mute], timeout_s=30))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_does_not_starve_the_loop() -> None:
    turns = 0

    async def other_work() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(other_work())
    await found([f"127.42.0.{n}" for n in range(1, 101)], list(range(1, 26)))
    other.cancel()
    assert turns >= 2500 / module.TURN
