"""A scene in front of a camera: ask for the view at a moment, get the picture and the truth about it."""

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from simulator.scenes import optics, places, weather
from simulator.scenes.backdrop import Backdrop, Look, draw
from simulator.scenes.dice import dice
from simulator.scenes.frame import LEAST_TALL, Frame, Painted
from simulator.scenes.lens import Array
from simulator.scenes.lighting import NOISE_SIGMA, sun_at
from simulator.scenes.model import (
    DAY_S,
    FAULTS,
    HOUR_S,
    Benign,
    Box,
    Light,
    PictureFault,
    Thing,
    View,
    light_at,
)
from simulator.scenes.traffic import Traffic

LEAST_VISIBLE = 0.35
DARKER: Mapping[Light, Light] = {"day": "dusk", "dusk": "night-ir", "night-ir": "dusk"}
DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
KEPT_BACKDROPS = 2
_PAD = 0.15
_SUN_STEP_S = HOUR_S / 2


class Scene:
    """The place, its traffic and its camera follow from the seed. `clock` writes the time into the picture.

    `view` is a function of its arguments: seconds since a Monday's midnight, and what is wrong with the picture.
    """

    def __init__(self, seed: int, *, clock: bool = False) -> None:
        self.seed = seed
        self._clock = clock
        self._sun_turn = dice(seed * 17 + 3).uniform(-0.6, 0.6)
        place = places.build(seed)
        self._traffic = Traffic(seed, place.paths, place.bays)
        self._yaw = place.mount.yaw
        self._place: places.Place | None = place
        self._backdrops: dict[Look, Backdrop] = {}

    def view(
        self,
        t_s: float,
        *,
        size: tuple[int, int] = (640, 360),
        light: Light | None = None,
        faults: Sequence[PictureFault] = (),
        benign: Sequence[Benign] = (),
    ) -> View:
        picture, things = self._seen(t_s, size, light, faults, benign, drawn=True)
        return View(picture, things)

    def things(
        self,
        t_s: float,
        *,
        size: tuple[int, int] = (640, 360),
        light: Light | None = None,
        faults: Sequence[PictureFault] = (),
        benign: Sequence[Benign] = (),
    ) -> tuple[Thing, ...]:
        """The truth alone, for less than the price of a picture."""
        return self._seen(t_s, size, light, faults, benign, drawn=False)[1]

    def _seen(
        self,
        t_s: float,
        size: tuple[int, int],
        light: Light | None,
        faults: Sequence[PictureFault],
        benign: Sequence[Benign],
        *,
        drawn: bool,
    ) -> tuple[Array, tuple[Thing, ...]]:
        faults = tuple(self._settled(fault) for fault in faults)
        frozen = next((fault for fault in faults if fault.name == "frozen" and fault.severity > 0), None)
        if frozen is not None:
            t_s = t_s // HOUR_S * HOUR_S if frozen.since_s is None else frozen.since_s
        light = light or light_at(t_s)
        changes = {change.name: change.severity for change in benign if change.severity > 0}
        if "light" in changes:
            light = DARKER[light]
        moved = [fault for fault in faults if fault.name == "moved" and fault.severity > 0]
        pad = math.ceil(size[0] * _PAD) if moved else 0
        picture, painted = self._drawn(t_s, size, pad, light, newcomer="parked-vehicle" in changes)
        if moved:
            picture, painted = self._turned(picture, painted, moved, size, pad)
        if drawn:
            picture = self._through_the_lens(picture, t_s, light, faults, changes)
        if any(fault.name == "no-picture" and fault.severity > 0 for fault in faults):
            return picture, ()
        return picture, self._truth(painted, size, faults)

    # --- the scene ---

    def _drawn(
        self, t_s: float, size: tuple[int, int], pad: int, light: Light, *, newcomer: bool
    ) -> tuple[Array, list[Painted]]:
        sun = None
        if light == "day":
            sun = sun_at(round(t_s % DAY_S / _SUN_STEP_S) * _SUN_STEP_S, self._sun_turn)
        frame = Frame(self._backdrop(Look(*size, pad, light, sun)), sun)
        actors = list(self._traffic.at(t_s))
        arrived = self._traffic.newcomer(t_s, self._yaw) if newcomer else None
        painted = frame.paint([*actors, arrived] if arrived else actors)
        return frame.picture, painted

    def _backdrop(self, look: Look) -> Backdrop:
        """Kept in the order of their last use. A functools.cache here would keep the scene itself alive."""
        found = self._backdrops.pop(look, None)
        if found is None:
            place, self._place = self._place or places.build(self.seed), None
            found = draw(place, look, self.seed)
            while len(self._backdrops) >= KEPT_BACKDROPS:
                del self._backdrops[next(iter(self._backdrops))]
        self._backdrops[look] = found
        return found

    # --- the camera ---

    def _settled(self, fault: PictureFault) -> PictureFault:
        if fault.variant:
            return fault
        variants = FAULTS[fault.name]
        return PictureFault(fault.name, fault.severity, variants[self.seed // 3 % len(variants)], fault.since_s)

    def _turned(
        self, picture: Array, painted: list[Painted], moved: list[PictureFault], size: tuple[int, int], pad: int
    ) -> tuple[Array, list[Painted]]:
        matrix = np.vstack((np.eye(2, 3), (0, 0, 1)))
        centre = (pad + size[0] / 2, pad + size[1] / 2)
        for fault in moved:
            matrix = np.vstack((optics.displacement(fault, self.seed, size[0], centre), (0, 0, 1))) @ matrix
        matrix[:2, 2] -= pad
        turned = cv2.warpAffine(picture, matrix[:2], size, borderMode=cv2.BORDER_REFLECT)
        return turned, [Painted(one.kind, one.track, _carried(one.box, matrix), one.visible) for one in painted]

    def _through_the_lens(
        self,
        picture: Array,
        t_s: float,
        light: Light,
        faults: Sequence[PictureFault],
        changes: Mapping[str, float],
    ) -> Array:
        for name, change in weather.CHANGES.items():
            if name in changes and name != "jpeg":
                picture = change(picture, changes[name], t_s, self.seed)
        picture = cv2.GaussianBlur(picture, (3, 3), 0.55)
        for name in optics.CHANGES:
            for fault in faults:
                if fault.name == name and name not in ("noise", "no-picture"):
                    picture = optics.spoil(picture, fault, self.seed, light)
        picture = optics.add_noise(picture, NOISE_SIGMA[light], dice(self.seed * 1_000_003 + int(t_s * 1000)))
        if light == "night-ir":
            picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        for fault in faults:
            if fault.name in ("noise", "no-picture"):
                picture = optics.spoil(picture, fault, self.seed, light)
        if self._clock:
            _write_clock(picture, t_s)
        if "jpeg" in changes:
            picture = weather.CHANGES["jpeg"](picture, changes["jpeg"], t_s, self.seed)
        return picture

    def _truth(
        self, painted: list[Painted], size: tuple[int, int], faults: Sequence[PictureFault]
    ) -> tuple[Thing, ...]:
        covers = [cover for fault in faults if (cover := optics.cover_of(fault, self.seed, size)) is not None]
        things = []
        for one in painted:
            left, top = max(0.0, one.box[0]), max(0.0, one.box[1])
            right, low = min(float(size[0]), one.box[2]), min(float(size[1]), one.box[3])
            if right - left < 2 or low - top < size[1] * LEAST_TALL:  # noqa: PLR2004 - pixels
                continue
            visible = one.visible
            for cover in covers:
                visible *= 1 - float(cover[int(top) : math.ceil(low), int(left) : math.ceil(right)].mean())
            if visible >= LEAST_VISIBLE:
                things.append(Thing(one.kind, (left, top, right, low), one.track, round(visible, 4)))
        return tuple(things)


def _carried(box: Box, matrix: Array) -> Box:
    """The box around a box whose corners went elsewhere."""
    x1, y1, x2, y2 = box
    corners = np.array(((x1, x2, x2, x1), (y1, y1, y2, y2), (1, 1, 1, 1)))
    moved = matrix[:2] @ corners
    low, high = moved.min(axis=1), moved.max(axis=1)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _write_clock(picture: Array, t_s: float) -> None:
    second = int(t_s)
    text = f"{DAYS[second // DAY_S % 7]} {second // HOUR_S % 24:02}:{second // 60 % 60:02}:{second % 60:02}"
    scale = picture.shape[0] / 720
    at = (int(picture.shape[1] * 0.02), int(picture.shape[0] * 0.05) + 4)
    for away, colour in ((1, (20, 20, 20)), (0, (240, 240, 240))):
        spot = (at[0] + away, at[1] + away)
        cv2.putText(picture, text, spot, cv2.FONT_HERSHEY_SIMPLEX, max(0.35, scale), colour, 1, cv2.LINE_AA)
