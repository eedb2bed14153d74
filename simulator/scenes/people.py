"""A walking person as the camera has it: limbs in the phase of the stride, clothes, hair, a bag."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from simulator.scenes.dice import chance, dice
from simulator.scenes.lens import Array

Colour = tuple[float, float, float]
Point = tuple[float, float]

SKINS: tuple[Colour, ...] = ((150, 180, 222), (128, 160, 205), (96, 128, 176), (62, 88, 128), (44, 62, 92))
HAIRS: tuple[Colour, ...] = ((26, 28, 32), (36, 48, 70), (60, 96, 140), (120, 160, 190), (150, 152, 154))
TOPS: tuple[Colour, ...] = (
    (40, 40, 44), (70, 62, 52), (120, 84, 48), (52, 52, 168), (214, 216, 218), (78, 110, 70), (160, 150, 60),
    (60, 150, 200), (104, 104, 108), (140, 90, 150), (40, 90, 190), (30, 60, 90),
)  # fmt: skip
LEGS: tuple[Colour, ...] = ((70, 52, 42), (110, 82, 58), (34, 34, 38), (86, 100, 116), (60, 64, 66), (120, 136, 150))
HI_VIS: Colour = (40, 230, 220)
MARGIN_M = 0.35
MOST_WIDE_M = 0.85


@dataclass(frozen=True, slots=True)
class Looks:
    tall_m: float
    stout: float
    skin: Colour
    hair: Colour
    top: Colour
    legs: Colour
    shoes: Colour
    coat: bool
    hood: bool
    skirt: bool
    hi_vis: bool
    bag: str


def looks_of(number: int) -> Looks:
    rng = dice(number)
    return Looks(
        tall_m=rng.uniform(1.55, 1.92),
        stout=rng.uniform(0.9, 1.2),
        skin=rng.choice(SKINS),
        hair=rng.choice(HAIRS),
        top=rng.choice(TOPS),
        legs=rng.choice(LEGS),
        shoes=rng.choice(((30, 30, 34), (200, 204, 208), (44, 60, 90))),
        coat=chance(rng, 0.3),
        hood=chance(rng, 0.2),
        skirt=chance(rng, 0.12),
        hi_vis=chance(rng, 0.1),
        bag=rng.choice(("", "", "", "backpack", "handbag", "suitcase")),
    )


class _Sheet:
    """Draws in metres: x to the right of the feet, y up from the ground."""

    def __init__(self, size: tuple[int, int], scale: float, foot: Point) -> None:
        self.colours = np.zeros((size[1], size[0], 3), np.uint8)
        self.alpha = np.zeros((size[1], size[0]), np.uint8)
        self._scale, self._foot = scale, foot

    def _at(self, point: Point) -> tuple[int, int]:
        x, y = self._foot[0] + point[0] * self._scale, self._foot[1] - point[1] * self._scale
        return round(x * 16), round(y * 16)

    def limb(self, points: tuple[Point, ...], width_m: float, colour: Colour) -> None:
        corners = np.array([self._at(point) for point in points], np.int32)
        thick = max(1, round(width_m * self._scale))
        cv2.polylines(self.colours, [corners], isClosed=False, color=colour, thickness=thick, shift=4)
        cv2.polylines(self.alpha, [corners], isClosed=False, color=255, thickness=thick, shift=4)

    def shape(self, points: tuple[Point, ...], colour: Colour) -> None:
        corners = np.array([self._at(point) for point in points], np.int32)
        cv2.fillPoly(self.colours, [corners], colour, shift=4)
        cv2.fillPoly(self.alpha, [corners], 255, shift=4)

    def oval(self, centre: Point, radii: Point, colour: Colour, part: tuple[float, float] = (0, 360)) -> None:
        at = self._at(centre)
        axes = (max(1, round(radii[0] * self._scale * 16)), max(1, round(radii[1] * self._scale * 16)))
        cv2.ellipse(self.colours, at, axes, 0, part[0], part[1], colour, -1, shift=4)
        cv2.ellipse(self.alpha, at, axes, 0, part[0], part[1], 255, -1, shift=4)


def draw(
    looks: Looks, across: float, towards: float, walked_m: float, sheet: tuple[tuple[int, int], float, Point]
) -> tuple[Array, Array, Array]:
    """Colours, alpha, and the alpha of the person alone: a suitcase that is pulled along is none of it.

    `across` and `towards` say how the person faces: to the right, and to the camera, -1 to 1.
    """
    paper = _Sheet(*sheet)
    side, tall = abs(across), looks.tall_m
    way = 1 if across >= 0 else -1
    phase = walked_m / (0.42 * tall) * math.pi
    swing = math.sin(phase) * side * way if walked_m else 0.0
    far_first = ((-1, -swing), (1, swing))
    if looks.bag == "suitcase":
        paper.limb(((-0.45 * way * side - 0.25, 0.75), (-0.5 * way * side - 0.3, 0.3)), 0.04, (60, 60, 60))
        paper.shape(_block(-0.5 * way * side - 0.3, 0.32, 0.19, 0.3), (70, 60, 130))
    beside, paper.alpha = paper.alpha, np.zeros_like(paper.alpha)
    for leg, reach in far_first:
        _leg(paper, looks, leg, reach, phase=phase if walked_m else 0.0, front=abs(towards))
    _arm(paper, looks, -1, swing, abs(towards))
    _torso(paper, looks, side, abs(towards), way, behind=towards < -0.5)  # noqa: PLR2004 - seen from behind
    _arm(paper, looks, 1, -swing, abs(towards))
    _head(paper, looks, side, towards, way)
    return paper.colours, np.maximum(beside, paper.alpha), paper.alpha


def _dim(colour: Colour, factor: float) -> Colour:
    return (min(255.0, colour[0] * factor), min(255.0, colour[1] * factor), min(255.0, colour[2] * factor))


def _block(x: float, y: float, half_width: float, half_height: float) -> tuple[Point, ...]:
    left, right = x - half_width, x + half_width
    return ((left, y - half_height), (right, y - half_height), (right, y + half_height), (left, y + half_height))


def _leg(paper: _Sheet, looks: Looks, leg: int, reach: float, *, phase: float, front: float) -> None:
    tall = looks.tall_m
    lifted = max(0.0, math.cos(phase) * leg) * 0.09 * tall if phase else 0.0
    hip = (0.075 * front * leg * looks.stout, 0.53 * tall)
    ankle = (hip[0] + reach * 0.24 * tall, 0.05 * tall + lifted)
    knee = ((hip[0] + ankle[0]) / 2 + abs(reach) * 0.03 * tall, 0.28 * tall + lifted * 0.6)
    colour = _dim(looks.legs, 0.8 if leg < 0 else 1.0)
    colour = _dim(looks.skin, 0.9) if looks.skirt else colour
    paper.limb((hip, knee), 0.155 * looks.stout, colour)
    paper.limb((knee, ankle), 0.115 * looks.stout, colour)
    toe = (ankle[0] + (0.1 if reach >= 0 else -0.1) * (1 - front) + 0.02 * leg * front, ankle[1] - 0.03 * tall)
    paper.limb(((ankle[0], ankle[1] - 0.02 * tall), toe), 0.085, looks.shoes)


def _arm(paper: _Sheet, looks: Looks, arm: int, reach: float, front: float) -> None:
    tall = looks.tall_m
    shoulder = (0.2 * front * arm * looks.stout, 0.79 * tall)
    elbow = (shoulder[0] + reach * 0.07 * tall + 0.03 * arm * front, 0.62 * tall)
    hand = (shoulder[0] + reach * 0.19 * tall + 0.02 * arm * front, 0.48 * tall + abs(reach) * 0.03 * tall)
    colour = _dim(looks.top, 0.78 if arm < 0 else 0.92)
    paper.limb((shoulder, elbow, hand), 0.095 * looks.stout, colour)
    paper.oval(hand, (0.045, 0.05), looks.skin)
    if looks.bag == "handbag" and arm > 0:
        paper.shape(_block(hand[0], hand[1] - 0.16, 0.13, 0.11), (44, 52, 96))


def _torso(paper: _Sheet, looks: Looks, side: float, front: float, way: int, *, behind: bool) -> None:
    tall = looks.tall_m
    shoulders = (0.2 * front + 0.125 * side) * looks.stout
    hips = (0.155 * front + 0.12 * side) * looks.stout
    hem = 0.36 * tall if looks.coat else 0.49 * tall
    if looks.bag == "backpack" and not behind:
        paper.shape(_block(-0.17 * way * side, 0.69 * tall, 0.09 * side + 0.17 * front, 0.12 * tall), (52, 44, 40))
    flare = 1.15 if looks.coat else 1.0
    body = ((-hips * flare, hem), (hips * flare, hem), (hips, 0.58 * tall), (shoulders, 0.78 * tall))
    neck = (
        (shoulders * 0.6, 0.83 * tall),
        (-shoulders * 0.6, 0.83 * tall),
        (-shoulders, 0.78 * tall),
        (-hips, 0.58 * tall),
    )
    paper.shape((*body, *neck), HI_VIS if looks.hi_vis else looks.top)
    if looks.skirt and not looks.coat:
        wide = hips * 1.25
        paper.shape(((-hips, 0.53 * tall), (hips, 0.53 * tall), (wide, 0.34 * tall), (-wide, 0.34 * tall)), looks.legs)
    if looks.hi_vis:
        for level in (0.6, 0.68):
            paper.limb(((-hips, level * tall), (hips, level * tall)), 0.05, (225, 228, 230))
    elif not looks.coat:
        paper.limb(((-hips, 0.5 * tall), (hips, 0.5 * tall)), 0.04, _dim(looks.legs, 0.7))
    if looks.bag == "backpack" and behind:
        paper.shape(_block(0, 0.69 * tall, 0.17, 0.13 * tall), (52, 44, 40))


def _head(paper: _Sheet, looks: Looks, side: float, towards: float, way: int) -> None:
    tall = looks.tall_m
    centre = (0.03 * way * side, 0.925 * tall)
    radii = (0.05 * tall, 0.068 * tall)
    paper.limb(((0.0, 0.82 * tall), centre), 0.1, _dim(looks.skin, 0.8))
    covering = looks.top if looks.hood else looks.hair
    if towards < -0.3:  # noqa: PLR2004 - seen from behind
        paper.oval(centre, radii, covering)
        return
    paper.oval(centre, radii, looks.skin)
    paper.oval((centre[0], centre[1] + 0.02 * tall), (radii[0] * 1.06, radii[1] * 0.82), covering, (180, 360))
    if side > 0.4:  # noqa: PLR2004 - hair at the back of a head in profile
        paper.oval(
            (centre[0] - 0.022 * way * tall, centre[1] + 0.005 * tall), (radii[0] * 0.62, radii[1] * 0.95), covering
        )
    if looks.hood:
        paper.oval((centre[0], centre[1] + 0.012 * tall), (radii[0] * 1.15, radii[1] * 1.0), covering, (170, 370))
