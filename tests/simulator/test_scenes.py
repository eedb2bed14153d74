"""Scenes: the picture of a moment is always the same, and its truth lies where the picture says."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from simulator.scenes import BENIGN, FAULTS, Benign, Light, PictureFault, Scene, Thing, View
from simulator.scenes.traffic import busy

Picture = npt.NDArray[np.uint8]
NOON = 12 * 3600 + 300
SEEDS = range(4)
"""One of each kind of place."""


@pytest.fixture(scope="module")
def scenes() -> dict[int, Scene]:
    return {seed: Scene(seed) for seed in SEEDS}


def difference(first: Picture, second: Picture) -> npt.NDArray[Any]:
    """How far apart the pictures are, with the sensor's noise taken out."""
    smooth = [cv2.blur(picture, (5, 5)).astype(np.float32) for picture in (first, second)]
    found: npt.NDArray[Any] = np.abs(smooth[0] - smooth[1]).max(axis=2)
    return found


def part(values: npt.NDArray[Any], thing: Thing) -> npt.NDArray[Any]:
    x1, y1, x2, y2 = (round(edge) for edge in thing.box)
    return values[y1:y2, x1:x2]


def apart(thing: Thing, others: tuple[Thing, ...]) -> bool:
    x1, y1, x2, y2 = thing.box
    return all(x2 < o.box[0] or o.box[2] < x1 or y2 < o.box[1] or o.box[3] < y1 for o in others)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_and_a_moment_give_one_picture(scenes: dict[int, Scene], seed: int) -> None:
    scenes[seed].view(NOON + 50)
    here, there = scenes[seed].view(NOON), Scene(seed).view(NOON)
    assert np.array_equal(here.picture, there.picture)
    assert here.things == there.things
    assert not np.array_equal(here.picture, Scene(seed + 4).view(NOON).picture)


@pytest.mark.parametrize("size", [(640, 360), (1920, 1080), (333, 217)], ids=str)
def test_any_size(scenes: dict[int, Scene], size: tuple[int, int]) -> None:
    view = scenes[1].view(NOON, size=size)
    assert view.picture.shape == (size[1], size[0], 3)
    assert view.picture.dtype == np.uint8
    assert view.things
    assert all(0 <= t.box[0] < t.box[2] <= size[0] and 0 <= t.box[1] < t.box[3] <= size[1] for t in view.things)
    assert all(0.35 <= t.visible <= 1 for t in view.things)


def test_no_two_pictures_are_the_same(scenes: dict[int, Scene]) -> None:
    pictures = [scenes[2].view(3 * 3600 + n * 0.04).picture for n in range(5)]
    assert not any(np.array_equal(*pair) for pair in pairwise(pictures))


@pytest.mark.parametrize("light", ["day", "dusk", "night-ir"])
@pytest.mark.parametrize("seed", [0, 3], ids=["street", "square"])
def test_pictures_change_inside_the_boxes_and_only_there(scenes: dict[int, Scene], seed: int, light: Light) -> None:
    """Two moments of one scene: whoever has come or gone is a change, and where nobody is nothing changed."""
    moved, still = [], []
    for start in range(NOON, NOON + 600, 60):
        before, after = (scenes[seed].view(t, light=light) for t in (start, start + 30))
        changed = difference(before.picture, after.picture)
        kept = {thing.track for thing in before.things if thing in after.things}
        moved += [
            float(part(changed, thing).max())
            for view, other in ((before, after), (after, before))
            for thing in view.things
            if thing.track not in kept and apart(thing, other.things) and thing.visible > 0.8
        ]
        empty = np.ones(changed.shape, bool)
        for thing in (*before.things, *after.things):
            x1, y1, x2, y2 = (round(edge) for edge in thing.box)
            empty[max(0, y1 - 8) : y2 + 8, max(0, x1 - 60) : x2 + 60] = False
        if empty.any():
            still.append(float(np.median(changed[empty])))
    least = 9 if light == "night-ir" else 16
    assert len(moved) >= 5
    assert np.mean([change > least for change in moved]) > 0.9
    assert max(still) < 6


def test_whoever_walks_keeps_the_number_and_moves_on(scenes: dict[int, Scene]) -> None:
    one, two = (scenes[0].view(NOON + t).things for t in (0, 0.1))
    before, after = ({thing.track: thing.box for thing in things} for things in (one, two))
    assert len(before) == len(one)
    assert before.keys() & after.keys()
    assert any(before[track] != after[track] for track in before.keys() & after.keys())
    assert all(abs(before[t][0] - after[t][0]) < 120 for t in before.keys() & after.keys())


def test_what_hides_behind_something_is_not_in_the_truth(scenes: dict[int, Scene]) -> None:
    seen = [thing.visible for t in range(NOON, NOON + 900, 30) for thing in scenes[1].view(t).things]
    assert min(seen) >= 0.35
    assert any(share < 0.9 for share in seen)


def test_a_suitcase_beside_a_person_is_none_of_it(scenes: dict[int, Scene]) -> None:
    """A person in full stride is narrower than with what is pulled along a step behind."""
    seen = [
        thing.box
        for seed in SEEDS
        for t in range(NOON, NOON + 1800, 60)
        for thing in scenes[seed].things(t)
        if thing.kind == "person"
    ]
    whole = [(x2 - x1) / (y2 - y1) for x1, y1, x2, y2 in seen if x1 > 0 and x2 < 640 and 40 < y2 - y1 < 360 - y1]
    assert len(whole) > 100
    assert max(whole) < 0.7


def test_the_truth_alone_is_the_truth(scenes: dict[int, Scene]) -> None:
    fault = PictureFault("moved", 0.3, "shift")
    assert scenes[0].things(NOON, faults=[fault]) == scenes[0].view(NOON, faults=[fault]).things


def test_an_hour_of_the_week_has_its_traffic(scenes: dict[int, Scene]) -> None:
    def people(start_s: float) -> int:
        return sum(len(scenes[3].things(start_s + n * 97, size=(320, 180), light="day")) for n in range(30))

    assert busy(17 * 3600) > 5 * busy(3 * 3600)
    assert busy(8 * 3600) > busy((5 * 24 + 8) * 3600)
    assert people(17 * 3600) > 3 * people(2 * 3600)


# --- faults ---


def sharpness(picture: Picture) -> float:
    return float(
        cv2.Laplacian(cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (0, 0), 1), cv2.CV_64F).std()
    )


def noise(picture: Picture) -> float:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(np.median(np.abs(grey - cv2.medianBlur(grey, 3))))


def pinkness(picture: Picture) -> float:
    return float(cv2.cvtColor(picture, cv2.COLOR_BGR2LAB)[..., 1].mean())


def colour(picture: Picture) -> float:
    return float(np.ptp(picture.reshape(-1, 3).mean(axis=0)))


def structure(picture: Picture) -> float:
    return float(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).std())


def shift(plain: Picture, spoiled: Picture) -> float:
    """How far away the middle of the picture has gone."""
    fit = cv2.matchTemplate(spoiled, plain[80:280, 120:520], cv2.TM_CCOEFF_NORMED)
    x, y = cv2.minMaxLoc(fit)[3]
    return float(np.hypot(x - 120, y - 80))


SPOILED: Mapping[str, tuple[PictureFault, Callable[[Picture, Picture], bool]]] = {
    "half covered in the dark": (
        PictureFault("covered", 0.5, "dark"),
        lambda plain, bad: 0.4 < float((difference(plain, bad) > 12).mean()) < 0.6 and bad.mean() < plain.mean(),
    ),
    "half covered by something bright": (
        PictureFault("covered", 0.5, "bright"),
        lambda plain, bad: 0.4 < float((difference(plain, bad) > 12).mean()) < 0.6 and bad.mean() > plain.mean(),
    ),
    "covered by cloth": (
        PictureFault("covered", 1, "textured"),
        lambda plain, bad: np.corrcoef(plain[::8, ::8].ravel(), bad[::8, ::8].ravel())[0, 1] < 0.2,
    ),
    "covered altogether": (PictureFault("covered", 1, "dark"), lambda _, bad: structure(bad) < 8),
    "moved a little": (PictureFault("moved", 0.15, "shift"), lambda plain, bad: 5 < shift(plain, bad) < 14),
    "turned": (
        PictureFault("moved", 0.5, "rotate"),
        lambda plain, bad: float((difference(plain, bad) > 12).mean()) > 0.2,
    ),
    "zoomed": (
        PictureFault("moved", 0.5, "zoom"),
        lambda plain, bad: float((difference(plain, bad) > 12).mean()) > 0.2,
    ),
    "out of focus": (PictureFault("defocused", 0.5), lambda plain, bad: sharpness(bad) < 0.6 * sharpness(plain)),
    "dark": (PictureFault("dark", 0.8), lambda plain, bad: bad.mean() < 0.35 * plain.mean()),
    "bright": (PictureFault("bright", 0.8), lambda plain, bad: bad.mean() > 1.8 * plain.mean()),
    "pink by day": (PictureFault("ir-cut-stuck", 1), lambda plain, bad: pinkness(bad) > pinkness(plain) + 15),
    "noisy": (PictureFault("noise", 0.5), lambda plain, bad: noise(bad) > 3 * noise(plain)),
    "tinted": (PictureFault("colour-cast", 0.8), lambda plain, bad: colour(bad) > colour(plain) + 12),
    "dirty": (
        PictureFault("dirt", 0.8),
        lambda plain, bad: 0.03 < float((difference(plain, bad) > 8).mean()) < 0.6,
    ),
    "black": (PictureFault("no-picture", 1), lambda _, bad: not bad.any()),
}


@pytest.mark.parametrize(("fault", "shows"), SPOILED.values(), ids=SPOILED)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_fault_changes_what_it_says(
    scenes: dict[int, Scene], seed: int, fault: PictureFault, shows: Callable[[Picture, Picture], bool]
) -> None:
    plain, spoiled = scenes[seed].view(NOON), scenes[seed].view(NOON, faults=[fault])
    assert shows(plain.picture, spoiled.picture)
    nothing = PictureFault(fault.name, 0, fault.variant)
    assert np.array_equal(scenes[seed].view(NOON, faults=[nothing]).picture, plain.picture)


def test_every_fault_has_a_row() -> None:
    assert {fault.name for fault, _ in SPOILED.values()} | {"frozen"} == set(FAULTS)


def test_a_frozen_picture_stands_still_to_the_last_bit(scenes: dict[int, Scene]) -> None:
    frozen = PictureFault("frozen", 1, since_s=NOON)
    views = [scenes[0].view(NOON + later, faults=[frozen]) for later in (0, 1, 3600 * 9)]
    assert all(np.array_equal(view.picture, views[0].picture) and view.things == views[0].things for view in views)
    assert np.array_equal(views[0].picture, scenes[0].view(NOON).picture)


def test_what_a_cover_hides_is_not_in_the_truth(scenes: dict[int, Scene]) -> None:
    cover = PictureFault("covered", 0.5, "dark")
    pairs = [(scenes[1].view(t), scenes[1].view(t, faults=[cover])) for t in range(NOON, NOON + 300, 60)]
    assert sum(len(hidden.things) for _, hidden in pairs) < sum(len(plain.things) for plain, _ in pairs)
    assert all(difference(a.picture, b.picture).mean() > 5 for a, b in pairs)
    assert not scenes[1].view(NOON, faults=[PictureFault("covered", 1)]).things


def test_boxes_move_with_the_camera(scenes: dict[int, Scene]) -> None:
    plain = {thing.track: thing.box for thing in scenes[1].view(NOON).things}
    moved = {
        thing.track: thing.box for thing in scenes[1].view(NOON, faults=[PictureFault("moved", 0.3, "shift")]).things
    }
    both = plain.keys() & moved.keys()
    inside = [t for t in both if min(*plain[t], *moved[t]) > 1 and max(plain[t][2], moved[t][2]) < 639]
    steps = [np.subtract(moved[t], plain[t]) for t in inside]
    assert steps
    assert all(10 < abs(step[0]) + abs(step[1]) < 40 and np.allclose(step, steps[0], atol=1.5) for step in steps)


# --- harmless changes ---


@pytest.mark.parametrize("name", BENIGN)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_harmless_change_shows_and_removes_nobody(scenes: dict[int, Scene], seed: int, name: str) -> None:
    """But for a vehicle that parks in front of somebody."""
    plain, changed = (scenes[seed].view(NOON, benign=benign) for benign in ((), (Benign(name, 1),)))
    assert not np.array_equal(plain.picture, changed.picture)
    before, after = (tracks(view) for view in (plain, changed))
    if name == "parked-vehicle":
        assert len(after - before) <= 1
    else:
        assert after == before


def test_a_vehicle_that_parks_is_in_the_truth(scenes: dict[int, Scene]) -> None:
    views = [(scenes[seed].view(NOON), scenes[seed].view(NOON, benign=[Benign("parked-vehicle", 1)])) for seed in SEEDS]
    assert sum(len(tracks(parked) - tracks(plain)) for plain, parked in views) >= 2


def tracks(view: View) -> set[int]:
    return {thing.track for thing in view.things}


# --- what is refused, and what is not loaded ---


@pytest.mark.parametrize(
    "make", [lambda: PictureFault("mist", 1), lambda: PictureFault("dark", 2), lambda: Benign("x", 0)]
)
def test_what_does_not_exist_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"no such|between 0 and 1"):
        make()


def test_who_draws_nothing_loads_nothing() -> None:
    asked = "import sys, simulator, simulator.streaming; print({'numpy', 'cv2', 'av'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
