"""One bounded conversation with one port: the place where this package's network exceptions become ours."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from cameras import ways
from cameras.errors import Garbled, Unreachable
from cameras.untrusted import network_words

MOST_BYTES = 64 * 1024


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
        raise Unreachable(f"{where}: {network_words(error)}") from error


@asynccontextmanager
async def dialogue(
    address: str, port: int, timeout_s: float, context: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that lasts for at most `timeout_s` in all. Leaves without waiting for the other side's goodbye."""
    async with asyncio.timeout(timeout_s):
        reader, writer = await ways.open_stream(address, port, context, limit=MOST_BYTES)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()
