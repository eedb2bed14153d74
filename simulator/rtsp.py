"""A camera's RTSP door: OPTIONS for everybody, a session description behind Digest. Nothing is streamed."""

import asyncio
import re
from http import HTTPStatus
from typing import cast

from simulator import onvif
from simulator.auth import Entry
from simulator.camera import Camera
from simulator.decoys import Decoy

MOST_BYTES = 16 * 1024
_CSEQ = re.compile(rb"\r\nCSeq:[ \t]*(\d{1,9})", re.IGNORECASE)
_AUTHORIZATION = re.compile(rb"\r\nAuthorization:[ \t]*([^\r\n]*)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*(\d{1,5})", re.IGNORECASE)
_URL = re.compile(r"rtsps?://[^/]+(/[^ ]*)?", re.IGNORECASE)


class RtspConnection(asyncio.Protocol):
    """One client of a camera, or of a decoy that has RTSP and nothing else."""

    def __init__(self, camera: Camera | Decoy, open_transports: set[asyncio.BaseTransport]) -> None:
        self._camera = camera
        self._open = open_transports
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature is asyncio's
        if self._transport is not None:
            self._open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:  # asyncio calls connection_made first
            return
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end])
            length = _LENGTH.search(head)
            del self._buffer[: end + 4 + (int(length[1]) if length else 0)]
            self._transport.write(self._answer(head))
        if len(self._buffer) > MOST_BYTES:
            self._transport.close()

    def _answer(self, head: bytes) -> bytes:
        words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
        cseq = _CSEQ.search(head)
        if len(words) != 3 or words[2] != "RTSP/1.0" or cseq is None:  # noqa: PLR2004 - method, URL, version
            return _reply(400, b"0")
        method, url, _ = words
        if method == "OPTIONS":
            return _reply(200, cseq[1], b"Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n")
        if method != "DESCRIBE":
            return _reply(501, cseq[1])
        if isinstance(self._camera, Decoy):
            self._camera.logins += _AUTHORIZATION.search(head) is not None
            return _reply(401, cseq[1], b'WWW-Authenticate: Digest realm="media", nonce="0", algorithm=MD5\r\n')
        return self._describe(self._camera, url, head, cseq[1])

    def _describe(self, camera: Camera, url: str, head: bytes, cseq: bytes) -> bytes:
        if "rtsp" not in camera.plan.anonymous:
            said = _AUTHORIZATION.search(head)
            entry = camera.guard.check_http(said[1].decode("latin-1") if said else None, "DESCRIBE", url)
            if entry is Entry.LOCKED:
                return _reply(403, cseq)
            if entry is not Entry.GRANTED:
                return _reply(401, cseq, camera.guard.challenges(stale=entry is Entry.STALE))
        found = _URL.fullmatch(url)
        if found is None or found[1] not in [onvif.stream_path(camera.plan, profile[0]) for profile in onvif.PROFILES]:
            return _reply(404, cseq)
        return _reply(200, cseq, b"Content-Type: application/sdp\r\n", _session(camera.plan.address))


def _session(address: str) -> bytes:
    template = (onvif.TEMPLATES / "session.sdp").read_text(encoding="utf-8")
    return template.format(address=address).replace("\n", "\r\n").encode()


def _reply(status: int, cseq: bytes, headers: bytes = b"", body: bytes = b"") -> bytes:
    phrase = HTTPStatus(status).phrase.encode()
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    return b"RTSP/1.0 %d %s\r\nCSeq: %s\r\n%s%s\r\n%s" % (status, phrase, cseq, headers, length, body)
