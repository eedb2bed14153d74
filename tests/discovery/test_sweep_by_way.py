"""A sweep of addresses of which some have a way: what it asks of the way, how fast, and what becomes of its faults."""

import asyncio
import socket
from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from cameras import ways
from cameras.facts import OpenPorts
from cameras.ways import Heard
from scanners.discovery.sweep import PER_ADDRESS
from scanners.discovery.sweep_by_way import HOSTS_AT_ONCE
from tests.discovery.test_sweep import found, refusing

BEHIND = "127.43.0.0/16"


class Counting:
    """A way whose every port is open; it counts what is asked of it at the same time, and fails where it is to."""

    def __init__(self, error: Exception | None = None, seconds: float = 0.0) -> None:
        self.asked: list[tuple[str, int]] = []
        self.now: list[str] = []
        self.most_hosts = self.most_ports = 0
        self._error, self._seconds = error, seconds

    async def dial(self, address: str, port: int) -> socket.socket:
        raise AssertionError((address, port))

    async def knock(self, address: str, port: int, timeout_s: float) -> Heard:
        assert timeout_s == 2.0
        self.asked.append((address, port))
        self.now.append(address)
        self.most_hosts = max(self.most_hosts, len(set(self.now)))
        self.most_ports = max(self.most_ports, self.now.count(address))
        await asyncio.sleep(self._seconds)
        self.now.remove(address)
        if self._error is not None:
            raise self._error
        return "open"

    def trouble(self, address: str) -> str | None:
        return f"none with {address}"


@pytest.fixture
def way(request: pytest.FixtureRequest) -> Iterator[Counting]:
    made = Counting(**getattr(request, "param", {}))
    ways.lay([(ip_network(BEHIND), made)])
    yield made
    ways.lay(())


async def test_only_what_has_a_way_is_asked_of_it(way: Counting) -> None:
    with refusing("127.41.9.1") as shut:
        seen = await found(["127.41.9.1", "127.43.0.1"], [shut, 7, shut])
    assert way.asked == [("127.43.0.1", shut), ("127.43.0.1", 7)]
    assert seen["127.43.0.1"] == OpenPorts(tuple(sorted((shut, 7))), (), ())
    assert seen["127.41.9.1"].closed == tuple(sorted((shut, 7)))


@pytest.mark.parametrize("way", [{"seconds": 0.001}], indirect=True)
async def test_it_goes_gently_for_each_address_and_for_the_way(way: Counting) -> None:
    seen = await found([f"127.43.0.{number}" for number in range(1, 61)], list(range(1, 11)))
    assert (len(seen), len(way.asked)) == (60, 600)
    assert (way.most_hosts, way.most_ports) == (HOSTS_AT_ONCE, PER_ADDRESS)


async def test_the_rate_is_that_of_the_whole_sweep(way: Counting) -> None:
    begun = asyncio.get_running_loop().time()
    with refusing("127.41.9.1") as shut:
        await found(["127.41.9.1", "127.43.0.1"], [shut, *range(1, 10)], per_second=50)
    assert asyncio.get_running_loop().time() - begun > 18 / 50 * 0.8
    assert len(way.asked) == 10


@pytest.mark.parametrize("way", [{"error": ValueError("a fault of ours")}], indirect=True)
async def test_a_fault_ends_the_sweep_and_is_raised(way: Counting) -> None:
    with pytest.raises(ValueError, match="a fault of ours"):
        await found(["127.43.0.1"], [80])
    assert way.asked
