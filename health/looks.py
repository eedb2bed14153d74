"""What one picture, or the median of a burst, looks like: the numbers and maps that a comparison needs. Pure.

Everything works at one size, so that a camera's stream may change its resolution without looking like a fault.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Map = NDArray[np.float32]

SIZE = (480, 270)
COLUMNS, ROWS = 20, 12
_THUMB = (40, 24)
_HALF = (SIZE[0] // 2, SIZE[1] // 2)
_COLOUR_SIZE = (SIZE[0] // 4, SIZE[1] // 4)  # every fourth pixel is enough for a median
_NOTHING = np.empty(0, np.float32)
_NO_COLOUR = 128  # of a and b in OpenCV's 8-bit Lab
_DARKEST, _BRIGHTEST = 6, 250
_NOISE_SEEN = (15.0, 240.0)


@dataclass(frozen=True, slots=True)
class Light:
    """Brightness from 0 to 255; shares of the picture's area from 0 to 1."""

    mean: float
    p5: float
    p95: float
    dark_share: float
    bright_share: float


@dataclass(frozen=True, slots=True)
class Colour:
    """Lab: medians of a (red against green) and b (yellow against blue), and the mean distance from grey."""

    a: float
    b: float
    chroma: float


@dataclass(frozen=True, slots=True)
class Look:
    """A picture at the working size. `gray` is slightly smoothed.

    `energy` is the squared gradient before that, `reblurred_energy` the same after another blur.
    """

    gray: Map
    energy: Map
    reblurred_energy: Map
    mean: Map
    variance: Map
    thumb: Map
    light: Light
    colour: Colour
    noise: float


def _as_map(values: object) -> Map:
    return np.asarray(values, np.float32)


def at_size(picture: Picture, size: tuple[int, int] = SIZE) -> Picture:
    """The picture at the working size, whatever size it comes in."""
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    # Averaging areas costs seven times as much, and is worth it only where pixels would be left out.
    much_larger = picture.shape[1] >= 2 * size[0] or picture.shape[0] >= 2 * size[1]
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if much_larger else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


def median_of(burst: Sequence[Picture]) -> Picture:
    """What stays while people and cars pass. The pictures are brought to the working size first."""
    pictures = [at_size(picture) for picture in burst]
    if len(pictures) < 3:  # noqa: PLR2004 - a median needs three
        return pictures[0]
    return _middle(pictures)


def _middle(pictures: list[Picture]) -> Picture:
    """Pixel by pixel, by odd-even sorting: whole pictures are compared, twenty times faster than numpy's median."""
    ordered = list(pictures)
    for turn in range(len(ordered)):
        for i in range(turn % 2, len(ordered) - 1, 2):
            ordered[i], ordered[i + 1] = np.minimum(ordered[i], ordered[i + 1]), np.maximum(ordered[i], ordered[i + 1])
    return ordered[(len(ordered) - 1) // 2]


def look_at_burst(burst: Sequence[Picture]) -> Look:
    """Of the median, with the noise that the single pictures have: a median has none."""
    noise = float(np.median([noise_of(picture) for picture in burst]))
    return replace(look_at(median_of(burst)), noise=noise)


def noise_of(picture: Picture) -> float:
    gray = np.asarray(cv2.cvtColor(at_size(picture), cv2.COLOR_BGR2GRAY), np.uint8)
    return _noise(gray, blocks(gray.astype(np.float32)))


def look_at(picture: Picture) -> Look:
    scaled = at_size(picture)
    plain = np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2GRAY), np.uint8)
    # In whole numbers, at a fifth of the cost of floating point: edges are far above the rounding.
    gray = cv2.GaussianBlur(plain, (5, 5), 0.8).astype(np.float32)
    mean = blocks(gray)
    variance = np.maximum(blocks(gray * gray) - mean * mean, 0)
    return Look(
        gray=gray,
        energy=gradient_energy(plain),
        reblurred_energy=gradient_energy(np.asarray(cv2.GaussianBlur(plain, (5, 5), 1.2), np.uint8)),
        mean=mean,
        variance=variance,
        thumb=_averaged(gray, _THUMB),
        light=_light(plain),
        colour=_colour(scaled),
        noise=_noise(plain, mean),
    )


def blocks(values: Map) -> Map:
    """The mean of each of the 20 x 12 blocks."""
    return _averaged(values, (COLUMNS, ROWS))


def _averaged(values: Map, size: tuple[int, int]) -> Map:
    """In two steps: halved by OpenCV, then by two products, since areas whose edges lie within pixels cost it more."""
    half = _as_map(cv2.resize(values, _HALF, interpolation=cv2.INTER_AREA))
    across, down = size
    # Not by numpy, whose threads would wait for each other longer than such small products take.
    columns = cv2.gemm(half, _shares(across, _HALF[0]), 1, _NOTHING, 0, flags=cv2.GEMM_2_T)
    return _as_map(cv2.gemm(_shares(down, _HALF[1]), columns, 1, _NOTHING, 0))


@lru_cache(maxsize=8)
def _shares(cells: int, pixels: int) -> Map:
    """cells x pixels: the share of each pixel in the mean of each cell."""
    edges = np.linspace(0, pixels, cells + 1)[:, None]
    left = np.arange(pixels)[None, :]
    covered = np.minimum(edges[1:], left + 1) - np.maximum(edges[:-1], left)
    return _as_map(np.clip(covered, 0, 1) * cells / pixels)


def gradient_energy(gray: Picture) -> Map:
    across = cv2.Sobel(gray, cv2.CV_32F, 1, 0)
    return _as_map(cv2.accumulateSquare(cv2.Sobel(gray, cv2.CV_32F, 0, 1), cv2.multiply(across, across)))


def _light(gray: Picture) -> Light:
    counts = np.asarray(cv2.calcHist([gray], [0], None, [256], [0, 256]), np.float64).ravel()
    cumulated = np.cumsum(counts) / gray.size
    p5, p95 = np.searchsorted(cumulated, (0.05, 0.95))
    return Light(
        mean=float(counts @ np.arange(256) / gray.size),
        p5=float(p5),
        p95=float(p95),
        dark_share=float(cumulated[_DARKEST]),
        bright_share=float(1 - cumulated[_BRIGHTEST - 1]),
    )


def _colour(scaled: Picture) -> Colour:
    small = cv2.resize(scaled, _COLOUR_SIZE, interpolation=cv2.INTER_NEAREST)
    _, *channels = cv2.split(cv2.cvtColor(small, cv2.COLOR_BGR2Lab))
    a, b = (_as_map(channel) - _NO_COLOUR for channel in channels)
    return Colour(float(np.median(a)), float(np.median(b)), float(cv2.mean(cv2.magnitude(a, b))[0]))


def _noise(gray: Picture, mean: Map) -> float:
    """Standard deviation in grey levels (Immerkaer 1996), from the calmest quarter of the blocks: texture is not noise.

    Nor is a block that is black or white through and through: there noise is cut off.
    """
    residue = cv2.convertScaleAbs(cv2.Sobel(gray, cv2.CV_16S, 2, 2))  # his mask: [1 -2 1] across and down
    per_block = blocks(residue.astype(np.float32)) * np.sqrt(np.pi / 2) / 6
    open_to_noise = (mean > _NOISE_SEEN[0]) & (mean < _NOISE_SEEN[1])
    candidates = np.sort(per_block[open_to_noise] if open_to_noise.any() else per_block, axis=None)
    return float(np.median(candidates[: max(1, len(candidates) // 4)]))
