"""What a reference view is made of, how it travels to disk, and in which light a picture was taken."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from health.conditions import Condition, condition_of, plausible
from health.looks import SIZE, Picture, look_at, median_of
from health.reference import NotAReference, Reference, build, from_bytes, to_bytes
from tests.health.conftest import WHEN
from tests.health.rendering import clipped, gain, grey, seen, street


def test_comes_back_from_disk_as_it_was(reference: Reference) -> None:
    found = from_bytes(to_bytes(reference))
    for name in ("camera", "stream", "condition", "approved_by", "approved_at", "bursts", "noise"):
        assert getattr(found, name) == getattr(reference, name)
    for name in ("picture", "usable", "edges"):
        assert np.array_equal(getattr(found, name), getattr(reference, name))


def changed(reference: Reference, **words: object) -> bytes:
    head, _, png = to_bytes(reference).partition(b"\n")
    return json.dumps({**json.loads(head), **words}).encode() + b"\n" + png


def with_png(reference: Reference, png: bytes) -> bytes:
    return to_bytes(reference).partition(b"\n")[0] + b"\n" + png


def png_of(shape: tuple[int, ...]) -> bytes:
    return cv2.imencode(".png", np.zeros(shape, np.uint8))[1].tobytes()


BROKEN: dict[str, Callable[[Reference], bytes]] = {
    "nothing": lambda _: b"",
    "a line of words": lambda _: b"hello\n",
    "a list": lambda _: b"[]\n",
    "another format": lambda reference: changed(reference, format="x"),
    "an unknown condition": lambda reference: changed(reference, condition="noon"),
    "a mask that is too short": lambda reference: changed(reference, usable="00"),
    "a date that is none": lambda reference: changed(reference, approved_at="yesterday"),
    "a number that is none": lambda reference: changed(reference, bursts="many"),
    "no picture": lambda reference: with_png(reference, b""),
    "a picture of another size": lambda reference: with_png(reference, png_of((10, 10, 4))),
    "a picture without the edges": lambda reference: with_png(reference, png_of((SIZE[1], SIZE[0], 3))),
    "a picture cut off": lambda reference: to_bytes(reference)[:2000],
    "megabytes": lambda reference: to_bytes(reference) + b"\0" * 9_000_000,
}


@pytest.mark.parametrize("made", BROKEN.values(), ids=BROKEN)
def test_refuses(reference: Reference, made: Callable[[Reference], bytes]) -> None:
    with pytest.raises(NotAReference):
        from_bytes(made(reference))


def test_is_approved_by_somebody(burst: Callable[..., list[Picture]]) -> None:
    with pytest.raises(ValueError, match="named person"):
        build([burst()], condition=Condition.DAY, approved_by=" ", approved_at=WHEN)


def test_what_changes_between_the_bursts_is_not_compared() -> None:
    bursts = []
    for i in range(5):
        picture = street()
        picture[100:300, 200:500] = street(50 + i)[100:300, 200:500]  # leaves in the wind
        bursts.append([seen(picture, i)])
    view = build(bursts, condition=Condition.DAY, approved_by="ana", approved_at=WHEN)
    blowing = view.usable[3:6, 5:10]
    assert blowing.mean() < 0.2 < view.usable.mean()


def test_people_who_walk_by_are_not_in_the_median() -> None:
    median = median_of([seen(street(), i) for i in range(9)]).astype(int)
    assert np.abs(median - cv2.resize(street(), SIZE).astype(int)).mean() < 3


LIGHTS: dict[str, tuple[Callable[[Picture], Picture], Condition]] = {
    "by day": (lambda picture: picture, Condition.DAY),
    "under infrared": (grey, Condition.NIGHT_IR),
    "under dim infrared": (lambda picture: gain(0.2)(grey(picture)), Condition.NIGHT_IR),
    "at dusk": (gain(0.3), Condition.DUSK),
    "by street lamps": (
        lambda picture: clipped(picture * np.array([0.05, 0.12, 0.25], np.float32)),
        Condition.NIGHT_COLOUR,
    ),
}


@pytest.mark.parametrize(("change", "condition"), LIGHTS.values(), ids=LIGHTS)
def test_knows_a_picture_taken(change: Callable[[Picture], Picture], condition: Condition) -> None:
    assert condition_of(look_at(change(seen(street(), 1)))) is condition


NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EARLIER = {
    "nothing": ([], frozenset(Condition)),
    "too little": ([(NOON - DAY, Condition.DAY)] * 2, frozenset(Condition)),
    "days at noon": ([(NOON - i * DAY, Condition.DAY) for i in range(1, 5)], frozenset({Condition.DAY})),
    "nights": ([(NOON - i * DAY / 2, Condition.NIGHT_IR) for i in (1, 3, 5, 7)], frozenset(Condition)),
    "days a year ago": ([(NOON - 365 * DAY, Condition.DAY)] * 9, frozenset(Condition)),
    "an hour earlier and later": (
        [(NOON - DAY + timedelta(hours=h), Condition.DUSK) for h in (-1, 1, 1)],
        frozenset({Condition.DUSK}),
    ),
}


@pytest.mark.parametrize(("good", "expected"), EARLIER.values(), ids=EARLIER)
def test_what_is_plausible_at_noon_after(
    good: list[tuple[datetime, Condition]], expected: frozenset[Condition]
) -> None:
    assert plausible(good, NOON) == expected
