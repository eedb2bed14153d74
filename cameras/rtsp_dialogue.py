"""Requests and answers of RTSP 1.0 (RFC 2326) on one connection, with media packets between them.

The camera's every length is bounded here, and asyncio's and the sockets' exceptions become `cameras.errors`.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from cameras.errors import Garbled, LockedOut, Refused, Unauthorized, Unreachable, Unsupported
from cameras.http import HttpLogin, Reply
from cameras.lockout import lock_hint
from cameras.untrusted import clean_text, network_words

MOST_HEAD_BYTES = 16 * 1024
MOST_BODY_BYTES = 256 * 1024
# A camera may send media before it answers; more than this before an answer is no dialogue.
_MOST_BETWEEN = 2000
_STATUS_LINE = re.compile(rb"RTSP/\d\.\d (?P<status>\d{3})(?: |\r?\n)")
_REQUEST_LINE = re.compile(rb"[A-Z_]{3,20} \S{1,2000} RTSP/\d\.\d\r?\n")
_OK, _UNAUTHORIZED, _FORBIDDEN = 200, 401, 403
_ELSEWHERE = range(300, 400)
_CANNOT = frozenset({405, 461, 501, 551})  # method, transport, not implemented, option


@dataclass(frozen=True, slots=True)
class Frame:
    """Media between the answers: one interleaved packet (RFC 2326 §10.12)."""

    channel: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Message:
    """An answer, or (status 0) a request of the camera's own."""

    status: int
    headers: httpx.Headers
    body: bytes


class Dialogue:
    """One connection. Raises `cameras.errors`; one request at a time, one reader at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, login: HttpLogin | None) -> None:
        self._reader = reader
        self._writer = writer
        # A login of its own: a challenge that the web server gave must not be answered here, it would count as wrong.
        self._login = HttpLogin(login.credential) if login else None
        self._count = 0

    async def ask(self, method: str, url: str, **headers: str) -> Reply:
        """The camera's yes. A wrong password is sent once and never again; the caller keeps the budget of tries."""
        reply = await self._exchange(method, url, headers)
        if reply.status == _UNAUTHORIZED and self._login is not None:
            if not reply.was_signed or self._login.proven:
                self._login.accept(reply, method, _whole(url))
                reply = await self._exchange(method, url, headers)
            self._login.proven = reply.was_signed and reply.status != _UNAUTHORIZED
        elif reply.was_signed and self._login is not None:
            self._login.proven = True
        _refuse(method, reply)
        return reply

    def say(self, method: str, url: str, **headers: str) -> None:
        """Without waiting for the answer, which `frame` passes over."""
        if not self._writer.is_closing():
            self._write(method, url, headers)

    async def frame(self) -> Frame | None:
        """The next packet of media; `None` where the camera has hung up between two. Answers are passed over."""
        for _ in range(_MOST_BETWEEN):
            found = await self._next()
            if not isinstance(found, _Message):
                return found
        raise Garbled(f"{_MOST_BETWEEN} messages without one packet between them")

    async def _exchange(self, method: str, url: str, headers: dict[str, str]) -> Reply:
        signed = self._write(method, url, headers)
        await self._writer.drain()
        for _ in range(_MOST_BETWEEN):
            found = await self._next()
            if found is None:
                raise Unreachable(f"it hung up instead of answering {method}")
            if isinstance(found, _Message) and found.status and found.headers.get("cseq", "").strip() in self._mine():
                return Reply(found.status, found.headers, found.body, was_signed=signed)
        raise Garbled(f"no answer to {method} among {_MOST_BETWEEN} packets")

    def _mine(self) -> tuple[str, ...]:
        """Some cameras leave CSeq out."""
        return (str(self._count), "")

    def _write(self, method: str, url: str, headers: dict[str, str]) -> bool:
        self._count += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._count}", "User-Agent: camwarden"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        signature = self._login.sign(method, _whole(url)) if self._login else None
        if signature is not None:
            lines.append(f"Authorization: {signature}")
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return signature is not None

    async def _next(self) -> Frame | _Message | None:
        try:
            first = await self._reader.readexactly(1)
        except asyncio.IncompleteReadError:
            return None
        if first == b"$":
            channel, high, low = await self._reader.readexactly(3)
            return Frame(channel, await self._reader.readexactly(high << 8 | low))
        return await self._message(first)

    async def _message(self, first: bytes) -> _Message:
        """Some cameras end lines with a bare line feed."""
        head = bytearray(first)
        while not head.endswith((b"\r\n\r\n", b"\n\n")):
            head += await self._reader.readuntil(b"\n")
            if not (_STATUS_LINE.match(head) or _REQUEST_LINE.match(head)):
                raise Garbled(f"not RTSP: {clean_text(bytes(head), 80)!r}")
            if len(head) > MOST_HEAD_BYTES:
                raise Garbled(f"a header of more than {MOST_HEAD_BYTES} bytes")
        lines = head.decode("latin-1").splitlines()[1:]
        headers = httpx.Headers([(name.strip(), value.strip()) for name, _, value in (x.partition(":") for x in lines)])
        said = headers.get("content-length", "0")
        length = int(said) if said.isascii() and said.isdigit() and len(said) < 10 else -1  # noqa: PLR2004 - a GB
        if not 0 <= length <= MOST_BODY_BYTES:
            raise Garbled(f"a body of {clean_text(said, 20)!r} bytes")
        status = int(head[9:12]) if _STATUS_LINE.match(head) else 0
        return _Message(status, headers, await self._reader.readexactly(length))


def _whole(url: str) -> httpx.URL:
    """Digest signs the target of the request; in RTSP that is the whole address, which httpx would cut to its path."""
    return httpx.URL(path="").copy_with(raw_path=url.encode())


def _refuse(method: str, reply: Reply) -> None:
    if reply.status == _OK:
        return
    if hint := lock_hint(reply.body):
        raise LockedOut(hint)
    if reply.status in {_UNAUTHORIZED, _FORBIDDEN}:
        raise Unauthorized("it refused this login" if reply.was_signed else "it asks for a login")
    if reply.status in _ELSEWHERE:
        raise Refused("it sends us to another place, which is not followed")
    error = Unsupported if reply.status in _CANNOT else Refused
    raise error(f"it answered {method} with RTSP {reply.status}")


@contextmanager
def naming_failures(timeout_s: float) -> Iterator[None]:
    """Every way not to get a complete answer is Unreachable; a line without an end is Garbled."""
    try:
        yield
    except TimeoutError as error:
        raise Unreachable(f"nothing came within {timeout_s:g} s") from error
    except asyncio.IncompleteReadError as error:
        raise Unreachable("it hung up in the middle") from error
    except asyncio.LimitOverrunError as error:
        raise Garbled("a line without an end") from error
    except OSError as error:  # ssl.SSLError is one
        raise Unreachable(network_words(error)) from error
