"""A made-up street, seen well and badly: quick to draw, with enough texture to be judged."""

from collections.abc import Callable, Mapping
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from health.looks import Picture

SIZE = (960, 540)


def street(seed: int = 1) -> Picture:
    """Without noise; the same for the same seed."""
    rng = np.random.default_rng(seed)
    width, height = SIZE
    picture = np.full((height, width, 3), (150, 140, 120), np.uint8)
    picture[height // 2 :] = (95, 100, 105)
    for _ in range(70):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        w, h = int(rng.integers(15, 110)), int(rng.integers(15, 80))
        colour = tuple(int(c) for c in rng.integers(30, 225, 3))
        cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1)
        cv2.rectangle(picture, (x, y), (x + w, y + h), (40, 40, 40), 2)
    for _ in range(40):
        a, b = rng.integers(0, width, 2), rng.integers(0, height, 2)
        cv2.line(picture, (int(a[0]), int(b[0])), (int(a[1]), int(b[1])), (60, 70, 80), 2)
    rough = cv2.GaussianBlur(rng.normal(0, 40, (height, width)).astype(np.float32), (0, 0), 1.2)
    return clipped(picture + rough[:, :, None])


def clipped(values: object) -> Picture:
    return np.clip(np.asarray(values, np.float32), 0, 255).astype(np.uint8)


def seen(picture: Picture, seed: int, sigma: float = 1.5) -> Picture:
    """With the sensor's noise, and somebody who walks by."""
    noisy = clipped(picture + sigma * np.roll(_noise(), 7919 * (seed + 1)))
    x = (seed * 137) % (SIZE[0] - 40)
    noisy[300:420, x : x + 36] = (30, 30, 140)
    return noisy


@cache
def _noise() -> NDArray[np.float32]:
    return np.random.default_rng(7).standard_normal((SIZE[1], SIZE[0], 3), np.float32)


def gain(factor: float, offset: float = 0) -> Callable[[Picture], Picture]:
    return lambda picture: clipped(picture.astype(np.float32) * factor + offset)


def blur(sigma: float) -> Callable[[Picture], Picture]:
    """In pixels of a picture 640 wide."""
    return lambda picture: clipped(cv2.GaussianBlur(picture, (0, 0), sigma * SIZE[0] / 640))


def moved(dx: float = 0, dy: float = 0, degrees: float = 0, zoom: float = 1) -> Callable[[Picture], Picture]:
    """In pixels of a picture 640 wide."""
    matrix = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), degrees, zoom)
    matrix[:, 2] += np.array((dx * SIZE[0] / 640, dy * SIZE[1] / 360))
    return lambda picture: clipped(cv2.warpAffine(picture, matrix, SIZE, borderMode=cv2.BORDER_REFLECT))


def covered(share: float, level: int | None) -> Callable[[Picture], Picture]:
    """From the left, in one grey or (`None`) with a coarse pattern."""

    def cover(picture: Picture) -> Picture:
        hidden = picture.copy()
        edge = int(picture.shape[1] * share)
        if level is not None:
            hidden[:, :edge] = level
            return hidden
        rng = np.random.default_rng(5)
        rough = cv2.GaussianBlur(rng.normal(0, 400, (picture.shape[0], edge, 3)).astype(np.float32), (0, 0), 9)
        hidden[:, :edge] = clipped(110 + rough)
        return hidden

    return cover


def noisy(sigma: float) -> Callable[[Picture], Picture]:
    return lambda picture: clipped(picture + np.random.default_rng(9).normal(0, sigma, picture.shape))


def coded(quality: int) -> Callable[[Picture], Picture]:
    def code(picture: Picture) -> Picture:
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return clipped(cv2.imdecode(data, cv2.IMREAD_COLOR))

    return code


def pink(picture: Picture) -> Picture:
    return clipped(picture * np.array([1.1, 0.75, 1.3], np.float32) + np.array([10, 0, 40], np.float32))


def grey(picture: Picture) -> Picture:
    return clipped(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))


def shadow(picture: Picture) -> Picture:
    dark = picture.copy()
    dark[:, : picture.shape[1] // 3] = gain(0.5)(picture[:, : picture.shape[1] // 3])
    return dark


def gamma(value: float) -> Callable[[Picture], Picture]:
    return lambda picture: clipped(255 * (picture / 255.0) ** value)


BENIGN: Mapping[str, Callable[[Picture], Picture]] = {
    "as it was": lambda picture: picture,
    "less light": gain(0.7),
    "more light": gain(1.2, 8),
    "another gamma": gamma(0.7),
    "coarse coding": coded(30),
    "a shadow over a third": shadow,
    "fog": gain(0.5, 90),
    "vibration": moved(2, 1),
}
