"""The way to a camera: straight, or by what stands between, such as the jump host of its site.

Everything that opens a TCP connection to a camera opens it here. A way is laid for networks, for the whole process; who
lays it and what it is made of is nobody's business below. Where none is laid, a connection costs one look at an empty
table more than before.

A way gives connected sockets, so asyncio's own transports and TLS work on it as on any other: to the camera the
conversation is the same, byte by byte.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Literal, Protocol, TypeVar

P = TypeVar("P", bound=asyncio.BaseProtocol)
Network = IPv4Network | IPv6Network
Heard = Literal["open", "closed", "silent"]
MOST_AHEAD = 64 * 1024


class Way(Protocol):
    """What leads to the addresses of a network. It stands in the event loop that it is used in."""

    async def dial(self, address: str, port: int) -> socket.socket:
        """A connected stream socket that does not block; what goes in there comes out at the camera.

        Raises OSError for what the camera does (it refuses, it cannot be reached), as a straight connection would, and
        Unreachable where the way itself does not lead there: its words name the way.
        """

    async def knock(self, address: str, port: int, timeout_s: float) -> Heard:
        """Does the port accept? Seconds count from when it is asked; where the way is broken, the answer is silence."""

    def trouble(self, address: str) -> str | None:
        """Why it does not lead there now, in words for the operator; `None` where nothing is known against it."""


@dataclass(frozen=True, slots=True)
class _Row:
    """The networks of one size."""

    version: int
    shift: int
    ways: dict[int, Way | None]


# The smallest networks first.
_laid: Sequence[_Row] = ()


def lay(networks: Iterable[tuple[Network, Way | None]]) -> None:
    """From now on; what was laid before is forgotten. `None` is straight: a network within one that has a way."""
    global _laid  # noqa: PLW0603 - one process has one table, as the system has one of routes
    by_size: dict[tuple[int, int], dict[int, Way | None]] = {}
    for network, way in networks:
        shift = network.max_prefixlen - network.prefixlen
        by_size.setdefault((network.version, shift), {})[int(network.network_address) >> shift] = way
    rows = sorted(by_size.items(), key=lambda one: one[0][1])
    any_way = any(way is not None for ways in by_size.values() for way in ways.values())
    _laid = tuple(_Row(version, shift, ways) for (version, shift), ways in rows) if any_way else ()


def way_to(address: str) -> Way | None:
    """`None` is straight. The smallest network around the address decides, as it does for the site of a camera."""
    if not _laid:
        return None
    try:
        there = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    number = int(there)
    for row in _laid:
        if row.version == there.version and (key := number >> row.shift) in row.ways:
            return row.ways[key]
    return None


def trouble(address: str) -> str | None:
    """Why the way to this address does not lead there, `None` for a straight one: silence is then the camera's."""
    way = way_to(address)
    return way.trouble(address) if way else None


async def connect(made: Callable[[], P], address: str, port: int, tls: ssl.SSLContext | None = None) -> P:
    """An open connection, by TLS where a context is given. Raises OSError, and Unreachable where the way is broken."""
    loop = asyncio.get_running_loop()
    if (way := way_to(address)) is None:
        _, protocol = await loop.create_connection(made, address, port, ssl=tls)
        return protocol
    sock = await way.dial(address, port)
    _, protocol = await loop.create_connection(made, sock=sock, ssl=tls, server_hostname=address if tls else None)
    return protocol


async def open_stream(
    address: str, port: int, tls: ssl.SSLContext | None = None, *, limit: int = MOST_AHEAD
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The same as a reader and a writer; at most twice `limit` bytes are read ahead."""
    if (way := way_to(address)) is None:
        return await asyncio.open_connection(address, port, ssl=tls, limit=limit)
    sock = await way.dial(address, port)
    return await asyncio.open_connection(sock=sock, ssl=tls, limit=limit, server_hostname=address if tls else None)
