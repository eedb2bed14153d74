"""One watch: a camera's metadata and its pictures side by side, for a bounded time, beside the reference detector."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass

import numpy as np

from analytics_qa.detections import Detections
from analytics_qa.detector import Detector
from analytics_qa.from_metadata import from_metadata, our_word
from analytics_qa.matching import Tally, tally
from cameras.decoding import Decoder, Picture
from cameras.errors import DeviceError, Garbled, Unreachable
from cameras.metadata import MetadataFrame
from fleet.accuracy.sight import Sight
from health.conditions import condition_of
from health.looks import look_at

COUNTED = frozenset({"person", "vehicle", "bicycle"})
PICTURE_EVERY_S = 2.0
# A snapshot comes late and objects move: they need only be about the same place, at about the same time.
SAME_MOMENT_S = 1.0
ABOUT_THE_SAME_PLACE = 0.3
_MOST_REMEMBERED = 500
_MOST_OBJECTS = 100_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a watch. `counted`: objects by the camera's own ids, else the most at one moment.

    `compared`: of every picture, the camera's objects beside those that the reference detector sees.
    """

    version: str
    condition: str | None
    watched_s: float
    frames: int
    unreadable: int
    lost: int
    counted: int
    compared: tuple[Tally, ...]


class _Heard:
    """What the camera said so far."""

    def __init__(self) -> None:
        self.frames = 0
        self.unreadable = 0
        self._ids: set[tuple[str, str]] = set()
        self._most_without_id = 0
        self._lately: deque[tuple[float, MetadataFrame]] = deque(maxlen=_MOST_REMEMBERED)

    def add(self, frame: MetadataFrame, at_s: float) -> None:
        self.frames += 1
        self.unreadable += frame.unreadable
        self._lately.append((at_s, frame))
        known = [one for one in frame.objects if our_word(one.kind) in COUNTED]
        if len(self._ids) < _MOST_OBJECTS:
            self._ids |= {(our_word(one.kind), one.id) for one in known if one.id is not None}
        self._most_without_id = max(self._most_without_id, sum(one.id is None for one in known))

    @property
    def counted(self) -> int:
        return len(self._ids) + self._most_without_id

    def at(self, at_s: float) -> MetadataFrame | None:
        """The frame nearest to that moment, `None` where none is near."""
        near = min(self._lately, key=lambda one: abs(one[0] - at_s), default=None)
        return near[1] if near and abs(near[0] - at_s) <= SAME_MOMENT_S else None


class _Comparison:
    """Pictures beside what the camera said at that moment, and beside what the reference detector sees in them."""

    def __init__(self, sight: Sight, detector: Detector, decoder: Decoder, heard: _Heard) -> None:
        self.tallies: list[Tally] = []
        self.condition: str | None = None
        self._sight = sight
        self._detector = detector
        self._decoder = decoder
        self._heard = heard
        self._known = COUNTED & set(detector.manifest.names)

    async def go_on(self, every_s: float) -> None:
        """Until it is cancelled. A picture that the camera does not give is not compared."""
        while True:
            asked_s = time.monotonic()
            try:
                await self._one(asked_s)
            except DeviceError as error:
                _log.info("a picture could not be compared", extra={"reason": str(error)})
            await asyncio.sleep(max(0.0, asked_s + every_s - time.monotonic()))

    async def _one(self, asked_s: float) -> None:
        body = await self._sight.picture()
        taken_s = (asked_s + time.monotonic()) / 2
        picture = await self._decoder.picture(body)
        reference, self.condition = await asyncio.to_thread(_looked_at, self._detector, picture)
        await asyncio.sleep(max(0.0, taken_s + SAME_MOMENT_S / 2 - time.monotonic()))
        if frame := self._heard.at(taken_s):
            size = picture.shape[1], picture.shape[0]
            self._add(reference, from_metadata(frame, size, self._sight.grid))

    def _add(self, reference: Detections, camera: Detections) -> None:
        self.tallies.append(tally(self._of_ours(camera), self._of_ours(reference), ABOUT_THE_SAME_PLACE))

    def _of_ours(self, found: Detections) -> Detections:
        return found.taken(np.array([name in self._known for name in found.classes], np.bool_))


async def watch(
    sight: Sight, detector: Detector, decoder: Decoder, seconds: float, *, picture_every_s: float = PICTURE_EVERY_S
) -> Seen:
    """Raises `cameras.errors` where its metadata cannot be had; a picture that cannot is only not compared."""
    version = await sight.version()
    heard = _Heard()
    compared = _Comparison(sight, detector, decoder, heard)
    async with sight.metadata() as frames:
        began_s = time.monotonic()
        await _side_by_side(_listen(frames, heard), compared.go_on(picture_every_s), seconds)
        watched_s = time.monotonic() - began_s
    if not heard.frames:
        raise Garbled(f"none of its {sight.lost} metadata documents can be read" if sight.lost else "no metadata came")
    return Seen(
        version=version,
        condition=compared.condition,
        watched_s=watched_s,
        frames=heard.frames,
        unreadable=heard.unreadable,
        lost=sight.lost,
        counted=heard.counted,
        compared=tuple(compared.tallies),
    )


async def _side_by_side(
    listening: Coroutine[None, None, None], comparing: Coroutine[None, None, None], seconds: float
) -> None:
    """For that long. Raises Unreachable where the listening ends before, and whatever either of the two raises."""
    beside = asyncio.create_task(comparing)
    try:
        async with asyncio.timeout(seconds) as limit:
            await listening
    except TimeoutError:
        if not limit.expired():
            raise
    else:
        raise Unreachable("its metadata stream ended before its time")
    finally:
        beside.cancel()
        await asyncio.wait([beside])
    if not beside.cancelled() and (error := beside.exception()):
        raise error


async def _listen(frames: AsyncIterator[tuple[MetadataFrame, ...]], heard: _Heard) -> None:
    async for document in frames:
        for frame in document:
            heard.add(frame, time.monotonic())


def _looked_at(detector: Detector, picture: Picture) -> tuple[Detections, str]:
    return detector.detect(picture), condition_of(look_at(picture)).value
