"""Real sockets on loopback, on ports of our own; each test asks from an address that no other one uses."""

import asyncio
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from cameras.errors import Garbled
from scanners.discovery import PROTOCOLS, ask_everybody, dhdiscover, sadp
from scanners.discovery.datagrams import BROADCAST, Protocol, _asked, ask_group
from scanners.discovery.sightings import Sighting
from tests.discovery.test_ws_discovery import Responder, port

__all__ = ["port"]  # a fixture

GROUP = "239.255.42.42"
HERE = f"127.{1 + os.getpid() % 250}.77.1"


def read(datagram: bytes, sender: str) -> list[Sighting]:
    if not datagram.startswith(b"here"):
        raise Garbled("not ours")
    return [Sighting(address=sender, sources=("test",), model=datagram.decode())]


def protocol(port: int, **more: object) -> Protocol:
    return replace(Protocol("test", GROUP, port, lambda: [b"who?"], read), **more)  # type: ignore[arg-type]


@asynccontextmanager
async def device(address: str, port: int, *, to_all: bool = False) -> AsyncIterator[Responder]:
    """Hears the group and answers from its own address: the asker, or the whole group."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as voice:
        voice.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        voice.bind((address, 0))
        hearing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        hearing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        hearing.bind((GROUP, port))
        member = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton("127.0.0.1"))
        hearing.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)

        def replies(heard: bytes) -> list[bytes]:
            if heard != b"who?":
                return []
            if to_all:
                voice.sendto(f"here {address}".encode(), (GROUP, port))
                return []
            return [f"here {address}".encode()]

        transport, responder = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Responder(replies, voice), sock=hearing
        )
        try:
            yield responder
        finally:
            transport.close()
            await asyncio.sleep(0)


@pytest.mark.parametrize("to_all", [False, True], ids=["to the asker", "to the group"])
async def test_hears_what_is_sent_back(port: int, to_all: bool) -> None:
    async with device("127.62.0.1", port, to_all=to_all), device("127.62.0.2", port):
        found = await ask_group(protocol(port, answers_to_group=True), [HERE], 0.5)
    assert [(one.address, one.model) for one in found] == [
        ("127.62.0.1", "here 127.62.0.1"),
        ("127.62.0.2", "here 127.62.0.2"),
    ]


async def test_what_is_sent_to_the_group_is_not_heard_from_another_port(port: int) -> None:
    async with device("127.62.1.1", port, to_all=True) as there:
        assert await ask_group(protocol(port), [HERE], 0.4) == []
    assert there.heard.count(b"who?") >= 3


async def test_a_port_that_somebody_keeps_for_himself_is_told_and_costs_the_others_nothing(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    shared, own = protocol(port, answers_to_group=True, name="keeps"), protocol(port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as selfish:
        selfish.bind((HERE, port))
        with caplog.at_level(logging.WARNING):
            async with device("127.62.2.1", port):
                found = await ask_everybody([HERE], 0.4, protocols=[shared, own])
    assert [one.address for one in found] == ["127.62.2.1"]
    (skipped,) = [record for record in caplog.records if record.message == "discovery.skipped"]
    assert (skipped.__dict__["protocol"], skipped.__dict__["address"]) == ("keeps", HERE)
    assert skipped.__dict__["error"] == "Address already in use"


async def test_one_interface_without_a_socket_costs_the_others_nothing(port: int) -> None:
    async with device("127.62.3.1", port):
        found = await ask_group(protocol(port), ["192.0.2.1", HERE], 0.4)
    assert [one.address for one in found] == ["127.62.3.1"]


async def test_a_closer_look_has_what_is_left_of_the_wait(port: int) -> None:
    async def look(sightings: list[Sighting]) -> None:
        sightings[0] = replace(sightings[0], model="looked at")
        await asyncio.sleep(60)

    async with device("127.62.4.1", port):
        began = asyncio.get_running_loop().time()
        found = await ask_group(protocol(port, look_closer=look), [HERE], 0.6)
    assert [one.model for one in found] == ["looked at"]
    assert asyncio.get_running_loop().time() - began < 5


async def test_all_protocols_share_one_wait(port: int) -> None:
    began = asyncio.get_running_loop().time()
    await ask_everybody([HERE], 0.5, protocols=[protocol(port)] * 8)
    assert asyncio.get_running_loop().time() - began < 2


def test_a_broadcast_goes_to_networks_only() -> None:
    assert _asked(dhdiscover.PROTOCOL, "10.0.0.5") == ("239.255.255.251", BROADCAST)
    assert _asked(dhdiscover.PROTOCOL, "127.0.0.1") == ("239.255.255.251",)
    assert _asked(sadp.PROTOCOL, "10.0.0.5") == ("239.255.255.250",)


def test_every_way_of_announcing_is_asked_for() -> None:
    assert [(one.name, one.group, one.port) for one in PROTOCOLS] == [
        ("ws-discovery", "239.255.255.250", 3702),
        ("sadp", "239.255.255.250", 37020),
        ("dhdiscover", "239.255.255.251", 37810),
        ("mdns", "224.0.0.251", 5353),
        ("ssdp", "239.255.255.250", 1900),
    ]
