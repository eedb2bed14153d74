"""What lens, cover and sensor do to a picture: faults, harmless changes, and the noise that is always there."""

import math
from functools import lru_cache
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING

import cv2
import numpy as np

from simulator.scenes.dice import dice
from simulator.scenes.lens import Array, eight_bit
from simulator.scenes.textures import grain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulator.scenes.model import Light, PictureFault

FULL = 0.97
_STUCK = np.array(((0.75, 0.1, 0.35), (0.1, 0.55, 0.15), (0.2, 0.35, 0.95)), np.float32)
_CASTS = ((1.35, 0.95, 0.75), (0.7, 1.0, 1.3), (0.85, 1.3, 0.85))


def spoil(picture: Array, fault: "PictureFault", seed: int, light: "Light") -> Array:
    change = CHANGES.get(fault.name)
    return picture if change is None or fault.severity == 0 else change(picture, fault, seed, light)


def add_noise(picture: Array, sigma: float, rng: Random) -> Array:
    height, width = picture.shape[:2]
    tile = _noise_tile(height, width, round(sigma * 2))
    top, left = rng.randrange(64), rng.randrange(64)
    return cv2.add(picture, tile[top : top + height, left : left + width], dtype=cv2.CV_8U)


@lru_cache(maxsize=4)
def _noise_tile(height: int, width: int, half_sigmas: int) -> Array:
    rng = np.random.default_rng(5)
    grey = rng.standard_normal((height + 64, width + 64, 1), np.float32)
    colour = rng.standard_normal((height + 64, width + 64, 3), np.float32)
    return np.round((grey * 0.9 + colour * 0.45) * (half_sigmas / 2)).astype(np.int16)


def cover_of(fault: "PictureFault", seed: int, size: tuple[int, int]) -> Array | None:
    """The share of light that a cover takes from every pixel; None where there is none."""
    if fault.name != "covered" or fault.severity == 0:
        return None
    return _cover(seed, size, fault.severity)


@lru_cache(maxsize=4)
def _cover(seed: int, size: tuple[int, int], severity: float) -> Array:
    width, height = size
    if severity >= FULL:
        return np.ones((height, width), np.float32)
    rng = np.random.default_rng((seed, 41))
    turn = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    field = x * np.float32(math.cos(turn)) + y * np.float32(math.sin(turn))
    field = field + grain(rng, height, width, ((max(8, width // 8), 0.12), (max(4, width // 20), 0.04)))
    edge = np.quantile(field[::4, ::4], severity)
    shade: Array = np.clip((edge - field) * 14 + 0.5, 0, 1).astype(np.float32)
    return shade


@lru_cache(maxsize=4)
def _cloth(seed: int, size: tuple[int, int], variant: str) -> Array:
    width, height = size
    rng = np.random.default_rng((seed, 43))
    plain = {"dark": (16, 40, 4), "bright": (226, 60, 9)}.get(variant)
    if plain is not None:
        level, patch, strength = plain
        grey = eight_bit(level + grain(rng, height, width, ((patch, strength),)))
        return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    weave = grain(rng, height, width, ((3, 20), (12, 26), (50, 22)))[..., None]
    return eight_bit(np.array(rng.uniform(50, 150, 3), np.float32) + weave)


def _covered(picture: Array, fault: "PictureFault", seed: int, light: "Light") -> Array:
    size = (picture.shape[1], picture.shape[0])
    cover = _cover(seed, size, fault.severity)[..., None]
    cloth = _cloth(seed, size, fault.variant)
    dim = {"day": 1.0, "dusk": 0.6, "night-ir": 0.8}[light]
    if light == "night-ir":
        cloth = cloth.mean(axis=2, keepdims=True)
    return eight_bit(picture * (1 - cover) + cloth * dim * cover)


def _defocused(picture: Array, fault: "PictureFault", _seed: int, _light: "Light") -> Array:
    return cv2.GaussianBlur(picture, (0, 0), max(0.3, 4 * fault.severity * picture.shape[1] / 640))


def _dark(picture: Array, fault: "PictureFault", _seed: int, _light: "Light") -> Array:
    return cv2.convertScaleAbs(picture, alpha=1 - 0.95 * fault.severity)


def _bright(picture: Array, fault: "PictureFault", _seed: int, _light: "Light") -> Array:
    return cv2.convertScaleAbs(picture, alpha=1 + 2.2 * fault.severity, beta=55 * fault.severity)


def _ir_cut_stuck(picture: Array, fault: "PictureFault", _seed: int, light: "Light") -> Array:
    """Infra-red reaches the sensor by day: pink, and leaves are pale. At night nothing is different."""
    if light == "night-ir":
        return picture
    pink = cv2.convertScaleAbs(cv2.transform(picture, _STUCK), alpha=1.0, beta=8)
    return cv2.addWeighted(picture, 1 - fault.severity, pink, fault.severity, 0)


def _colour_cast(picture: Array, fault: "PictureFault", seed: int, light: "Light") -> Array:
    if light == "night-ir":
        return picture
    gains = 1 + (np.array(_CASTS[seed % len(_CASTS)]) - 1) * fault.severity
    levels = np.clip(np.arange(256)[:, None] * gains, 0, 255).astype(np.uint8)
    return cv2.LUT(picture, levels[None])


def _noisy(picture: Array, fault: "PictureFault", seed: int, _light: "Light") -> Array:
    return add_noise(picture, 30 * fault.severity, dice(seed ^ int(picture[::16, ::16].sum())))


def _dirty(picture: Array, fault: "PictureFault", seed: int, _light: "Light") -> Array:
    veil = _dirt(seed, (picture.shape[1], picture.shape[0]), fault.severity)[..., None]
    return eight_bit(picture * (1 - veil) + np.float32(58) * veil)


@lru_cache(maxsize=4)
def _dirt(seed: int, size: tuple[int, int], severity: float) -> Array:
    """Blurred specks close to the lens: always the same ones."""
    rng = np.random.default_rng((seed, 47))
    veil = np.zeros((size[1], size[0]), np.float32)
    for _ in range(6 + int(26 * severity)):
        spot = (int(rng.uniform(0, size[0])), int(rng.uniform(0, size[1])))
        radius = rng.uniform(0.008, 0.045) * size[0]
        axes = (int(radius) + 1, int(radius * rng.uniform(0.6, 1)) + 1)
        cv2.ellipse(veil, spot, axes, rng.uniform(0, 180), 0, 360, rng.uniform(0.35, 0.85), -1)
    return cv2.GaussianBlur(veil, (0, 0), size[0] / 110) * np.float32(0.35 + 0.6 * severity)


def _no_picture(picture: Array, _fault: "PictureFault", _seed: int, _light: "Light") -> Array:
    return np.zeros_like(picture)


CHANGES: "Mapping[str, Callable[[Array, PictureFault, int, Light], Array]]" = MappingProxyType(
    {
        "covered": _covered,
        "defocused": _defocused,
        "dirt": _dirty,
        "ir-cut-stuck": _ir_cut_stuck,
        "dark": _dark,
        "bright": _bright,
        "colour-cast": _colour_cast,
        "noise": _noisy,
        "no-picture": _no_picture,
    }
)
"""In the order in which light meets them. A moved or frozen camera is no change of the light: see `scene`."""


def displacement(fault: "PictureFault", seed: int, width: int, centre: tuple[float, float]) -> Array:
    """What a turned camera does to pixels: a 2x3 matrix."""
    rng = dice(seed * 13 + 7)
    way = rng.uniform(0, 2 * math.pi)
    angle, zoom, shift = 0.0, 1.0, 0.0
    if fault.variant == "rotate":
        angle = 8 * fault.severity * rng.choice((-1, 1))
    elif fault.variant == "zoom":
        zoom = 1 + 0.24 * fault.severity
    else:
        shift = fault.severity * width / 8
    matrix = np.asarray(cv2.getRotationMatrix2D(centre, angle, zoom))
    matrix[:, 2] += np.array((shift * math.cos(way), shift * math.sin(way) * 0.6))
    return matrix
