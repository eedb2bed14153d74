"""The one place where the controller meets its console: everything else in `fleet` knows nothing of the web."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from fleet.cli.outcomes import WrongUse
from fleet.service import Service
from web.app import create_app

# Pages with live progress hold their connection open; a stop does not wait for their readers.
GRACE_S = 3
BACKLOG = 256


@dataclass(frozen=True, slots=True)
class Tls:
    certificate: Path
    key: Path


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn would raise the signal again when it has stopped, before our store is closed.
        yield


class Console:
    """The console on a socket that already listens."""

    def __init__(self, service: Service, listening: socket.socket, tls: Tls | None = None) -> None:
        self._listening = listening
        self._server = _Server(
            uvicorn.Config(
                create_app(service),
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=GRACE_S,
                ssl_certfile=tls.certificate if tls else None,
                ssl_keyfile=str(tls.key) if tls else None,
            )
        )

    async def run(self) -> None:
        """Serve until `stop`."""
        await self._server.serve(sockets=[self._listening])

    def stop(self) -> None:
        self._server.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises WrongUse."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise WrongUse(f"cannot listen on {host} port {port}: {error.strerror or error}; try another --port") from None


def address_of(listening: socket.socket, *, tls: bool) -> str:
    """Where a browser finds it."""
    host, port = listening.getsockname()[:2]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
