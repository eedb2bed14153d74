"""A camera's RTSP door: OPTIONS for everybody, all else behind Digest; what is played comes inside the connection.

Cameras without scenes describe a stream and play none.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import cast

from simulator import onvif
from simulator.auth import Entry
from simulator.camera import Camera
from simulator.decoys import Decoy
from simulator.streaming import TRACKS, Profile, Session
from simulator.studio import Studio
from simulator.video import session_format

MOST_BYTES = 16 * 1024
PLAIN_FORMAT = "packetization-mode=1;profile-level-id=4D0029"
PUBLIC = b"Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n"
PHRASES = {454: "Session Not Found", 455: "Method Not Valid in This State", 461: "Unsupported Transport"}
_HEADER = {
    name: re.compile(rb"\r\n" + name + rb":[ \t]*([^\r\n]*)", re.IGNORECASE)
    for name in (b"Authorization", b"Content-Length", b"CSeq", b"Session", b"Transport")
}
_URL = re.compile(r"rtsps?://[^/]+(/[^ ]*)?", re.IGNORECASE)
_TRACK = re.compile(r"(.*)/trackID=(\d)")
_CHANNELS = re.compile(r"interleaved=(\d{1,3})-(\d{1,3})")

Answer = bytes | Callable[[], Awaitable[bytes]]
"""What is said, or what finds it out in a thread."""


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    cseq: bytes
    head: bytes

    def header(self, name: bytes) -> str | None:
        found = _HEADER[name].search(self.head)
        return found[1].decode("latin-1").strip() if found else None

    @property
    def path(self) -> str:
        found = _URL.fullmatch(self.url)
        return (found[1] or "").rstrip("/") if found else ""


class RtspConnection(asyncio.Protocol):
    """One client of a camera, or of a decoy that has RTSP and nothing else."""

    def __init__(self, camera: Camera | Decoy, open_transports: set[asyncio.BaseTransport]) -> None:
        self._camera = camera
        self._open = open_transports
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._finding_out: asyncio.Task[None] | None = None
        self._session: Session | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature is asyncio's
        if self._transport is not None:
            self._open.discard(self._transport)
        if self._finding_out is not None:
            self._finding_out.cancel()
        self._end_session()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._session is not None:
            self._session.heard()
        self._answer_all()

    # --- requests ---

    def _answer_all(self) -> None:
        """In order: nobody is answered while an answer before is still being found out."""
        if self._transport is None:  # asyncio calls connection_made first
            return
        while self._finding_out is None and (head := self._next_head()) is not None:
            answer = self._answer(head, self._transport)
            if isinstance(answer, bytes):
                self._transport.write(answer)
            else:
                self._finding_out = asyncio.get_running_loop().create_task(self._find_out(answer, self._transport))
        if len(self._buffer) > MOST_BYTES:
            self._transport.close()

    async def _find_out(self, answer: Callable[[], Awaitable[bytes]], transport: asyncio.Transport) -> None:
        transport.write(await answer())
        self._finding_out = None
        self._answer_all()

    def _next_head(self) -> bytes | None:
        """Of the next complete request; what clients send inside the connection about what they received is dropped."""
        while self._buffer[:1] == b"$":
            end = 4 + int.from_bytes(self._buffer[2:4], "big")
            if len(self._buffer) < max(4, end):
                return None
            del self._buffer[:end]
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self._buffer[:end])
        length = _HEADER[b"Content-Length"].search(head)
        size = int(length[1]) if length and length[1].isdigit() and len(length[1]) < 6 else 0  # noqa: PLR2004 - digits
        del self._buffer[: end + 4 + size]
        return head

    def _answer(self, head: bytes, transport: asyncio.Transport) -> Answer:
        words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
        cseq = _HEADER[b"CSeq"].search(head)
        if len(words) != 3 or words[2] != "RTSP/1.0" or cseq is None or not cseq[1].isdigit():  # noqa: PLR2004 - parts
            return _reply(400, b"0")
        request = _Request(words[0], words[1], cseq[1], head)
        if request.method == "OPTIONS":
            return _reply(200, request.cseq, PUBLIC)
        camera = self._camera
        if isinstance(camera, Decoy):
            return _decoy(camera, request)
        if request.method == "DESCRIBE":
            return _refusal(camera, request) or self._describe(camera, request)
        if camera.studio is None or camera.plan.picture is None:
            return _reply(501, request.cseq)
        return _refusal(camera, request) or self._control(camera, camera.studio, request, transport)

    def _control(self, camera: Camera, studio: Studio, request: _Request, transport: asyncio.Transport) -> bytes:
        if request.method == "SETUP":
            return self._set_up(camera, studio, request, transport)
        steps = {"PLAY": self._play, "GET_PARAMETER": self._stay, "TEARDOWN": self._tear_down}
        step = steps.get(request.method)
        if step is None:
            return _reply(501, request.cseq)
        said = (request.header(b"Session") or "").partition(";")[0]
        if self._session is None or ((said or request.method != "GET_PARAMETER") and said != self._session.id):
            return _reply(200 if request.method == "GET_PARAMETER" and not said else 454, request.cseq)
        return step(self._session, request)

    # --- methods ---

    def _describe(self, camera: Camera, request: _Request) -> Answer:
        profile = _profile(camera, request.path)
        if profile is None:
            return _reply(404, request.cseq)
        describe = partial(_description, request, camera.plan.address)
        studio = camera.studio
        if studio is None or camera.plan.picture is None:
            return describe(PLAIN_FORMAT)
        size, fps = profile[1:3], studio.stream_fps or float(profile[3])

        async def find_out() -> bytes:
            return describe(await studio.work(partial(session_format, size, fps)))

        return find_out

    def _set_up(self, camera: Camera, studio: Studio, request: _Request, transport: asyncio.Transport) -> bytes:
        found = _TRACK.fullmatch(request.path)
        profile = _profile(camera, found[1]) if found else None
        if found is None or profile is None or int(found[2]) not in TRACKS:
            return _reply(404, request.cseq)
        wanted = request.header(b"Transport") or ""
        channels = _CHANNELS.search(wanted)
        if "RTP/AVP/TCP" not in wanted or channels is None or int(channels[1]) > 254:  # noqa: PLR2004 - one byte
            return _reply(461, request.cseq)
        if self._session is None:
            self._session = Session(camera, studio, profile, transport)
        elif self._session.playing:
            return _reply(455, request.cseq)
        self._session.channels[int(found[2])] = int(channels[1])
        ways = f"Transport: RTP/AVP/TCP;unicast;interleaved={channels[1]}-{int(channels[1]) + 1}\r\n"
        return _reply(200, request.cseq, f"{ways}Session: {self._session.id};timeout={Session.TIMEOUT_S}\r\n".encode())

    def _play(self, session: Session, request: _Request) -> bytes:
        base = request.url.rstrip("/")
        rows = ",".join(f"url={base}/trackID={track};{state}" for track, state in session.play())
        headers = f"Session: {session.id}\r\nRange: npt=now-\r\nRTP-Info: {rows}\r\n"
        return _reply(200, request.cseq, headers.encode())

    def _stay(self, session: Session, request: _Request) -> bytes:
        return _reply(200, request.cseq, f"Session: {session.id}\r\n".encode())

    def _tear_down(self, session: Session, request: _Request) -> bytes:
        self._end_session()
        return _reply(200, request.cseq, f"Session: {session.id}\r\n".encode())

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.stop()


def _refusal(camera: Camera, request: _Request) -> bytes | None:
    """None for who may go on."""
    if "rtsp" in camera.plan.anonymous:
        return None
    entry = camera.guard.check_http(request.header(b"Authorization"), request.method, request.url)
    if entry is Entry.GRANTED:
        return None
    if entry is Entry.LOCKED:
        return _reply(403, request.cseq)
    return _reply(401, request.cseq, camera.guard.challenges(stale=entry is Entry.STALE))


def _decoy(decoy: Decoy, request: _Request) -> bytes:
    if request.method != "DESCRIBE":
        return _reply(501, request.cseq)
    decoy.logins += request.header(b"Authorization") is not None
    return _reply(401, request.cseq, b'WWW-Authenticate: Digest realm="media", nonce="0", algorithm=MD5\r\n')


def _profile(camera: Camera, path: str) -> Profile | None:
    return next((p for p in onvif.PROFILES if onvif.stream_path(camera.plan, p[0]).rstrip("/") == path), None)


def _description(request: _Request, address: str, video_format: str) -> bytes:
    template = (onvif.TEMPLATES / "session.sdp").read_text(encoding="utf-8")
    body = template.format(address=address, format=video_format).replace("\n", "\r\n").encode()
    base = f"Content-Base: {request.url.rstrip('/')}/\r\n"
    return _reply(200, request.cseq, f"{base}Content-Type: application/sdp\r\n".encode(), body)


def _reply(status: int, cseq: bytes, headers: bytes = b"", body: bytes = b"") -> bytes:
    phrase = (PHRASES.get(status) or HTTPStatus(status).phrase).encode()
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    return b"RTSP/1.0 %d %s\r\nCSeq: %s\r\n%s%s\r\n%s" % (status, phrase, cseq, headers, length, body)
