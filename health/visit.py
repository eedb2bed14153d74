"""One look at one camera: a burst of pictures, by snapshots where it has them, else out of its live stream."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import dataclass

from cameras.budget import AttemptBudget
from cameras.decoding import Decoder
from cameras.driver import Driver
from cameras.errors import DeviceError, Garbled, LockedOut, Unauthorized, Unsupported
from cameras.facts import StreamProfile
from cameras.h264 import AccessUnit, access_units
from cameras.http import HttpLogin
from cameras.place import Place
from cameras.rtsp import Stream, play
from cameras.secret import Credential
from cameras.untrusted import clean_text
from health.looks import SIZE, Picture
from health.stream import Arrival, StreamFigures, measure

OpenCamera = Callable[[], AbstractAsyncContextManager[Driver]]

# A sensor's noise shows in seconds; a snapshot that is kept for a moment must not look like a frozen camera.
FROZEN_AFTER_S = 10.0
_MOST_STREAM_UNITS = 600
_MOST_STREAM_BYTES = 48 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Access:
    """How one camera is reached: `open_camera` for its API, the rest for its stream."""

    open_camera: OpenCamera
    place: Place
    credential: Credential
    budget: AttemptBudget


@dataclass(frozen=True, slots=True)
class Pace:
    """How a burst is taken: so many pictures, so many seconds from the first to the last."""

    pictures: int = 5
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Taken:
    """`burst` at the working size, oldest first; `spans_s` from its first to its last picture.

    `coded`: the newest picture as the camera gave it, `None` out of a stream. `figures`: of the stream that was
    watched.
    """

    stream: str
    burst: tuple[Picture, ...]
    coded: bytes | None
    spans_s: float
    figures: StreamFigures | None


async def take(access: Access, decoder: Decoder, pace: Pace) -> Taken:
    """Raises `cameras.errors`: Unsupported where the camera gives neither snapshots nor an H.264 stream."""
    async with access.open_camera() as camera:
        profiles = (await camera.stream_profiles(await camera.services())).profiles
        by_size = sorted(profiles, key=lambda one: -((one.width or 0) * (one.height or 0)))
        refusal: DeviceError = Unsupported("it names no address of a snapshot")
        for profile in by_size:
            if profile.snapshot_uri:
                try:
                    return await _snapshots(camera, profile, decoder, pace)
                except (Unsupported, Garbled) as error:
                    refusal = error
                    break
    for profile in by_size:
        if profile.stream_uri and (profile.encoding or "H264").upper() in {"H264", "H.264"}:
            return await _watch(profile, access, decoder, pace)
    raise refusal


async def _snapshots(camera: Driver, profile: StreamProfile, decoder: Decoder, pace: Pace) -> Taken:
    burst: list[Picture] = []
    coded, started = b"", time.monotonic()
    for number in range(pace.pictures):
        if number:
            await asyncio.sleep(pace.seconds / max(1, pace.pictures - 1))
        coded = await camera.snapshot(profile.snapshot_uri or "")
        burst.append(await decoder.small(coded, size=SIZE))
    return Taken(profile.token, tuple(burst), coded, time.monotonic() - started, None)


async def _watch(profile: StreamProfile, access: Access, decoder: Decoder, pace: Pace) -> Taken:
    login, place = HttpLogin(access.credential), access.place
    async with AsyncExitStack() as stack:
        async with access.budget.trial(place.key, access.credential.username) as trial:
            try:
                watching = play(profile.stream_uri or "", login, media="video", address=place.address)
                stream = await stack.enter_async_context(watching)
                trial.worked()
            except LockedOut:
                trial.locked()
                raise
            except DeviceError as error:
                if not isinstance(error, Unauthorized):  # anything else says nothing of the password
                    trial.worked()
                raise
        if stream.track.encoding != "H264":
            raise Unsupported(f"its stream is {clean_text(stream.track.encoding, 20)}, which we do not decode")
        units = await _units(stream, pace.seconds)
        clock_rate = stream.track.clock_rate
    whole = [unit for unit in units if unit.whole]
    first = next((i for i, unit in enumerate(whole) if unit.key), None)
    if first is None:
        raise Garbled("its stream had no picture that stands by itself")
    pictures = await decoder.frames(b"".join(unit.data for unit in whole[first:]), _MOST_STREAM_UNITS)
    chosen = _spread(pictures, pace.pictures)
    arrivals = [Arrival(unit.timestamp, unit.at_s, len(unit.data), unit.key) for unit in units]
    spans_s = whole[-1].at_s - whole[first].at_s
    return Taken(profile.token, tuple(chosen), None, spans_s, measure(arrivals, clock_rate))


async def _units(stream: Stream, seconds: float) -> Sequence[AccessUnit]:
    """What comes in that time, and at least until a picture that stands by itself."""
    found: list[AccessUnit] = []
    size = 0
    started = time.monotonic()
    async with aclosing(access_units(stream, stream.track.parameters)) as units:
        async for unit in units:
            found.append(unit)
            size += len(unit.data)
            enough = time.monotonic() - started >= seconds and any(one.key for one in found)
            if enough or len(found) >= _MOST_STREAM_UNITS or size > _MOST_STREAM_BYTES:
                break
    return found


def _spread(pictures: Sequence[Picture], count: int) -> list[Picture]:
    """So many of them, evenly over the time."""
    last = len(pictures) - 1
    numbers = sorted({round(i * last / max(1, count - 1)) for i in range(count)}) if last > 0 else [0]
    return [pictures[number] for number in numbers]
