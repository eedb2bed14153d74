"""The bytes of one connection to one camera: asyncio's streams, as httpcore wants to see them.

httpcore brings a backend over anyio, and httpx a pool around it: made for any number of hosts, they cost three times
what the exchange itself does. A camera is one host that is asked one thing at a time, so httpcore's HTTP/1.1 engine
runs straight on a stream. The caller bounds the time of the whole exchange; httpcore's own limits are not used.
"""

import asyncio
import ssl
from functools import cache
from typing import Any

import httpcore

_OP_LEGACY_SERVER_CONNECT = 0x4  # ssl.OP_LEGACY_SERVER_CONNECT has a name only from Python 3.12 on


class AsyncioStream(httpcore.AsyncNetworkStream):
    """Bytes to and from one camera. Errors are OSError, of which ssl's are a kind."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109
        return await self._reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        if buffer:
            self._writer.write(buffer)
            await self._writer.drain()

    async def aclose(self) -> None:
        # At once: a camera that does not answer the end of a connection must not hold us up.
        self._writer.transport.abort()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's form
        """Whether the camera has hung up meanwhile, which httpcore asks as "is there something to read"."""
        return self._reader.at_eof() if info == "is_readable" else None


async def connect(address: str, port: int, tls: ssl.SSLContext | None) -> httpcore.AsyncHTTP11Connection:
    """An open connection, by TLS where a context is given. Raises OSError."""
    stream = AsyncioStream(*await asyncio.open_connection(address, port, ssl=tls))
    origin = httpcore.Origin(b"https" if tls else b"http", address.encode(), port)
    return httpcore.AsyncHTTP11Connection(origin, stream)


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
