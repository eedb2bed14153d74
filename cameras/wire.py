"""One TCP or TLS connection for httpcore, straight on asyncio's streams.

httpcore brings a backend over anyio, and httpx a pool around it: made for any number of hosts, they cost three times
what the exchange itself does. A camera is one host, asked one thing at a time, so one connection without a pool is
enough (`python -m bench http` compares it with aiohttp). Time limits are kept by the caller, who bounds the whole
exchange.
"""

import asyncio
import ssl
from collections.abc import Iterable
from functools import cache
from typing import Any

import httpcore


class AsyncioStream(httpcore.AsyncNetworkStream):
    """Bytes to and from one camera. Errors are OSError, of which ssl's are a kind."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    # The time limits are httpcore's form; see above.
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109
        return await self._reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        if buffer:
            self._writer.write(buffer)
            await self._writer.drain()

    async def aclose(self) -> None:
        # At once: a camera that does not answer the end of a connection must not hold us up.
        self._writer.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,  # noqa: ARG002
        server_hostname: str | None = None,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """Nothing is left to do: `AsyncioBackend` has already connected by TLS."""
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's form
        """Whether the camera has hung up meanwhile; TLS shows httpcore no ALPN, so that it speaks HTTP/1.1."""
        return self._reader.at_eof() if info == "is_readable" else None


class AsyncioBackend(httpcore.AsyncNetworkBackend):
    """Connects by TLS where a context is given, else in clear text."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        return AsyncioStream(*await asyncio.open_connection(host, port, ssl=self._tls))


_OP_LEGACY_SERVER_CONNECT = 0x4  # ssl.OP_LEGACY_SERVER_CONNECT has a name only from Python 3.12 on


@cache
def reading_context() -> ssl.SSLContext:
    """One TLS context for all cameras: any certificate, old protocols, weak ciphers.

    Cameras come with self-signed certificates and old TLS; what they offer is judged by the checks, not by a refusal to
    look. No password travels on this trust: Digest and WS-Security never send one, and see `cameras.http` for Basic.
    One for the whole process, since each costs milliseconds and hundreds of KiB.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.options |= _OP_LEGACY_SERVER_CONNECT
    return context
