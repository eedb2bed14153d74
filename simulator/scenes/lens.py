"""A pinhole camera above the ground: where a point of the world lies in the picture, and how far away."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
NEAR_M = 0.6


def eight_bit(values: Array) -> Array:
    """Brightness as a picture holds it: whole numbers from 0 to 255."""
    found: Array = np.clip(values, 0, 255).astype(np.uint8)
    return found


@dataclass(frozen=True, slots=True)
class Mount:
    """How a camera hangs: metres above ground, angles in radians, focal length in widths of its picture."""

    height_m: float
    yaw: float
    pitch: float
    focal: float


class Lens:
    """A mount with a picture size. World: x right, y up, z forward, in metres; the camera stands above the origin.

    `pad` pixels are drawn beyond every edge, for a camera that is turned.
    """

    def __init__(self, mount: Mount, width: int, height: int, pad: int = 0) -> None:
        self.width, self.height = width + 2 * pad, height + 2 * pad
        self.focal_px = mount.focal * width
        self.position = np.array((0.0, mount.height_m, 0.0))
        cy, sy, cp, sp = math.cos(mount.yaw), math.sin(mount.yaw), math.cos(mount.pitch), math.sin(mount.pitch)
        turn = np.array(((cy, 0, -sy), (0, 1, 0), (sy, 0, cy)))
        tilt = np.array(((1, 0, 0), (0, -cp, -sp), (0, -sp, cp)))
        self.rotation = tilt @ turn
        self.centre = np.array((self.width / 2, self.height / 2))
        self.matrix = np.array(((self.focal_px, 0, self.centre[0]), (0, self.focal_px, self.centre[1]), (0, 0, 1)))

    def seen(self, points: Array) -> Array:
        """World points as the camera has them: x right, y down, z away from it."""
        found: Array = (points - self.position) @ self.rotation.T
        return found

    def to_pixels(self, seen: Array) -> Array:
        pixels: Array = seen[:, :2] * (self.focal_px / seen[:, 2:]) + self.centre
        return pixels

    def project(self, points: Array) -> tuple[Array, Array]:
        """Pixels and distances; only meaningful for points in front of the camera."""
        seen = self.seen(points)
        return self.to_pixels(seen), seen[:, 2]

    def outline(self, corners: Array) -> Array | None:
        """The pixels of a flat polygon, cut a little outside the picture; None where nothing of it is in view."""
        wide, tall = self.width / self.focal_px, self.height / self.focal_px
        kept = self.seen(corners)
        for side in ((0, 0, 1), (1, 0, wide), (-1, 0, wide), (0, 1, tall), (0, -1, tall)):
            kept = _cut(kept, np.array(side), NEAR_M if side[2] == 1 else 0.0)
            if len(kept) < 3:  # noqa: PLR2004 - corners of a polygon
                return None
        return self.to_pixels(kept)


def _cut(corners: Array, normal: Array, least: float) -> Array:
    """What of a polygon lies where its points times the normal are at least this."""
    heights = corners @ normal - least
    kept: list[Array] = []
    for n, height in enumerate(heights):
        following = (n + 1) % len(corners)
        if height >= 0:
            kept.append(corners[n])
        if (height >= 0) != (heights[following] >= 0):
            share = height / (height - heights[following])
            kept.append(corners[n] + (corners[following] - corners[n]) * share)
    return np.array(kept)
