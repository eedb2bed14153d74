"""Is the stream alive: its measured rate, its gaps, and whether its pictures are new ones. Pure."""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from health.looks import Picture, at_size

_WRAP = 1 << 32
_MOST_STEP_S = 60.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One picture of a stream: its RTP timestamp, when it arrived by our clock, its coded size."""

    timestamp: int
    at_s: float
    size_bytes: int
    key: bool


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """Measured, not announced. Rates in 1/s; `None` where there were too few pictures to say.

    `clock_ratio`: how fast the camera's media clock runs against ours; far from one, or standing, is a fault.
    """

    pictures: int
    seconds: float
    frame_rate: float | None
    longest_gap_s: float | None
    key_every_s: float | None
    kbit_per_s: float | None
    clock_ratio: float | None
    missing_packets: int


def measure(arrivals: Sequence[Arrival], clock_rate: int, missing_packets: int = 0) -> StreamFigures:
    if len(arrivals) < 2 or clock_rate <= 0:  # noqa: PLR2004 - a rate needs two
        return StreamFigures(len(arrivals), 0.0, None, None, None, None, None, missing_packets)
    gaps = [later.at_s - earlier.at_s for earlier, later in itertools.pairwise(arrivals)]
    seconds = max(arrivals[-1].at_s - arrivals[0].at_s, 1e-6)
    media_s = sum(_step_s(earlier, later, clock_rate) for earlier, later in itertools.pairwise(arrivals))
    keys = [one.at_s for one in arrivals if one.key]
    # By the camera's clock where it runs: ours sees the pictures that waited in the camera come all at once.
    span = media_s if media_s > 0 else seconds
    return StreamFigures(
        pictures=len(arrivals),
        seconds=seconds,
        frame_rate=(len(arrivals) - 1) / span,
        longest_gap_s=max(gaps),
        key_every_s=(keys[-1] - keys[0]) / (len(keys) - 1) if len(keys) > 1 else None,
        kbit_per_s=sum(one.size_bytes for one in arrivals) * 8 / 1000 / seconds,
        clock_ratio=media_s / seconds,
        missing_packets=missing_packets,
    )


def _step_s(earlier: Arrival, later: Arrival, clock_rate: int) -> float:
    """Timestamps wrap after 13 hours; a jump of more than a minute is a restart of the clock, not time."""
    step = ((later.timestamp - earlier.timestamp) % _WRAP) / clock_rate
    return step if step <= _MOST_STEP_S else 0.0


def stillness(burst: Sequence[Picture]) -> float | None:
    """The largest mean difference between two pictures in a row, in grey levels: zero for a frozen camera.

    `None` for fewer than three pictures: two may be the same by chance of a slow snapshot.
    """
    if len(burst) < 3:  # noqa: PLR2004 - see above
        return None
    small = [at_size(picture).astype(np.int16) for picture in burst]
    return max(float(np.abs(later - earlier).mean()) for earlier, later in itertools.pairwise(small))


def identity(picture: Picture) -> str:
    """The same for the same pixels, whatever file they came in."""
    return hashlib.blake2b(np.ascontiguousarray(picture).tobytes(), digest_size=16).hexdigest()
