"""Does the camera describe a stream to somebody who did not log in? (RTSP 1.0, RFC 2326)"""

import asyncio
import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from cameras.errors import Garbled
from cameras.facts import AnonymousStream
from cameras.untrusted import clean_text, without_secrets
from cameras.wire import reading_context
from scanners.probes.dialogue import MOST_BYTES, dialogue, endpoint, naming_failures

_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322}
_STATUS_LINE = re.compile(rb"RTSP/\d\.\d (?P<status>\d{3})(?: |\r?\n)")
_CONTENT_LENGTH = re.compile(rb"\ncontent-length[ \t]*:[ \t]*(?P<bytes>\d{1,9})[ \t]*\r?\n", re.IGNORECASE)
_SUCCESS = 200
_HEADERS = "CSeq: 1\r\nAccept: application/sdp\r\nUser-Agent: camwarden\r\n"


@dataclass(frozen=True, slots=True)
class _Place:
    address: str
    port: int
    tls: bool


async def describe(url: str, timeout_s: float) -> AnonymousStream:
    """What DESCRIBE of this URL gives without credentials. Talks only to the address in the URL; follows no redirect.

    The URL comes from the camera: it must name an address, not a host, and the caller decides whose address it may be.
    User info is taken out of it. Raises Unreachable, Garbled.
    """
    place, asked = _understand(url)
    where = endpoint(place.address, place.port)
    context = reading_context() if place.tls else None
    with naming_failures(where):
        async with dialogue(place.address, place.port, timeout_s, context) as (reader, writer):
            writer.write(f"DESCRIBE {asked} RTSP/1.0\r\n{_HEADERS}\r\n".encode())
            status, body = await _answer(reader, where)
    described = status == _SUCCESS and body.startswith(b"v=0") and b"\nm=" in body
    return AnonymousStream(clean_text(asked, 500), status, described)


def _understand(url: str) -> tuple[_Place, str]:
    """Where to go and what to ask for. A line break in a URL would be a second request: refused."""
    try:
        asked = without_secrets(url)
        parts = urlsplit(asked)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        address = (parts.hostname or "").replace("%25", "%")
        ip_address(address)
    except (ValueError, KeyError) as error:
        raise Garbled(f"not an RTSP address of a camera: {clean_text(url.rpartition('@')[2], 80)!r}") from error
    if not (asked.isascii() and asked.isprintable()) or " " in asked:
        raise Garbled(f"not fit to be asked for: {clean_text(asked, 80)!r}")
    return _Place(address, port, tls=parts.scheme == "rtsps"), asked


async def _answer(reader: asyncio.StreamReader, where: str) -> tuple[int, bytes]:
    """Status and body, as much of it as matters. Some cameras end lines with a bare line feed."""
    head = bytearray()
    while not head.endswith((b"\r\n\r\n", b"\n\n")):
        try:
            head += await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            if head or b"RTSP/".startswith(error.partial[:5]):
                raise
            head += error.partial
        if not _STATUS_LINE.match(head):
            raise Garbled(f"{where}: not RTSP: {clean_text(bytes(head), 80)!r}")
        if len(head) > MOST_BYTES:
            raise Garbled(f"{where}: a header of more than {MOST_BYTES} bytes")
    status = int(head[9:12])
    length = _CONTENT_LENGTH.search(head)
    if status != _SUCCESS or length is None:
        return status, b""
    return status, await reader.readexactly(min(int(length["bytes"]), MOST_BYTES))
