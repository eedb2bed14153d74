"""The one place where the controller meets its console: everything else in `fleet` knows nothing of the web."""

import gc
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import uvicorn

from fleet.cli.outcomes import WrongUse
from fleet.service import Service
from fleet.tls import Tls
from web.app import behind_proxies, create_app

# Pages with live progress are told to come back; a stop does not wait for the readers of others.
GRACE_S = 3
BACKLOG = 256


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn would raise the signal again when it has stopped, before our store is closed.
        yield


class Console:
    """The console on a socket that already listens."""

    def __init__(self, service: Service, listening: socket.socket, tls: Tls | None = None) -> None:
        self._listening = listening
        self._app = create_app(service)
        config = uvicorn.Config(
            behind_proxies(self._app),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_S,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=str(tls.key) if tls else None,
        )
        config.load()
        self._tls: ssl.SSLContext | None = config.ssl
        if self._tls:
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._server = _Server(config)

    async def run(self) -> None:
        """Serve until `stop`."""
        settle()
        await self._server.serve(sockets=[self._listening])

    def stop(self) -> None:
        """Take nothing new; those who listen to live progress are told to come back."""
        self._app.state.desk.stopping.set()
        self._server.should_exit = True

    def renewed(self, tls: Tls) -> None:
        """Shake hands with this certificate from now on."""
        if self._tls:
            self._tls.load_cert_chain(tls.certificate, tls.key)


def settle() -> None:
    """Keep what is loaded by now, which lives as long as the process, out of collections.

    Looking through it takes a fifth of a second, in which no page is answered.
    """
    gc.collect()
    gc.freeze()


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
