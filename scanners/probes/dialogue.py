"""One bounded conversation with one port: the place where this package's network exceptions become ours."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache

from cameras.errors import Garbled, Unreachable
from cameras.untrusted import clean_text

MOST_BYTES = 64 * 1024

_OP_LEGACY_SERVER_CONNECT = 0x4  # ssl.OP_LEGACY_SERVER_CONNECT has a name only from Python 3.12 on


@cache
def reading_context() -> ssl.SSLContext:
    """For reading what anybody may read, never for a secret: takes every certificate, old protocols and weak ciphers.

    One for the whole process: each costs milliseconds and hundreds of KiB.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.options |= _OP_LEGACY_SERVER_CONNECT
    return context


def endpoint(address: str, port: int) -> str:
    """As it stands in a URL: IPv6 in brackets, with the interface of a link-local address escaped (RFC 6874)."""
    return f"[{address.replace('%', '%25')}]:{port}" if ":" in address else f"{address}:{port}"


@contextmanager
def naming_failures(where: str) -> Iterator[None]:
    """Every way not to get a complete answer is Unreachable; more than may be is Garbled."""
    try:
        yield
    except TimeoutError as error:
        raise Unreachable(f"{where}: no answer in time") from error
    except asyncio.IncompleteReadError as error:
        raise Unreachable(f"{where}: cut off after {len(error.partial)} bytes") from error
    except asyncio.LimitOverrunError as error:
        raise Garbled(f"{where}: more than {MOST_BYTES} bytes without an end") from error
    except OSError as error:  # ssl.SSLError is one
        raise Unreachable(f"{where}: {clean_text(error.strerror or str(error))}") from error


@asynccontextmanager
async def dialogue(
    address: str, port: int, timeout_s: float, context: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that lasts for at most `timeout_s` in all. Leaves without waiting for the other side's goodbye."""
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_connection(address, port, ssl=context, limit=MOST_BYTES)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()
