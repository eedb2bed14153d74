"""Surfaces of a built place, drawn flat: façades, fences, paving, trees. BGR or BGRA, `PX_PER_M` to the metre."""

import cv2
import numpy as np

from simulator.scenes.dice import chance
from simulator.scenes.lens import Array

PX_PER_M = 24
Rng = np.random.Generator
Colour = tuple[float, float, float]

WALLS: tuple[Colour, ...] = (
    (118, 138, 158),  # sandstone
    (96, 104, 148),  # brick
    (168, 172, 176),  # render
    (150, 158, 150),
    (128, 118, 112),  # slate
    (176, 190, 200),
    (110, 128, 176),  # terracotta
    (140, 128, 108),
)
PAINTS: tuple[Colour, ...] = ((52, 70, 46), (110, 70, 40), (44, 44, 120), (60, 96, 150), (90, 92, 94), (150, 140, 60))


def grain(rng: Rng, height: int, width: int, scales: tuple[tuple[int, float], ...]) -> Array:
    """Noise of several sizes, each (pixels, strength), around zero."""
    total = np.zeros((height, width), np.float32)
    for size, strength in scales:
        coarse = rng.standard_normal((height // size + 2, width // size + 2), np.float32) * strength
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return total


def plain(rng: Rng, height: int, width: int, colour: Colour, scales: tuple[tuple[int, float], ...]) -> Array:
    """One material: a colour with its grain."""
    tones = grain(rng, height, width, scales)[..., None]
    return np.clip(np.asarray(colour, np.float32) + tones, 0, 255).astype(np.uint8)


def _shade(colour: Colour, factor: float) -> Colour:
    return (min(255, colour[0] * factor), min(255, colour[1] * factor), min(255, colour[2] * factor))


def facade(rng: Rng, width_m: float, height_m: float, *, doors: bool = True) -> Array:
    """A house front: storeys of windows, a plinth, doors or shop windows below, a gutter above."""
    width, height = int(width_m * PX_PER_M), int(height_m * PX_PER_M)
    colour = WALLS[rng.integers(len(WALLS))]
    wall = plain(rng, height, width, colour, ((2, 5), (9, 4), (70, 6)))
    course = int(rng.integers(5, 9))
    if chance(rng, 0.5):
        wall[::course] = (wall[::course] * 0.86).astype(np.uint8)
    storey = int(3.1 * PX_PER_M)
    pitch = int(rng.uniform(2.1, 3.4) * PX_PER_M)
    size = (int(rng.uniform(0.9, 1.5) * PX_PER_M), int(rng.uniform(1.2, 1.7) * PX_PER_M))
    frame = (205, 210, 214) if chance(rng, 0.6) else (60, 62, 66)
    for floor in range(max(1, height // storey)):
        sill = height - floor * storey - int(0.9 * PX_PER_M)
        for left in range(int(0.5 * PX_PER_M), width - size[0] - 6, pitch):
            if floor == 0 and doors and chance(rng, 0.45):
                _door(rng, wall, left, size[0], height)
            else:
                _window(rng, wall, (left, sill - size[1], size[0], size[1]), frame)
    cv2.rectangle(wall, (0, height - int(0.45 * PX_PER_M)), (width, height), _shade(colour, 0.6), -1)
    cv2.rectangle(wall, (0, 0), (width, int(0.25 * PX_PER_M)), _shade(colour, 0.5), -1)
    for left in rng.integers(0, width, max(1, width // 300)):
        cv2.line(wall, (int(left), 0), (int(left), height), _shade(colour, 0.55), 3)
    return wall


def _window(rng: Rng, wall: Array, at: tuple[int, int, int, int], frame: Colour) -> None:
    left, top, width, height = at
    if top < 0:
        return
    sky = rng.uniform(0.35, 1.0)
    pane = np.linspace(150 * sky, 50, height)[:, None, None] * np.array((1.05, 0.95, 0.86))
    pane = np.broadcast_to(pane, (height, width, 3)).copy()
    drawn = int(height * rng.choice((0, 0, 0.25, 0.6)))
    pane[:drawn] = (150, 160, 168)
    target = wall[top : top + height, left : left + width]
    target[:] = pane[: target.shape[0], : target.shape[1]].astype(np.uint8)
    cv2.rectangle(wall, (left - 2, top - 2), (left + width + 1, top + height + 1), frame, 2)
    cv2.line(wall, (left + width // 2, top), (left + width // 2, top + height), frame, 2)
    cv2.rectangle(wall, (left - 4, top + height + 2), (left + width + 4, top + height + 5), (190, 195, 198), -1)
    cv2.line(wall, (left - 4, top + height + 7), (left + width + 4, top + height + 7), (70, 74, 78), 2)


def _door(rng: Rng, wall: Array, left: int, width: int, height: int) -> None:
    top = height - int(2.3 * PX_PER_M)
    colour = PAINTS[rng.integers(len(PAINTS))]
    cv2.rectangle(wall, (left - 3, top - 3), (left + width + 3, height), (170, 174, 178), -1)
    cv2.rectangle(wall, (left, top), (left + width, height), colour, -1)
    cv2.rectangle(wall, (left + 5, top + 5), (left + width - 5, top + height // 8), (90, 84, 76), -1)
    cv2.circle(wall, (left + width - 6, (top + height) // 2 + 10), 2, (200, 210, 215), -1)
    if chance(rng, 0.5):
        cv2.rectangle(wall, (left - 12, top - 22), (left + width + 12, top - 9), _shade(colour, 1.5), -1)


def shed(rng: Rng, width_m: float, height_m: float) -> Array:
    """A warehouse: ribbed sheet metal and roller doors with their numbers."""
    width, height = int(width_m * PX_PER_M), int(height_m * PX_PER_M)
    colour = ((150, 146, 136), (172, 176, 178), (140, 120, 92))[rng.integers(3)]
    wall = plain(rng, height, width, colour, ((2, 2), (90, 6)))
    wall[:, ::7] = (wall[:, ::7] * 0.82).astype(np.uint8)
    cv2.rectangle(wall, (0, 0), (width, int(0.7 * PX_PER_M)), PAINTS[rng.integers(len(PAINTS))], -1)
    top = height - int(3.4 * PX_PER_M)
    for number, left in enumerate(range(int(1.5 * PX_PER_M), width - 4 * PX_PER_M, int(6.5 * PX_PER_M))):
        right = left + int(3.2 * PX_PER_M)
        cv2.rectangle(wall, (left - 5, top - 5), (right + 5, height), (60, 180, 200), -1)
        cv2.rectangle(wall, (left, top), (right, height), (196, 200, 202), -1)
        for row in range(top, height, 9):
            cv2.line(wall, (left, row), (right, row), (150, 154, 158), 1)
        cv2.putText(wall, str(number + 1), (left + 24, top - 14), cv2.FONT_HERSHEY_DUPLEX, 1.4, (40, 40, 40), 3)
    return wall


def fence(rng: Rng, width_m: float, height_m: float) -> Array:
    """Bars that one sees through (BGRA)."""
    width, height = int(width_m * PX_PER_M), int(height_m * PX_PER_M)
    bars = np.zeros((height, width, 4), np.uint8)
    colour = (*((58, 74, 52), (120, 124, 126), (60, 60, 62))[rng.integers(3)], 255)
    bars[:, ::8] = colour
    bars[:, 1::8] = colour
    for row in (4, height // 2, height - 8):
        bars[row : row + 4] = colour
    for left in range(0, width, int(2.5 * PX_PER_M)):
        bars[:, left : left + 5] = colour
    return bars


def hedge(rng: Rng, width_m: float, height_m: float) -> Array:
    width, height = int(width_m * PX_PER_M), int(height_m * PX_PER_M)
    green = plain(rng, height, width, (44, 84, 62), ((2, 16), (5, 16), (16, 12)))
    alpha = np.full((height, width, 1), 255, np.uint8)
    ragged = np.clip(grain(rng, 1, width, ((6, 4), (30, 5)))[0] + 8, 0, height / 3).astype(int)
    alpha[np.arange(height)[:, None] < ragged[None]] = 0
    return np.concatenate((green, alpha), axis=2)


def tree(rng: Rng, height_m: float) -> Array:
    """A broad-leaved tree (BGRA), as wide as 0.7 of its height."""
    height, width = int(height_m * PX_PER_M), int(0.7 * height_m * PX_PER_M)
    leaves = np.zeros((height, width, 4), np.uint8)
    trunk = max(3, width // 22)
    foot = width // 2
    cv2.rectangle(leaves, (foot - trunk, int(height * 0.5)), (foot + trunk, height), (52, 66, 80, 255), -1)
    for _ in range(90):
        angle, radius = rng.uniform(0, 2 * np.pi), np.sqrt(rng.random())
        x = int(foot + np.cos(angle) * radius * width * 0.38)
        y = int(height * 0.36 + np.sin(angle) * radius * height * 0.28)
        light = 0.65 + 0.5 * (1 - y / height) + rng.uniform(-0.15, 0.15)
        size = int(rng.uniform(0.05, 0.12) * width) + 2
        cv2.circle(leaves, (x, y), size, (38 * light, 92 * light, 66 * light, 255), -1)
    tones = grain(rng, height, width, ((2, 14), (5, 12)))[..., None]
    leaves[..., :3] = np.clip(leaves[..., :3] + tones, 0, 255).astype(np.uint8)
    holes = grain(rng, height, width, ((5, 1.0),)) > 1.9  # noqa: PLR2004 - standard deviations
    leaves[holes & (np.arange(height)[:, None] < height * 0.6)] = 0
    return leaves


def column(rng: Rng, width_m: float, height_m: float, colour: Colour) -> Array:
    """A round post, lighter where the light falls."""
    width, height = max(4, int(width_m * PX_PER_M)), int(height_m * PX_PER_M)
    across = 0.55 + 0.6 * np.sin(np.linspace(0.3, 2.6, width)) ** 2
    post = np.asarray(colour, np.float32) * across[None, :, None]
    return np.clip(np.broadcast_to(post, (height, width, 3)) + rng.normal(0, 2), 0, 255).astype(np.uint8)


def crate(rng: Rng, width_m: float, height_m: float, colour: Colour, *, ribs: bool) -> Array:
    """One side of a box: a container, a bin, a cabinet, a planter."""
    width, height = max(6, int(width_m * PX_PER_M)), max(6, int(height_m * PX_PER_M))
    side = plain(rng, height, width, colour, ((2, 3), (20, 6)))
    if ribs:
        side[:, ::6] = (side[:, ::6] * 0.78).astype(np.uint8)
    cv2.rectangle(side, (0, 0), (width - 1, height - 1), _shade(colour, 0.6), 2)
    if width > 1.6 * PX_PER_M and chance(rng, 0.7):
        left, top = int(width * rng.uniform(0.1, 0.5)), int(height * rng.uniform(0.15, 0.5))
        cv2.rectangle(side, (left, top), (left + width // 4, top + height // 5), (210, 214, 216), -1)
        cv2.line(side, (left + 3, top + 6), (left + width // 5, top + 6), (60, 60, 60), 2)
    return side


def sky(rng: Rng, height: int, width: int) -> Array:
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    blue = np.array((206, 186, 168), np.float32) * (1 - ramp) + np.array((222, 218, 214), np.float32) * ramp
    clouds = grain(rng, height, width, ((60, 9), (25, 4)))[..., None]
    drawn: Array = np.clip(blue + clouds, 0, 255).astype(np.uint8)
    return drawn
