"""Day, dusk and infra-red night: how much light falls where, and where shadows lie."""

import math

import cv2
import numpy as np

from simulator.scenes.lens import Array, Lens, eight_bit
from simulator.scenes.model import DAY_S, HOUR_S, Light
from simulator.scenes.places import EAST, NORTH, SOUTH, WEST
from simulator.scenes.stage import Surface, homography

DUSK = np.array((0.52, 0.44, 0.43), np.float32)
SHADE = 0.46
NOISE_SIGMA: dict[Light, float] = {"day": 2.0, "dusk": 3.6, "night-ir": 4.6}
_SHADOW_PX_PER_M = 7


def ir_at(distance_m: Array, off_axis: Array) -> Array:
    """What the camera's own infra-red lamps give at a distance, `off_axis` in half diagonals of the picture."""
    given: Array = (0.06 + 1.9 / (1 + (distance_m / 13) ** 2)) * (1 - 0.5 * off_axis**2)
    return given


def light_backdrop(picture: Array, depth: Array, light: Light) -> Array:
    if light == "day":
        return picture
    if light == "dusk":
        return eight_bit(picture * DUSK)
    height, width = depth.shape
    across = (np.arange(width, dtype=np.float32)[None] - width / 2) / (width / 2)
    down = (np.arange(height, dtype=np.float32)[:, None] - height / 2) / (height / 2)
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) * ir_at(depth, np.sqrt((across**2 + down**2) / 2))
    return cv2.cvtColor(eight_bit(np.maximum(grey, 4)), cv2.COLOR_GRAY2BGR)


def light_sprite(colours: Array, distance_m: float, off_axis: float, light: Light) -> Array:
    if light == "day":
        return colours
    if light == "dusk":
        return eight_bit(colours * DUSK)
    gain = float(ir_at(np.array(distance_m), np.array(off_axis)))
    grey = (cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY) * 0.85 + 28) * gain
    return cv2.cvtColor(eight_bit(np.maximum(grey, 4)), cv2.COLOR_GRAY2BGR)


def sun_at(t_s: float, turn: float) -> tuple[float, float]:
    """Where the shadow of one upright metre ends, on the ground."""
    hour = min(18.0, max(7.0, t_s % DAY_S / HOUR_S))
    height = math.radians(12 + 43 * math.sin(math.pi * (hour - 6.5) / 12))
    around = (hour - 12.5) / 12 * math.pi * 1.1 + turn
    length = min(2.6, 1 / math.tan(height))
    return math.sin(around) * length, abs(math.cos(around)) * length * 0.8


def static_shadows(surfaces: list[Surface], sun: tuple[float, float], lens: Lens) -> Array:
    """How dark the ground is, 0 to 255, in the picture."""
    scale = _SHADOW_PX_PER_M
    size = (int((NORTH - SOUTH) * scale), int((EAST - WEST) * scale))
    flat = np.zeros(size, np.uint8)
    for surface in surfaces:
        if surface.casts:
            _cast(flat, surface, sun)
    soft = cv2.GaussianBlur(flat, (5, 5), 1.2)
    step = 1 / scale
    ground = Surface(soft, (WEST, 0, NORTH), (step, 0, 0), (0, 0, -step))
    shadow: Array = cv2.warpPerspective(soft, homography(lens, ground, np.zeros(2)), (lens.width, lens.height))
    return shadow


def _cast(flat: Array, surface: Surface, sun: tuple[float, float]) -> None:
    top_left, top_right, low_right, low_left = surface.corners
    see_through = surface.texture.shape[2] == 4  # noqa: PLR2004 - with an alpha channel
    if see_through and top_left[1] > 3.5:  # noqa: PLR2004 - a tree
        crown = (top_left + top_right) / 2
        middle = _flat_spot(crown[0] + sun[0] * crown[1] * 0.64, crown[2] + sun[1] * crown[1] * 0.64)
        width = float(np.linalg.norm(top_right - top_left)) * 0.42 * _SHADOW_PX_PER_M
        turn = math.degrees(math.atan2(-sun[1], sun[0]))
        length = max(width, crown[1] * 0.3 * math.hypot(*sun) * _SHADOW_PX_PER_M)
        cv2.ellipse(flat, middle, (int(length), int(width)), turn, 0, 360, 225, -1)
        return
    far = [(corner[0] + sun[0] * corner[1], corner[2] + sun[1] * corner[1]) for corner in (top_right, top_left)]
    corners = [(low_left[0], low_left[2]), (low_right[0], low_right[2]), *far]
    cv2.fillPoly(flat, [np.array([_flat_spot(*corner) for corner in corners], np.int32)], 90 if see_through else 255)


def _flat_spot(x: float, z: float) -> tuple[int, int]:
    return round((x - WEST) * _SHADOW_PX_PER_M), round((NORTH - z) * _SHADOW_PX_PER_M)


def darken_ground(picture: Array, shadow: Array, is_ground: Array) -> Array:
    gain = 1 - SHADE * shadow.astype(np.float32) / 255
    gain[~is_ground] = 1
    return eight_bit(picture * gain[..., None])
