"""A small, fast HTTP/1.1 server: keep-alive, Content-Length bodies, bounded in size.

It leaves all meaning to a `Site`. Nothing here parses more than a request needs: in benchmarks the estate shares its
processor with what it is measured against.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, cast

MOST_HEAD_BYTES = 16 * 1024
MOST_BODY_BYTES = 64 * 1024
MOST_UPLOAD_BYTES = 8 * 1024 * 1024
UPLOADS = (
    "/onvif/upload/",
    "/axis-cgi/firmwaremanagement.cgi",
    "/axis-cgi/applications/upload.cgi",
    "/cgi-bin/upgrader.cgi",
    "/cgi-bin/dhop.cgi",
    "/stw-cgi/system.cgi",
    "/stw-cgi/opensdk.cgi",
    "/ISAPI/System/updateFirmware",
    "/ISAPI/System/configurationData",
)
"""Paths that take files."""
SLOW_BYTES = 48
SLOW_PAUSE_S = 0.003

_STATUS = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus}
_STATUS[490] = b"HTTP/1.1 490 \r\n"  # no standard's: Hanwha's word for an account that is blocked, or too many sessions
_HEADERS: dict[bytes, re.Pattern[bytes]] = {
    name: re.compile(rb"\r\n" + name + rb":[ \t]*([^\r\n]*)", re.IGNORECASE)
    for name in (
        *(b"Authorization", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Content-Type", b"Expect"),
        b"Accept",
    )
}


@dataclass(slots=True)
class Request:
    """One request; `head` is everything before the blank line, as it came."""

    method: str
    target: str
    head: bytes
    body: bytes
    tls: bool

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def is_last(self) -> bool:
        """Whether the client expects the connection to end with the answer."""
        said = (self.header(b"Connection") or "").lower()
        if self.head.partition(b"\r\n")[0].endswith(b"/1.0"):
            return said != "keep-alive"
        return said == "close"

    def header(self, name: bytes) -> str | None:
        found = _HEADERS[name].search(self.head)
        return found[1].decode("latin-1").strip() if found else None


@dataclass(slots=True)
class Reply:
    """Bytes to send. `close` hangs up after them; `slow` sends the first of them one by one; `later` makes them."""

    data: bytes
    close: bool = False
    slow: bool = False
    later: Callable[[], Awaitable[bytes]] | None = None


class Site(Protocol):
    def handle(self, request: Request) -> Reply | None:
        """The reply; None means silence."""


def response(
    status: int, body: bytes = b"", content_type: bytes = b"text/html", headers: bytes = b"", server: bytes = b""
) -> bytes:
    """A whole response. `headers` and `server` are complete header lines."""
    return b"%s%sContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n%s" % (
        _STATUS[status],
        server,
        content_type,
        headers,
        len(body),
        body,
    )


class HttpConnection(asyncio.Protocol):
    """One client. Requests are answered in order."""

    def __init__(self, site: Site, open_transports: set[asyncio.BaseTransport], *, tls: bool) -> None:
        self._site = site
        self._open = open_transports
        self._tls = tls
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._sending: asyncio.Task[None] | None = None
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature is asyncio's
        if self._transport is not None:
            self._open.discard(self._transport)
        self._ended = True
        if self._sending is not None:
            self._sending.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._answer_all()

    def _answer_all(self) -> None:
        while not self._ended and self._sending is None and self._transport is not None:
            try:
                request = self._next_request(self._transport)
            except _Unacceptable as problem:
                self._transport.write(response(problem.status, headers=b"Connection: close\r\n"))
                self._hang_up(self._transport)
                return
            if request is None:
                return
            reply = self._site.handle(request)
            if reply is None:
                return
            if request.method == "HEAD":
                reply = _without_body(reply)
            self._send(self._transport, reply, close=reply.close or request.is_last)

    def _send(self, transport: asyncio.Transport, reply: Reply, *, close: bool) -> None:
        if reply.slow or reply.later is not None:
            self._sending = asyncio.get_running_loop().create_task(self._take_time(transport, reply, close=close))
            return
        transport.write(reply.data)
        if close:
            self._hang_up(transport)

    async def _take_time(self, transport: asyncio.Transport, reply: Reply, *, close: bool) -> None:
        data = reply.data if reply.later is None else await reply.later()
        one_by_one = min(SLOW_BYTES, len(data)) if reply.slow else 0
        for place in range(one_by_one):
            transport.write(data[place : place + 1])
            await asyncio.sleep(SLOW_PAUSE_S)
        transport.write(data[one_by_one:])
        self._sending = None
        if close:
            self._hang_up(transport)
        else:
            self._answer_all()

    def _hang_up(self, transport: asyncio.Transport) -> None:
        self._ended = True
        transport.close()

    def _next_request(self, transport: asyncio.Transport) -> Request | None:
        """The next complete request of the buffer, None while there is none. Raises _Unacceptable."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MOST_HEAD_BYTES:
                raise _Unacceptable(431)
            return None
        head = bytes(self._buffer[:end])
        words = head.partition(b"\r\n")[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):  # noqa: PLR2004 - method, target, version
            raise _Unacceptable(400)
        request = Request(words[0].decode("latin-1"), words[1].decode("latin-1"), head, b"", self._tls)
        start, length = end + 4, _body_length(request)
        if len(self._buffer) < start + length:
            if request.header(b"Expect") and len(self._buffer) == start:
                transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        request.body = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        return request


def _without_body(reply: Reply) -> Reply:
    """The answer to HEAD."""
    later = reply.later

    async def head() -> bytes:
        return _head(await later()) if later else b""

    return Reply(_head(reply.data), reply.close, reply.slow, head if later else None)


def _head(data: bytes) -> bytes:
    return data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if data else b""


class _Unacceptable(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _body_length(request: Request) -> int:
    if request.header(b"Transfer-Encoding"):
        raise _Unacceptable(411)
    length = request.header(b"Content-Length") or "0"
    if not (length.isascii() and length.isdigit() and len(length) < 10):  # noqa: PLR2004 - digits of a size
        raise _Unacceptable(400)
    if int(length) > (MOST_UPLOAD_BYTES if _takes_files(request) else MOST_BODY_BYTES):
        raise _Unacceptable(413)
    return int(length)


def _takes_files(request: Request) -> bool:
    inside = (request.header(b"Content-Type") or "").lower().startswith("multipart/related")
    return inside or request.path.startswith(UPLOADS)


def connection_factory(
    site: Site, open_transports: set[asyncio.BaseTransport], *, tls: bool
) -> Callable[[], HttpConnection]:
    return lambda: HttpConnection(site, open_transports, tls=tls)
