"""The empty place: surfaces laid into a picture with their distances, so that things can pass behind them."""

from dataclasses import dataclass

import cv2
import numpy as np

from simulator.scenes import textures
from simulator.scenes.lens import Array, Lens

FAR_M = 1e4
_OPAQUE = 127


@dataclass(frozen=True, slots=True)
class Surface:
    """A flat picture in the world: pixel (i, j) lies at origin + i * across + j * down. `casts`: it has a shadow."""

    texture: Array
    origin: tuple[float, float, float]
    across: tuple[float, float, float]
    down: tuple[float, float, float]
    casts: bool = True

    @property
    def corners(self) -> Array:
        height, width = self.texture.shape[:2]
        start, u, v = (np.array(vector) for vector in (self.origin, self.across, self.down))
        return np.array((start, start + u * width, start + u * width + v * height, start + v * height))


def upright(texture: Array, x: float, z: float, along: tuple[float, float] = (1, 0), lift: float = 0) -> Surface:
    """A surface that stands on the ground at (x, z) and runs along a direction of the ground."""
    step = 1 / textures.PX_PER_M
    height = texture.shape[0] * step
    return Surface(texture, (x, lift + height, z), (along[0] * step, 0, along[1] * step), (0, -step, 0))


class Stage:
    """Surfaces in any order; the nearer one wins, pixel by pixel."""

    def __init__(self, lens: Lens, background: Array) -> None:
        self.lens = lens
        self.picture = background
        self.depth = np.full((lens.height, lens.width), FAR_M, np.float32)

    def lay(self, surface: Surface) -> None:
        lens = self.lens
        outline = lens.outline(surface.corners)
        if outline is None:
            return
        low = np.maximum(np.floor(outline.min(axis=0)), 0).astype(int)
        high = np.minimum(np.ceil(outline.max(axis=0)) + 1, (lens.width, lens.height)).astype(int)
        width, height = high - low
        if width <= 0 or height <= 0:
            return
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [np.round((outline - low) * 16).astype(np.int32)], 255, shift=4)
        image = cv2.warpPerspective(
            surface.texture,
            homography(lens, surface, low),
            (int(width), int(height)),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        distance = _distances(lens, surface, low, (int(width), int(height)))
        rows, columns = slice(low[1], high[1]), slice(low[0], high[0])
        wins = (mask > 0) & (distance < self.depth[rows, columns])
        if image.shape[2] == 4:  # noqa: PLR2004 - with an alpha channel
            wins &= image[..., 3] > _OPAQUE
        self.picture[rows, columns][wins] = image[..., :3][wins]
        self.depth[rows, columns][wins] = distance[wins]


def homography(lens: Lens, surface: Surface, low: Array) -> Array:
    """From the pixels of a surface to those of the picture, whose corner `low` is the origin."""
    columns = (np.array(surface.across), np.array(surface.down), np.array(surface.origin) - lens.position)
    moved = np.array(((1, 0, -low[0]), (0, 1, -low[1]), (0, 0, 1.0)))
    found: Array = moved @ lens.matrix @ lens.rotation @ np.stack(columns, axis=1)
    return found


def _distances(lens: Lens, surface: Surface, low: Array, size: tuple[int, int]) -> Array:
    across, down = lens.rotation @ np.array(surface.across), lens.rotation @ np.array(surface.down)
    normal = np.cross(across, down)
    level = normal @ (lens.rotation @ (np.array(surface.origin) - lens.position))
    x = ((np.arange(size[0]) + low[0] + 0.5 - lens.centre[0]) / lens.focal_px)[None, :]
    y = ((np.arange(size[1]) + low[1] + 0.5 - lens.centre[1]) / lens.focal_px)[:, None]
    slope = normal[0] * x + normal[1] * y + normal[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.nan_to_num(level / slope, nan=FAR_M, posinf=FAR_M, neginf=FAR_M)
    return np.where(distance > 0, distance, FAR_M).astype(np.float32)
