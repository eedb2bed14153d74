"""The way into an SSH server: its key looked at, ours offered, nothing else. The library's errors come through."""

import asyncio
import logging
from collections.abc import Callable

import asyncssh

from cameras.errors import Unreachable
from fleet.jump_hosts import words
from fleet.jump_hosts.host_keys import ALGORITHMS, Door, HostKey, fingerprint

# Shorter than what a camera is given to answer, so that it is the jump host that is named.
CONNECT_TIMEOUT_S = 6.0
# A jump host that vanishes is noticed after twice this, and its cameras are not blamed for longer.
KEEPALIVE_S = 5.0

# It has a line for every channel, and a sweep opens thousands.
logging.getLogger("asyncssh").setLevel(logging.WARNING)


class Client(asyncssh.SSHClient):
    """What a server may want of us: nothing but to be looked at."""

    def __init__(self, pinned: HostKey | None, lost: Callable[[Exception | None], None]) -> None:
        self._pinned, self._lost = pinned, lost
        self.shown: str | None = None
        self.key: asyncssh.SSHKey | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        self.shown, self.key = fingerprint(key), key
        return self._pinned is not None and self._pinned.fits(key)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(exc)


async def log_in(
    door: Door, client: Client, algorithms: tuple[str, ...], key: asyncssh.SSHKey | None
) -> asyncssh.SSHClientConnection:
    """Raises OSError and asyncssh's errors."""
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        connection, _ = await asyncssh.create_connection(
            lambda: client,
            door.host,
            door.port,
            config=None,
            known_hosts=([], [], []),  # not the user's: `validate_host_public_key` decides
            server_host_key_algs=list(algorithms),
            username=door.user,
            client_keys=[key] if key is not None else None,
            preferred_auth="publickey",
            agent_path=None,
            agent_forwarding=False,
            gss_host=None,
            compression_algs=["none"],
            keepalive_interval=KEEPALIVE_S,
            keepalive_count_max=1,
        )
    return connection


async def shown_host_key(door: Door) -> asyncssh.SSHKey:
    """The key that it shows to us now, of the kind that we like best. Nothing is sent to it. Raises Unreachable."""
    client = Client(None, lambda _: None)
    try:
        await log_in(door, client, ALGORITHMS, None)
    except (OSError, asyncssh.Error, ValueError) as error:
        if client.key is not None:
            return client.key
        raise words.of_connecting(error, f"the jump host {door.host}", None) from error
    raise Unreachable(f"the jump host {door.host} shows no host key")  # never: none is trusted
