"""Real sockets on loopback, on a port of our own: 3702 may be in use."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import cast

import pytest

from scanners.discovery import datagrams
from scanners.discovery.datagrams import Replies, ask_group
from scanners.discovery.interfaces import InterfaceError, addresses
from scanners.discovery.probe_matches import read
from scanners.discovery.ws_discovery import GROUP, PROTOCOL, probe_unicast
from tests.discovery.test_probe_matches import answer, match

Answer = Callable[[bytes], list[bytes]]


class Responder(asyncio.DatagramProtocol):
    """Hears on one socket and answers from another, as a camera with its own address does to a multicast."""

    def __init__(self, replies: Answer, voice: socket.socket | None) -> None:
        self.heard: list[bytes] = []
        self._replies = replies
        self.voice = voice

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # by class it is none before Python 3.12

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(data)
        for reply in self._replies(data):
            if self.voice is not None:
                self.voice.sendto(reply, addr)
            else:
                self._transport.sendto(reply, addr)


@asynccontextmanager
async def camera(address: str, port: int, replies: Answer, *, multicast: bool) -> AsyncIterator[Responder]:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as voice:
        voice.bind((address, 0))
        hearing = socket.socket(family, socket.SOCK_DGRAM)
        hearing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        hearing.bind((GROUP if multicast else address, port))
        if multicast:
            group = socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
            hearing.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        transport, responder = await loop.create_datagram_endpoint(
            lambda: Responder(replies, voice if multicast else None), sock=hearing
        )
        try:
            yield responder
        finally:
            transport.close()
            await asyncio.sleep(0)


@pytest.fixture
def port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def always(**said: str) -> Answer:
    return lambda _: [answer(match(**said))]


def with_their_message_id(heard: bytes) -> list[bytes]:
    """Some cameras send back the id of the question as the id of their answer."""
    message_id = re.findall(rb"<a:MessageID>([^<]+)<", heard)[0]
    header = b"<s:Header><a:MessageID>" + message_id + b"</a:MessageID></s:Header>"
    return [answer(match(epr="urn:uuid:reused")).replace(b"<s:Header/>", header)]


async def test_finds_every_camera_by_multicast(port: int) -> None:
    cameras: dict[str, Answer] = {
        "127.31.0.1": always(epr="urn:uuid:cloned", xaddrs="http://127.31.0.1/d"),
        "127.31.0.2": always(epr="urn:uuid:cloned", xaddrs="http://127.31.0.2/d"),
        "127.31.0.3": with_their_message_id,
        "127.31.0.4": always(epr="urn:uuid:4", xaddrs="http://192.0.2.4:8080/d"),
        "127.31.0.5": lambda heard: [answer(match(epr="urn:uuid:5"))] if b"d:Types" not in heard else [],
        "127.31.0.6": lambda _: [b"\x00" * 60_000, b"<html/>", b""],
    }
    async with AsyncExitStack() as stack:
        responders = [
            await stack.enter_async_context(camera(address, port, replies, multicast=True))
            for address, replies in cameras.items()
        ]
        found = await ask_group(replace(PROTOCOL, port=port), ["127.0.0.1"], 0.6)
    assert [(one.address, one.epr) for one in found] == [
        ("127.31.0.1", "urn:uuid:cloned"),
        ("127.31.0.2", "urn:uuid:cloned"),
        ("127.31.0.3", "urn:uuid:reused"),
        ("127.31.0.4", "urn:uuid:4"),
        ("127.31.0.5", "urn:uuid:5"),
    ]
    assert (found[3].port, found[3].path) == (8080, "/d")
    heard = responders[0].heard
    message_ids = [re.findall(rb"<a:MessageID>([^<]+)<", probe)[0] for probe in heard]
    assert len(set(message_ids)) == len(heard) >= 6


async def test_multicast_without_an_interface_finds_nobody() -> None:
    assert await ask_group(PROTOCOL, [], 5) == []


async def test_finds_cameras_one_by_one(port: int) -> None:
    silent = [f"127.32.1.{n}" for n in range(1, 60)]
    async with AsyncExitStack() as stack:
        for address in ("127.32.0.1", "127.32.0.2"):
            await stack.enter_async_context(camera(address, port, always(epr="urn:uuid:cloned"), multicast=False))
        found = await probe_unicast(["127.32.0.1", *silent, "127.32.0.2", "127.32.0.1"], 0.2, 16, port=port)
    assert [one.address for one in found] == ["127.32.0.1", "127.32.0.2"]


async def test_asks_ipv6_addresses_too(port: int) -> None:
    async with camera("::1", port, always(xaddrs="http://[::1]:81/d"), multicast=False):
        (found,) = await probe_unicast(["::1"], 1, port=port)
    assert (found.address, found.port) == ("::1", 81)


async def test_hears_nobody_who_was_not_asked(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as intruder:
        intruder.bind(("127.33.0.9", 0))
        async with camera("127.33.0.1", port, always(), multicast=False) as asked:
            asked.voice = intruder
            assert await probe_unicast(["127.33.0.1"], 0.4, port=port) == []
            asked.voice = None
            assert len(await probe_unicast(["127.33.0.1"], 2, port=port)) == 1


async def test_asks_at_most_so_many_at_a_time(port: int) -> None:
    order: list[str] = []

    def noting(address: str) -> Answer:
        def replies(_: bytes) -> list[bytes]:
            order.append(address)
            return [answer(match())]

        return replies

    cameras = [f"127.34.0.{n}" for n in range(1, 11)]
    async with AsyncExitStack() as stack:
        for address in cameras:
            await stack.enter_async_context(camera(address, port, noting(address), multicast=False))
        found = await probe_unicast(cameras, 5, 1, port=port)
    assert [one.address for one in found] == cameras
    assert list(dict.fromkeys(order)) == cameras


FLOODS = {
    "garbage": ([b"x"] * 3, {"garbled": 3}),
    "too many datagrams": ([answer(match())] * 70, {"too-many-from-one": 6}),
    "too many devices": (
        [answer(match(xaddrs=f"http://10.0.0.5:{n}/")) for n in range(1, 40)],
        {"too-many-devices": 7},
    ),
}


@pytest.mark.parametrize(("datagrams", "ignored"), FLOODS.values(), ids=FLOODS)
def test_counts_what_it_does_not_hear(datagrams: list[bytes], ignored: dict[str, int]) -> None:
    replies = Replies(read)
    for datagram in datagrams:
        replies.add(datagram, "10.0.0.5")
    replies.add(answer(match()), "10.0.0.6")
    assert dict(replies.ignored) == ignored
    assert "10.0.0.6" in {sighting.address for sighting in replies.sightings()}


def test_counts_senders_beyond_all_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "MOST_SENDERS", 2)
    replies = Replies(read)
    for n in range(1, 5):
        replies.add(answer(match()), f"10.0.0.{n}")
    assert [sighting.address for sighting in replies.sightings()] == ["10.0.0.1", "10.0.0.2"]
    assert replies.ignored["too-many-senders"] == 2


INTERFACES = {
    "loopback by address": (["127.0.0.1"], ["127.0.0.1"]),
    "loopback by name": (["lo"], ["127.0.0.1"]),
    "one in two spellings": (["lo", "127.0.0.1"], ["127.0.0.1"]),
    "none": ([], []),
}


@pytest.mark.parametrize(("asked", "expected"), INTERFACES.values(), ids=INTERFACES)
def test_interfaces(asked: list[str], expected: list[str]) -> None:
    assert addresses(asked) == expected


def test_all_interfaces_leave_out_loopback() -> None:
    assert not [address for address in addresses(None) if address.startswith("127.")]


@pytest.mark.parametrize("name", ["absent0", "", "a" * 40, "::1", "lo\x00"])
def test_refuses_an_interface_that_does_not_exist(name: str) -> None:
    with pytest.raises(InterfaceError):
        addresses([name])
