"""A camera's live stream: RTSP 1.0 over one TCP connection, packets interleaved (RFC 2326 §10.12)."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Self
from urllib.parse import urljoin, urlsplit, urlunsplit

from cameras import ways
from cameras.errors import Garbled, Unsupported
from cameras.http import HttpLogin, Reply
from cameras.rtp import Packet, read_packet, says_goodbye
from cameras.rtsp_dialogue import Dialogue, naming_failures
from cameras.sdp import Session, Track, read_session
from cameras.untrusted import clean_text, without_secrets
from cameras.wire import reading_context

__all__ = ["Packet", "Stream", "Track", "play"]

TIMEOUT_S = 8.0
# A camera that sends pictures sends them all the time; one that sends what happens may have nothing to say.
QUIET_S: Mapping[str, float] = MappingProxyType({"video": TIMEOUT_S, "application": 60.0})
_MOST_READ_AHEAD = 256 * 1024
_MOST_ODD = 5000
_PORTS = {"rtsp": 554, "rtsps": 322}
_CHANNELS = re.compile(r"interleaved\s*=\s*(\d{1,3})(?:\s*-\s*(\d{1,3}))?", re.IGNORECASE)
_SESSION = re.compile(r"(?P<id>[\x21-\x3a\x3c-\x7e]{1,256})(?:\s*;\s*timeout\s*=\s*(?P<timeout>\d{1,6}))?")
_KEPT_S = 60  # what a session lasts without a word where the camera does not say (RFC 2326 §12.37)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where to connect, and the address as it is asked for: on the host we dial, whatever host was named."""

    address: str
    port: int
    tls: bool
    url: str


class Stream:
    """The packets of one track as they come: `async for packet in stream`. Ends when the camera ends it.

    Raises Unreachable (cut off, or silent for longer than the track may be) and Garbled. What is not a packet of this
    track is passed over.
    """

    def __init__(self, track: Track, dialogue: Dialogue, channels: tuple[int, int], quiet_s: float) -> None:
        self.track = track
        self._dialogue = dialogue
        self._media, self._control = channels
        self._quiet_s = quiet_s

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Packet:
        with naming_failures(self._quiet_s):
            async with asyncio.timeout(self._quiet_s):
                for _ in range(_MOST_ODD):
                    frame = await self._dialogue.frame()
                    if frame is None or (frame.channel == self._control and says_goodbye(frame.payload)):
                        raise StopAsyncIteration
                    if frame.channel == self._media and (packet := read_packet(frame.payload, time.monotonic())):
                        return packet
        raise Garbled(f"{_MOST_ODD} packets, and none of them of this stream")


@asynccontextmanager
async def play(
    url: str,
    login: HttpLogin | None,
    *,
    media: Literal["video", "application"],
    address: str,
    timeout_s: float = TIMEOUT_S,
    quiet_s: float | None = None,
) -> AsyncIterator[Stream]:
    """The first track of that kind, playing until the block ends. Only `address` is dialled, whatever the URL names.

    A login is tried once: the caller spends the attempt budget. `timeout_s` bounds the connecting, and then all of the
    questions together; `quiet_s` how long the stream may be silent (QUIET_S). Raises Unsupported where there is no such
    track, and all of `cameras.errors`.
    """
    place = _understand(url, address)
    with naming_failures(timeout_s):
        async with asyncio.timeout(timeout_s):
            tls = reading_context() if place.tls else None
            reader, writer = await ways.open_stream(place.address, place.port, tls, limit=_MOST_READ_AHEAD)
    dialogue = Dialogue(reader, writer, login)
    try:
        with naming_failures(timeout_s):
            async with asyncio.timeout(timeout_s):
                started = await _start(dialogue, place, media)
        alive = asyncio.create_task(_keep_alive(dialogue, started))
        try:
            quiet = QUIET_S[media] if quiet_s is None else quiet_s
            yield Stream(started.track, dialogue, started.channels, quiet)
        finally:
            alive.cancel()
            with suppress(asyncio.CancelledError):
                await alive
            dialogue.say("TEARDOWN", started.url, Session=started.session)
    finally:
        writer.transport.abort()  # a camera that does not answer the end must not hold us up


@dataclass(frozen=True, slots=True)
class _Started:
    track: Track
    channels: tuple[int, int]
    url: str
    session: str
    lasts_s: int


async def _start(dialogue: Dialogue, place: _Place, media: str) -> _Started:
    described = await dialogue.ask("DESCRIBE", place.url, Accept="application/sdp")
    session = read_session(described.body)
    track = next((one for one in session.tracks if one.media == media), None)
    if track is None:
        raise Unsupported(f"its stream has no track of {media} that we can read")
    base = _base(described, place)
    wanted = {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}
    set_up = await dialogue.ask("SETUP", _joined(base, track.control, place), **wanted)
    named = _SESSION.match(set_up.headers.get("session", ""))
    if named is None:
        raise Garbled("it set up a stream without naming the session")
    url = _aggregate(session, base, place)
    await dialogue.ask("PLAY", url, Session=named["id"], Range="npt=0.000-")
    lasts_s = int(named["timeout"] or _KEPT_S)
    return _Started(track, _channels(set_up), url, named["id"], lasts_s)


async def _keep_alive(dialogue: Dialogue, started: _Started) -> None:
    """OPTIONS within the session: the one method that every camera has."""
    while True:
        await asyncio.sleep(max(2.0, started.lasts_s / 2 - 1))
        dialogue.say("OPTIONS", started.url, Session=started.session)


def _understand(url: str, address: str) -> _Place:
    """User info is taken out. A line break in a URL would be a second request: refused. Raises Garbled."""
    try:
        parts = urlsplit(without_secrets(url))
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise Garbled(f"not an RTSP address: {clean_text(url.rpartition('@')[2], 80)!r}") from error
    host = f"[{address}]" if ":" in address else address
    asked = urlunsplit(parts._replace(netloc=f"{host}:{port}", fragment=""))
    place = _Place(address, port, parts.scheme == "rtsps", asked)
    if any(ord(character) < ord("!") for character in url) or not (asked.isascii() and asked.isprintable()):
        raise Garbled(f"not fit to be asked for: {clean_text(asked, 80)!r}")
    return place


def _base(described: Reply, place: _Place) -> str:
    """What relative control addresses are relative to (RFC 2326 §C.1.1), on the host that we dial."""
    said = described.headers.get("content-base") or described.headers.get("content-location") or place.url
    return _here(urljoin(place.url, said), place)


def _joined(base: str, control: str, place: _Place) -> str:
    """Not by the rules of relative web addresses: cameras mean "below the base", also where it ends without a slash."""
    if control in {"", "*"}:
        return base
    if "://" in control:
        return _here(control, place)
    return f"{base.rstrip('/')}/{control.lstrip('/')}"


def _aggregate(session: Session, base: str, place: _Place) -> str:
    return _joined(base, session.control, place)


def _here(url: str, place: _Place) -> str:
    """The same path on the connection that is open."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return place.url
    mine = urlsplit(place.url)
    made = urlunsplit(parts._replace(scheme=mine.scheme, netloc=mine.netloc, fragment=""))
    fit = made.isascii() and made.isprintable() and " " not in made and len(made) < 2000  # noqa: PLR2004 - a URL
    return made if fit else place.url


def _channels(set_up: Reply) -> tuple[int, int]:
    """The camera may choose other channels than those that we asked for."""
    said = set_up.headers.get("transport", "")
    if "TCP" not in said.upper() and "INTERLEAVED" not in said.upper():
        raise Unsupported("it does not send its stream through the open connection")
    found = _CHANNELS.search(said)
    media = int(found[1]) if found else 0
    control = int(found[2]) if found and found[2] else media + 1
    if not (media <= 255 and control <= 255):  # noqa: PLR2004 - one byte
        raise Garbled(f"channels beyond one byte: {clean_text(said, 80)!r}")
    return media, control
