"""Four kinds of places, each different for every seed: street, car park, yard, square."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from simulator.scenes import textures
from simulator.scenes.dice import chance
from simulator.scenes.lens import Array, Mount
from simulator.scenes.stage import Surface, upright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulator.scenes.model import Kind
    from simulator.scenes.textures import Colour, Rng

GROUND_PX_PER_M = 14
Metres = float | np.signedinteger[Any]
WEST, EAST, SOUTH, NORTH = -64.0, 64.0, -6.0, 74.0
PAINT: "Colour" = (205, 212, 214)


@dataclass(frozen=True, slots=True)
class Path:
    """Where somebody goes: corners on the ground, how many come in a busy hour, how far they stray sideways."""

    kind: "Kind"
    points: tuple[tuple[float, float], ...]
    per_hour: float
    speed_m_s: float
    stray_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Bay:
    """Where a vehicle may be parked, and which way it then points (radians from x towards z)."""

    x: float
    z: float
    heading: float


@dataclass(slots=True)
class Place:
    """A place that is being built, and then what there is to draw and where traffic goes."""

    rng: "Rng"
    mount: Mount
    ground: Array
    surfaces: list[Surface] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    bays: list[Bay] = field(default_factory=list)

    def area(self, x: tuple[float, float], z: tuple[float, float], colour: "Colour", rough: float = 1.0) -> None:
        """Covers a rectangle of the ground with one material."""
        (left, top), (right, bottom) = _spot(x[0], z[1]), _spot(x[1], z[0])
        target = self.ground[max(0, top) : bottom, max(0, left) : right]
        height, width = target.shape[:2]
        if height and width:
            scales = ((2, 4 * rough), (6, 4 * rough), (40, 5 * rough))
            target[:] = textures.plain(self.rng, height, width, colour, scales)

    def line(self, start: tuple[Metres, Metres], end: tuple[Metres, Metres], width_m: float, colour: "Colour") -> None:
        cv2.line(self.ground, _spot(*start), _spot(*end), colour, max(1, round(width_m * GROUND_PX_PER_M)))

    def box(self, x: float, z: float, size: tuple[float, float, float], colour: "Colour", *, ribs: bool) -> None:
        """Something with four walls and a lid; size is width, depth, height."""
        width, depth, height = size
        sides = (((x, z), (1, 0), width), ((x, z + depth), (1, 0), width), ((x, z), (0, 1), depth))
        for (left, near), along, length in (*sides, ((x + width, z), (0, 1), depth)):
            shade = 1.0 if along[0] else 0.8
            tone = (colour[0] * shade, colour[1] * shade, colour[2] * shade)
            side = textures.crate(self.rng, length, height, tone, ribs=ribs)
            self.surfaces.append(upright(side, left, near, along))
        lid = textures.plain(self.rng, 24, 24, tuple(min(255, c * 1.15) for c in colour), ((3, 4),))  # type: ignore[arg-type]
        across, down = (width / 24, 0, 0), (0, 0, -depth / 24)
        self.surfaces.append(Surface(lid, (x, height, z + depth), across, down, casts=False))

    def billboard(self, texture: Array, x: Metres, z: float, lift: float = 0) -> None:
        """Stands facing the camera."""
        along = (math.cos(self.mount.yaw), -math.sin(self.mount.yaw))
        half = texture.shape[1] / textures.PX_PER_M / 2
        self.surfaces.append(upright(texture, float(x) - along[0] * half, z - along[1] * half, along, lift))

    def lamp(self, x: Metres, z: float) -> None:
        grey: Colour = (112, 116, 116)
        self.billboard(textures.column(self.rng, 0.16, 6.5, grey), x, z)
        self.billboard(textures.crate(self.rng, 0.9, 0.22, (150, 154, 154), ribs=False), float(x) + 0.4, z, 6.4)

    def tree(self, x: Metres, z: float) -> None:
        self.billboard(textures.tree(self.rng, self.rng.uniform(4, 7)), x, z)

    def worn(self) -> None:
        """Cracks, patches, manholes and stains, so that no ground is one flat colour."""
        for _ in range(60):
            x, z = self.rng.uniform(-30, 30), self.rng.uniform(4, 45)
            spot, dark = _spot(x, z), float(self.rng.uniform(0.72, 0.94))
            kind = self.rng.integers(3)
            layer = self.ground.copy() if kind == 0 else None
            size = (int(self.rng.uniform(5, 20)), int(self.rng.uniform(4, 12)))
            if layer is not None:
                cv2.ellipse(layer, spot, size, float(self.rng.uniform(0, 180)), 0, 360, (60, 62, 62), -1)
                region = (slice(max(0, spot[1] - 24), spot[1] + 24), slice(max(0, spot[0] - 24), spot[0] + 24))
                mixed = cv2.addWeighted(self.ground[region], dark, layer[region], 1 - dark, 0)
                self.ground[region] = mixed
            elif kind == 1:
                cv2.circle(self.ground, spot, 5, (72, 76, 78), -1)
                cv2.circle(self.ground, spot, 5, (110, 114, 116), 1)
            else:
                steps = self.rng.normal(0, 12, (7, 2)).cumsum(axis=0)
                cv2.polylines(self.ground, [(steps + spot).astype(np.int32)], isClosed=False, color=(74, 78, 80))


def _spot(x: Metres, z: Metres) -> tuple[int, int]:
    return round((x - WEST) * GROUND_PX_PER_M), round((NORTH - z) * GROUND_PX_PER_M)


def build(seed: int) -> Place:
    """The place of a seed, always the same."""
    rng = np.random.default_rng((seed, 17))
    size = (int((NORTH - SOUTH) * GROUND_PX_PER_M), int((EAST - WEST) * GROUND_PX_PER_M))
    looks_along = chance(rng, 0.3)
    yaw = rng.choice((-1, 1)) * (rng.uniform(0.75, 1.05) if looks_along else rng.uniform(0, 0.5))
    mount = Mount(rng.uniform(3.6, 5.6), float(yaw), rng.uniform(0.24, 0.34), rng.uniform(0.78, 1.05))
    place = Place(rng, mount, np.zeros((*size, 3), np.uint8))
    place.area((WEST, EAST), (SOUTH, NORTH), ((96, 118, 116), (70, 104, 88), (112, 116, 118))[rng.integers(3)])
    PLACES[seed % len(PLACES)](place)
    place.surfaces.insert(
        0, Surface(place.ground, (WEST, 0, NORTH), (1 / 14, 0, 0), (0, 0, -1 / GROUND_PX_PER_M), casts=False)
    )
    return place


def _houses(place: Place, z: float, low: float, high: float) -> None:
    """A row of different houses along x."""
    x = WEST
    while x < EAST - 8:
        width = float(place.rng.uniform(8, 18))
        height = float(place.rng.uniform(low, high))
        place.surfaces.append(upright(textures.facade(place.rng, width, height), x, z))
        x += width + (2.5 if chance(place.rng, 0.15) else 0)


def _lanes(place: Place, z: tuple[float, float], per_hour: float, speed_m_s: float) -> None:
    for level, ends in ((z[0], (-60.0, 60.0)), (z[1], (60.0, -60.0))):
        points = ((ends[0], level), (ends[1], level))
        place.paths.append(Path("vehicle", points, per_hour, speed_m_s, 0.25))


def _walks(place: Place, lines: "Iterable[tuple[tuple[float, float], ...]]", per_hour: float, stray_m: float) -> None:
    for points in lines:
        for ways in (points, points[::-1]):
            place.paths.append(Path("person", ways, per_hour, 1.35, stray_m))


def _street(place: Place) -> None:
    rng, kerb = place.rng, float(place.rng.uniform(9.5, 13))
    far = kerb + 7
    place.area((WEST, EAST), (kerb - 3, far + 3.2), (142, 148, 152))
    place.area((WEST, EAST), (kerb, far), (92, 94, 94), 1.3)
    for edge in (kerb, far):
        place.line((WEST, edge), (EAST, edge), 0.2, (176, 180, 182))
    for x in np.arange(WEST, EAST, 6.0):
        place.line((x, kerb + 3.5), (x + 3, kerb + 3.5), 0.14, PAINT)
    for x in np.arange(WEST, EAST, 1.2):
        for level in (kerb - 3, kerb - 1.5, far + 1.6):
            place.line((x, level), (x, level + 1.4), 0.05, (118, 124, 128))
    crossing = float(rng.uniform(-6, 6))
    for level in np.arange(kerb + 0.4, far, 0.9):
        place.line((crossing, level), (crossing + 3, level), 0.45, PAINT)
    place.worn()
    _houses(place, far + 3.6, 6, 11)
    for x in np.arange(-42, 42, float(rng.uniform(9, 14))):
        (place.tree if chance(rng, 0.5) else place.lamp)(x, far + 0.8)
    for x in (-18, 12):
        place.lamp(x + float(rng.uniform(-3, 3)), kerb - 0.5)
        place.box(x + 4, kerb - 2.8, (0.9, 0.6, 1.3), textures.PAINTS[rng.integers(6)], ribs=False)
    _lanes(place, (kerb + 1.75, kerb + 5.25), 170, 8.5)
    ends = (-46.0, 46.0)
    _walks(place, [((ends[0], level), (ends[1], level)) for level in (kerb - 1.5, far + 1.8)], 130, 0.8)
    across = crossing + 1.5
    _walks(place, [((-40, kerb - 1.2), (across, kerb - 1), (across, far + 1), (40, far + 1.6))], 60, 0.4)
    if chance(rng, 0.6):
        place.bays += [Bay(float(x), far + 0.1 - 1.1, 0) for x in np.arange(-30, 36, 6.4)]


def _car_park(place: Place) -> None:
    rng, near = place.rng, float(place.rng.uniform(10, 12.5))
    place.area((WEST, EAST), (SOUTH, near + 18), (98, 102, 104), 1.2)
    place.area((WEST, EAST), (near + 18, near + 21), (140, 146, 150))
    for row in (near, near + 12):
        for x in np.arange(-45, 46, 2.7):
            place.line((x, row), (x, row + 5), 0.12, PAINT)
            place.bays.append(Bay(float(x) + 1.35, row + 2.4, math.pi / 2 * float(rng.choice((-1, 1)))))
    for x in np.arange(-40, 40, 14):
        place.line((x, near + 8.5), (x + 2.5, near + 8.5), 0.2, PAINT)
        place.line((x + 2.5, near + 8.5), (x + 1.7, near + 9.1), 0.2, PAINT)
    place.worn()
    if chance(rng, 0.5):
        _houses(place, near + 22, 5, 9)
    else:
        hedge, rails = textures.hedge(rng, EAST - WEST, 1.6), textures.fence(rng, EAST - WEST, 2.0)
        place.surfaces += [upright(rails, WEST, near + 21.5), upright(hedge, WEST, near + 22)]
        _houses(place, near + 34, 7, 12)
    for x in np.arange(-36, 40, 18):
        place.lamp(x + float(rng.uniform(-2, 2)), near + 5.4)
        place.tree(x + 9, near + 20)
    _lanes(place, (near + 7, near + 10), 70, 5.0)
    _walks(place, [((-46, near + 19.5), (46, near + 19.5))], 70, 0.9)
    for x in (-12.0, 3.0, 14.0):
        _walks(place, [((x, near - 3), (x + 1.3, near + 6), (x + 6, near + 10), (x + 8, near + 21))], 40, 0.8)


def _yard(place: Place) -> None:
    rng, back = place.rng, float(place.rng.uniform(26, 32))
    place.area((WEST, EAST), (SOUTH, back), (130, 138, 142), 1.3)
    for x in np.arange(WEST, EAST, 5.0):
        place.line((x, SOUTH), (x, back), 0.06, (98, 104, 108))
    for level in np.arange(0, back, 5.0):
        place.line((WEST, level), (EAST, level), 0.06, (98, 104, 108))
    for level in (back - 5, back - 11):
        place.line((WEST, level), (EAST, level), 0.15, (60, 180, 206))
    place.worn()
    place.surfaces.append(upright(textures.shed(rng, 70, 7), -35, back))
    place.surfaces.append(upright(textures.fence(rng, 60, 2.2), -64, back + 2))
    for x, z in ((-17.0, back - 4.5), (13.0, back - 4.5), (-15.0, 12.0), (9.0, 14.5)):
        size = (6.1, 2.4, 2.6) if chance(rng, 0.5) else (1.3, 1.1, float(rng.uniform(0.9, 1.5)))
        place.box(x + float(rng.uniform(-3, 3)), z, size, textures.PAINTS[rng.integers(6)], ribs=size[0] > 2)  # noqa: PLR2004
    for x in np.arange(-30, 31, 15):
        place.lamp(x, back - 1)
    _lanes(place, (back - 10, back - 7), 45, 4.0)
    x = float(rng.uniform(-5, 5))
    for points in (
        ((x, 1.0), (x, back - 8), (x + 40, back - 7)),
        ((x - 40, back - 9), (x + 3, back - 9), (x + 3, 1.0)),
    ):
        place.paths.append(Path("vehicle", points, 25, 3.5, 0.3))
    _walks(place, [((-40, back - 2), (40, back - 2))], 50, 0.8)
    _walks(place, [((-20, 9.5), (4, 14), (2, back - 1)), ((16, 8.5), (-3, 16), (-22, back - 3))], 55, 1.0)
    place.bays += [Bay(float(n), back - 3.2, math.pi / 2) for n in np.arange(-27, 30, 6.5)]


def _square(place: Place) -> None:
    rng, back = place.rng, float(place.rng.uniform(21, 27))
    tone: Colour = ((150, 158, 166), (136, 150, 166), (158, 160, 160))[rng.integers(3)]
    place.area((WEST, EAST), (SOUTH, back), tone)
    step = float(rng.choice((0.8, 1.2, 1.6)))
    joint: Colour = (tone[0] * 0.8, tone[1] * 0.8, tone[2] * 0.8)
    for x in np.arange(-40, 40, step):
        place.line((x, SOUTH), (x, back), 0.05, joint)
    for level in np.arange(0, back, step):
        place.line((-40, level), (40, level), 0.05, joint)
    place.area((WEST, EAST), (back - 8, back - 3.5), (106, 110, 112))
    place.worn()
    _houses(place, back, 7, 13)
    for middle in (-14.0, -5.0, 6.0, 15.0):
        x = middle + float(rng.uniform(-2, 2))
        z = float(rng.uniform(11, back - 10))
        place.box(x - 0.8, z - 0.5, (1.6, 1.6, 0.5), (120, 126, 130), ribs=False)
        (place.tree if chance(rng, 0.6) else place.lamp)(x, z)
    for x in np.arange(-20, 21, 2.5):
        place.billboard(textures.column(rng, 0.2, 0.9, (70, 72, 74)), x, back - 8.4)
    for x in (-9.0, 2.0, 11.0):
        place.box(x, 10 + float(rng.uniform(0, 3)), (1.8, 0.5, 0.45), (60, 84, 112), ribs=False)
    _lanes(place, (back - 6.8, back - 4.7), 40, 5.0)
    _walks(place, [((-44, back - 1.5), (44, back - 1.5)), ((-44, back - 9.5), (44, back - 9.5))], 90, 0.9)
    for x in (-8.0, 4.0):
        _walks(place, [((x - 9, 7.5), (x, 13), (x + 8, back)), ((x + 14, 8), (x + 5, 14), (x - 9, back))], 80, 1.2)


PLACES: "tuple[Callable[[Place], None], ...]" = (_street, _car_park, _yard, _square)
