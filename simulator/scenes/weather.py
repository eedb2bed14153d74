"""Harmless changes of a finished picture: rain, clouds, headlights, vibration, compression."""

import math
from types import MappingProxyType
from typing import TYPE_CHECKING

import cv2
import numpy as np

from simulator.scenes.dice import dice
from simulator.scenes.lens import Array, eight_bit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _clouds(picture: Array, severity: float, t_s: float, seed: int) -> Array:
    share = 0.65 + 0.35 * math.sin(2 * math.pi * t_s / 240 + seed)
    return cv2.convertScaleAbs(picture, alpha=1 - 0.35 * severity * share)


def _shadows(picture: Array, severity: float, t_s: float, seed: int) -> Array:
    """A soft shadow over about a third of the picture that travels."""
    height, width = picture.shape[:2]
    middle = (0.5 + 0.35 * math.sin(2 * math.pi * t_s / 1800 + seed)) * width
    across = np.abs(np.arange(width, dtype=np.float32) - middle) / (0.18 * width)
    gain = 1 - 0.4 * severity * np.clip(1.5 - across, 0, 1)
    strip = np.broadcast_to(gain[None, :, None], (height, width, 3))
    return eight_bit(picture * strip)


def _rain(picture: Array, severity: float, t_s: float, seed: int) -> Array:
    rng = np.random.default_rng((seed, int(t_s * 1000) & 0x7FFFFFFF, 3))
    height, width = picture.shape[:2]
    streaks = np.zeros((height, width), np.uint8)
    count = int(40 + 220 * severity)
    starts = rng.uniform((0, -20), (width, height), (count, 2))
    lengths = rng.uniform(0.02, 0.07, count) * height
    ends = starts + np.stack((lengths * 0.15, lengths), axis=1)
    lines = np.stack((starts, ends), axis=1).astype(np.int32)
    cv2.polylines(streaks, list(lines), isClosed=False, color=90, thickness=1, lineType=cv2.LINE_AA)
    hazy = cv2.convertScaleAbs(picture, alpha=1 - 0.15 * severity, beta=18 * severity)
    return cv2.add(hazy, cv2.merge((streaks, streaks, streaks)))


def _headlights(picture: Array, severity: float, t_s: float, seed: int) -> Array:
    height, width = picture.shape[:2]
    place = (t_s * 0.11 + seed * 0.37) % 1.6 - 0.3
    x = (np.arange(width, dtype=np.float32)[None] / width - place) / 0.13
    y = (np.arange(height, dtype=np.float32)[:, None] / height - 0.6) / 0.18
    glow = np.exp(-(x * x + y * y)) * (150 * severity)
    return cv2.add(picture, cv2.merge([glow.astype(np.uint8)] * 3))


def _jpeg(picture: Array, severity: float, _t_s: float, _seed: int) -> Array:
    _, encoded = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, int(92 - 65 * severity)))
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return picture if decoded is None else decoded


def _vibration(picture: Array, severity: float, t_s: float, seed: int) -> Array:
    rng = dice(seed * 1_000_003 + int(t_s * 1000))
    reach = 1.5 * severity * picture.shape[1] / 640
    matrix = np.array(((1, 0, rng.uniform(-reach, reach)), (0, 1, rng.uniform(-reach, reach))))
    size = (picture.shape[1], picture.shape[0])
    return cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REFLECT)


CHANGES: "Mapping[str, Callable[[Array, float, float, int], Array]]" = MappingProxyType(
    {
        "clouds": _clouds,
        "shadows": _shadows,
        "headlights": _headlights,
        "rain": _rain,
        "vibration": _vibration,
        "jpeg": _jpeg,
    }
)
"""In their order; jpeg comes after the noise. A parked vehicle and another light are part of the scene: see `scene`."""
