"""The measured rate of a stream, its gaps, and clocks that stand or wrap."""

from collections.abc import Sequence

import numpy as np
import pytest

from health.stream import Arrival, StreamFigures, identity, measure, stillness
from tests.health.rendering import seen, street


def arrivals(steps: Sequence[int], seconds: float = 0.1, start: int = 0) -> list[Arrival]:
    """One picture each `seconds`, the media clock going on by those steps; every fifth is a key picture."""
    stamps = [start, *(start + sum(steps[: i + 1]) for i in range(len(steps)))]
    return [Arrival(stamp % 2**32, i * seconds, 1000, i % 5 == 0) for i, stamp in enumerate(stamps)]


RATES: dict[str, tuple[list[Arrival], float | None, float | None]] = {
    "ten a second": (arrivals([9000] * 20), 10.0, 1.0),
    "ten a second over the end of the clock": (arrivals([9000] * 20, start=2**32 - 50_000), 10.0, 1.0),
    "a media clock that stands": (arrivals([0] * 20), 10.0, 0.0),
    "a media clock that was set anew": (arrivals([9000] * 10 + [2**31] + [9000] * 10), 10.5, 0.952),
    "pictures that waited and come at once": (arrivals([9000] * 20, seconds=0.01), 10.0, 10.0),
    "one picture": (arrivals([]), None, None),
}


@pytest.mark.parametrize(("seen_at", "rate", "ratio"), RATES.values(), ids=RATES)
def test_measures(seen_at: list[Arrival], rate: float | None, ratio: float | None) -> None:
    figures = measure(seen_at, 90_000)
    assert figures.frame_rate == (None if rate is None else pytest.approx(rate, rel=0.01))
    assert figures.clock_ratio == (None if ratio is None else pytest.approx(ratio, rel=0.01))


def test_measures_gaps_keys_and_bits() -> None:
    kept = [*arrivals([9000] * 20)[:8], *arrivals([9000] * 20)[12:]]
    figures = measure(kept, 90_000, missing_packets=3)
    assert isinstance(figures, StreamFigures)
    assert figures.longest_gap_s == pytest.approx(0.5)
    assert figures.key_every_s == pytest.approx(2.0 / 3, rel=0.01)
    assert figures.kbit_per_s == pytest.approx(17 * 8 / 2, rel=0.01)
    assert figures.missing_packets == 3


def test_equal_pictures_are_still_and_a_sensor_is_not() -> None:
    assert stillness([street()] * 3) == 0
    assert (stillness([seen(street(), i) for i in range(3)]) or 0) > 0.3
    assert stillness([street()] * 2) is None


def test_the_identity_is_that_of_the_pixels() -> None:
    other = street()
    other[5, 5, 0] ^= 1
    assert identity(street()) == identity(np.asfortranarray(street()))
    assert identity(street()) != identity(other)
