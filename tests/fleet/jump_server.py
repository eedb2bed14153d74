"""A real SSH server on loopback that stands between us and simulated cameras, and counts what goes through it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import asyncssh

from cameras import ways
from cameras.secret import Secret
from fleet.jump_hosts.connection import JumpHost
from fleet.jump_hosts.host_keys import Door, HostKey, new_key, sealed_text, written

USER = "camwarden"


@dataclass
class JumpServer:
    """`asked` are connections of SSH, `connections` those that were let in, `refused` keys that were not.

    `forwarded` are the ports that were asked for, in order.

    `forbidden` ports are not permitted; `taken` is the only key that is let in. Cameras are dialled once it is `open`.
    """

    host_key: asyncssh.SSHKey
    taken: asyncssh.SSHKey
    port: int = 0
    asked: int = 0
    connections: int = 0
    refused: int = 0
    forwarded: list[tuple[str, int]] = field(default_factory=list)
    forbidden: set[int] = field(default_factory=set)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    live: "set[asyncssh.SSHServerConnection]" = field(default_factory=set)

    def __post_init__(self) -> None:
        self.open.set()

    @property
    def door(self) -> Door:
        return Door(USER, "127.0.0.1", self.port)

    def jump_host(self, name: str = "the jump host of site Hof", **other: object) -> JumpHost:
        async def key() -> Secret:
            await asyncio.sleep(0)
            return sealed_text(self.taken)

        parts = {"door": self.door, "host_key": HostKey(written(self.host_key)), "open_key": key} | other
        return JumpHost(name, **parts)  # type: ignore[arg-type] # what a test gives instead fits

    def cut(self) -> None:
        for connection in list(self.live):
            connection.abort()


class _Guard(asyncssh.SSHServer):
    def __init__(self, server: JumpServer) -> None:
        self._server = server
        self._mine: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._mine = conn
        self._server.live.add(conn)
        self._server.asked += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - its signature
        if self._mine is not None:
            self._server.live.discard(self._mine)

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - its signature
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        fits = username == USER and key == self._server.taken.convert_to_public()
        self._server.refused += not fits
        return fits

    def auth_completed(self) -> None:
        self._server.connections += 1

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> Any:  # noqa: ANN401, ARG002
        if dest_port in self._server.forbidden:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "not permitted")
        self._server.forwarded.append((dest_host, dest_port))
        return self._dialled(dest_host, dest_port)

    async def _dialled(self, host: str, port: int) -> Any:  # noqa: ANN401 - the library gives it no public type
        await self._server.open.wait()
        assert self._mine is not None
        return await self._mine.forward_connection(host, port)


def new_server() -> JumpServer:
    return JumpServer(new_key(), new_key())


@asynccontextmanager
async def listening(server: JumpServer, sock: socket.socket | None = None) -> AsyncIterator[None]:
    where = {"sock": sock} if sock else {"host": "127.0.0.1", "port": server.port}
    acceptor = await asyncssh.create_server(
        lambda: _Guard(server),
        server_host_keys=[server.host_key],
        encoding=None,
        gss_host=None,
        **where,
    )
    server.port = server.port or acceptor.get_port()
    try:
        yield
    finally:
        acceptor.close()
        server.cut()
        await acceptor.wait_closed()
        while server.live:  # noqa: ASYNC110 - the last of them says nothing
            await asyncio.sleep(0.01)


@asynccontextmanager
async def jump_server() -> AsyncIterator[JumpServer]:
    server = new_server()
    async with listening(server):
        yield server


@asynccontextmanager
async def laid(jump_host: JumpHost, *networks: str) -> AsyncIterator[JumpHost]:
    ways.lay((ip_network(network), jump_host) for network in networks)
    try:
        yield jump_host
    finally:
        ways.lay(())
        await jump_host.close()
