"""The bytes of one HTTP/1.1 connection to one camera.

A camera is one host that is asked one thing at a time, so there is no pool and no queue: llhttp (by httptools) reads
what arrives, straight from asyncio's transport. The caller bounds the time of the whole exchange; sizes are bounded
here.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cache
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from cameras import ways

# What h11 allows too: a head that is larger is an attack or no HTTP.
MOST_HEAD_BYTES = 100 * 1024
_FINAL = 200
_HTTP = b"HTTP/"
_OP_LEGACY_SERVER_CONNECT = 0x4  # ssl.OP_LEGACY_SERVER_CONNECT has a name only from Python 3.12 on


class HungUp(ConnectionError):
    """The camera ended the connection before its answer was whole."""


class NotHttp(Exception):
    """What came is no answer by the rules of HTTP/1.1."""


class TooLarge(Exception):
    """The answer is larger than was allowed."""


@dataclass(slots=True)
class Answer:
    """A status, header lines in their order, and a body as it travelled (not decompressed)."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


class Wire(asyncio.Protocol):
    """One open connection. `exchange` sends a request and waits for its answer; one at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reading: _Reading | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.idle = False

    async def exchange(
        self, head: bytes, content: bytes | AsyncGenerator[bytes, None], *, most_bytes: int, head_only: bool = False
    ) -> Answer:
        """The answer to one request. Raises HungUp, NotHttp, TooLarge and OSError; the wire is useless then."""
        if self._transport is None or not self.idle:
            raise HungUp("the camera closed the connection")
        self.idle = False
        self._reading = reading = _Reading(most_bytes, head_only=head_only)
        if isinstance(content, bytes):
            self._transport.write(head + content)
        else:
            self._transport.write(head)
            await self._send_all(content, reading)
        answer = await reading.answer
        self._reading = None
        self.idle = reading.reusable and not self._transport.is_closing()
        return answer

    async def _send_all(self, content: AsyncGenerator[bytes, None], reading: "_Reading") -> None:
        """As fast as the camera takes it; an answer that comes early (a refusal) ends the sending."""
        async with aclosing(content) as parts:
            async for part in parts:
                await self._writable.wait()
                if reading.answer.done() or self._transport is None or self._transport.is_closing():
                    reading.reusable = False
                    return
                self._transport.write(part)

    @property
    def leaves_from(self) -> str | None:
        """The address of our end, without the zone of IPv6."""
        sockname = self._transport.get_extra_info("sockname") if self._transport is not None else None
        return str(sockname[0]).partition("%")[0] if isinstance(sockname, tuple) else None

    def hang_up(self) -> None:
        """At once: a camera that does not answer the end of a connection must not hold us up."""
        self.idle = False
        if self._transport is not None:
            self._transport.abort()

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.idle = True

    def data_received(self, data: bytes) -> None:
        if self._reading is None or self._reading.answer.done():
            self.hang_up()  # it speaks unasked: what comes next could be taken for the answer to another question
        else:
            self._reading.feed(data)

    def eof_received(self) -> bool:
        self._over(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._over(exc)

    def _over(self, error: Exception | None) -> None:
        self.idle = False
        self._writable.set()
        if self._reading is not None:
            self._reading.end(error)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()


class _Reading:
    """One answer on its way in. Its `on_…` methods are called by httptools."""

    def __init__(self, most_bytes: int, *, head_only: bool) -> None:
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.reusable = False
        self._parser = HttpResponseParser(self)
        # Firmware ends lines with a bare line feed now and then (RFC 9112 §2.2 lets a recipient take it).
        self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True)
        self._most_bytes = most_bytes
        self._head_only = head_only
        self._answer = Answer()
        self._parts: list[bytes] = []
        self._size = 0
        self._head_size = 0
        self._start = b""
        self._in_body = False
        self._until_end = True

    def feed(self, data: bytes) -> None:
        if not self._in_body:
            self._head_size += len(data)
        self._start = self._start or data[: len(_HTTP)]
        if not _HTTP.startswith(self._start):  # llhttp takes RTSP for HTTP
            self._fail(NotHttp("it does not begin with HTTP/"))
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self.reusable = False
            self._fail(NotHttp(str(error)))
        if not self._in_body and self._head_size > MOST_HEAD_BYTES:
            self._fail(NotHttp(f"a head of more than {MOST_HEAD_BYTES} bytes"))

    def end(self, error: Exception | None) -> None:
        """The connection is over: the end of a body that had no other end, else too early."""
        self.reusable = False
        if self._in_body and self._until_end and error is None:
            self._complete()
        else:
            early = HungUp("the camera closed the connection before its answer was whole")
            self._fail(error if isinstance(error, OSError) else early)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._until_end = False
        self._answer.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()
        self._in_body = self._answer.status >= _FINAL
        self.reusable = self._in_body and self._parser.should_keep_alive()
        if self._head_only and self._in_body:
            self.reusable = False
            self._complete()

    def on_body(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._most_bytes:
            self._fail(TooLarge(f"the answer is larger than {self._most_bytes} bytes"))
        else:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        if self._answer.status < _FINAL:  # 100 Continue and its like come before the answer
            self._answer = Answer()
            self._until_end = True
        else:
            self._complete()

    def _complete(self) -> None:
        if not self.answer.done():
            self._answer.body = b"".join(self._parts)
            self.answer.set_result(self._answer)

    def _fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


async def connect(address: str, port: int, tls: ssl.SSLContext | None) -> Wire:
    """An open connection, by TLS where a context is given. Raises OSError, Unreachable (`cameras.ways`)."""
    return await ways.connect(Wire, address, port, tls)


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
