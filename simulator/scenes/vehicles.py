"""Cars, vans and trucks as bodies of flat faces, seen from wherever the camera is."""

import math
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import cv2
import numpy as np

from simulator.scenes.dice import dice
from simulator.scenes.lens import Array, Lens

Colour = tuple[float, float, float]
COLOURS: tuple[Colour, ...] = (
    (206, 210, 212), (172, 176, 178), (44, 44, 46), (92, 94, 96), (120, 72, 40), (46, 46, 150), (66, 88, 60),
    (60, 120, 170), (150, 120, 70), (52, 62, 90),
)  # fmt: skip
GLASS: Colour = (78, 70, 60)
TYRE: Colour = (30, 30, 32)
HUB: Colour = (140, 142, 144)
HEADLIGHT: Colour = (236, 240, 240)
TAIL_LIGHT: Colour = (40, 36, 170)
SUN = np.array((0.35, 0.8, -0.5)) / math.sqrt(0.35**2 + 0.8**2 + 0.5**2)


@dataclass(frozen=True, slots=True)
class Body:
    """The line over a vehicle from tail to nose: metres along, metres up, half the width there, and what follows."""

    line: tuple[tuple[float, float, float, str], ...]
    belt_m: float
    wheels: tuple[tuple[float, float], ...]
    windows: tuple[tuple[tuple[float, float], ...], ...]

    @property
    def length_m(self) -> float:
        return self.line[-1][0] - self.line[0][0]

    @property
    def height_m(self) -> float:
        return max(point[1] for point in self.line)


_CAR = ((-1.35, 0.33), (1.35, 0.33))
BODIES = MappingProxyType(
    {
        "saloon": Body(
            (
                (-2.2, 0.3, 0.85, "paint"), (-2.25, 0.85, 0.88, "paint"), (-1.75, 1.0, 0.86, "glass"),
                (-1.1, 1.42, 0.66, "paint"), (0.3, 1.45, 0.66, "glass"), (1.05, 0.98, 0.84, "paint"),
                (2.1, 0.78, 0.84, "paint"), (2.2, 0.3, 0.82, ""),
            ),
            0.95, _CAR,
            (((-1.55, 1.0), (-1.05, 1.36), (-0.4, 1.38), (-0.4, 0.97)),
             ((-0.3, 0.97), (-0.3, 1.38), (0.25, 1.38), (0.85, 0.97))),
        ),
        "hatchback": Body(
            (
                (-1.95, 0.3, 0.84, "paint"), (-2.0, 0.95, 0.86, "glass"), (-1.6, 1.48, 0.68, "paint"),
                (0.2, 1.5, 0.68, "glass"), (1.0, 1.0, 0.84, "paint"), (1.85, 0.85, 0.84, "paint"),
                (1.95, 0.3, 0.82, ""),
            ),
            0.98, ((-1.25, 0.32), (1.2, 0.32)),
            (((-1.7, 1.0), (-1.45, 1.4), (-0.6, 1.43), (-0.6, 1.0)),
             ((-0.5, 1.0), (-0.5, 1.43), (0.15, 1.43), (0.8, 1.0))),
        ),
        "van": Body(
            (
                (-2.6, 0.35, 0.96, "paint"), (-2.6, 1.1, 0.96, "glass"), (-2.58, 1.75, 0.93, "paint"),
                (-2.55, 2.3, 0.88, "paint"), (1.2, 2.32, 0.88, "glass"), (2.0, 1.25, 0.95, "paint"),
                (2.6, 1.02, 0.94, "paint"), (2.7, 0.35, 0.92, ""),
            ),
            1.2, ((-1.7, 0.36), (1.75, 0.36)),
            (((0.45, 1.25), (0.45, 1.95), (1.15, 1.95), (1.7, 1.25)),),
        ),
        "truck": Body(
            (
                (-3.7, 0.7, 1.15, "paint"), (-3.7, 3.0, 1.15, "paint"), (1.5, 3.0, 1.15, "paint"),
                (1.55, 2.4, 1.05, "cab"),
                (2.9, 2.35, 1.02, "glass"), (3.15, 1.35, 1.05, "cab"), (3.25, 0.45, 1.05, ""),
            ),
            1.35, ((-2.4, 0.48), (2.2, 0.48)),
            (((1.9, 1.4), (1.9, 2.15), (2.75, 2.15), (3.0, 1.4)),),
        ),
    }
)  # fmt: skip
_SHARES = (("saloon", 36), ("hatchback", 32), ("van", 20), ("truck", 12))


@dataclass(frozen=True, slots=True)
class _Face:
    corners: Array
    colour: Colour
    layer: int


def kind_of(looks: int, *, parked: bool) -> str:
    names = [name for name, _ in _SHARES]
    weights = [share if not parked or name != "truck" else 0 for name, share in _SHARES]
    return dice(looks).choices(names, weights=weights)[0]


@dataclass(frozen=True, slots=True)
class _Shell:
    """All faces of a vehicle in one array of corners; face n ends at `ends[n]`. Normals point outwards."""

    faces: tuple[_Face, ...]
    corners: Array
    ends: Array
    centres: Array
    normals: Array


@lru_cache(maxsize=64)
def _shell(kind: str, paint: Colour, cab: Colour) -> _Shell:
    faces = _faces(kind, paint, cab)
    centres = np.array([face.corners.mean(axis=0) for face in faces])
    edges = np.array([(c[1] - c[0], c[2] - c[1]) for c in (face.corners for face in faces)])
    normals = np.cross(edges[:, 0], edges[:, 1])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    outwards = ((centres - (0, BODIES[kind].height_m * 0.45, 0)) * normals).sum(axis=1)
    normals[outwards < 0] *= -1
    ends = np.cumsum([len(face.corners) for face in faces])
    return _Shell(faces, np.concatenate([face.corners for face in faces]), ends, centres, normals)


def _faces(kind: str, paint: Colour, cab: Colour) -> tuple[_Face, ...]:
    """All faces in the vehicle's own metres: forward, up, to its left."""
    body, faces = BODIES[kind], []
    colours = {"paint": paint, "glass": GLASS, "cab": cab}
    for (l0, h0, w0, material), (l1, h1, w1, _) in zip(body.line, body.line[1:], strict=False):
        faces.append(_Face(np.array(((l0, h0, -w0), (l0, h0, w0), (l1, h1, w1), (l1, h1, -w1))), colours[material], 0))
    for way in (-1, 1):
        lower = [(along, min(up, body.belt_m), wide * way) for along, up, wide, _ in body.line]
        faces.append(_Face(np.array(lower), cab if kind == "truck" else paint, 0))
        upper = [(along, up, wide * way) for along, up, wide, _ in body.line if up >= body.belt_m - 0.12]
        faces.append(_Face(np.array(upper), paint, 1))
        inner = min(wide for *_, wide, _ in body.line) if kind != "truck" else 1.06
        for window in body.windows:
            glass = [(along, up, (inner + 0.12) * way) for along, up in window]
            faces.append(_Face(np.array(glass), GLASS, 2))
        for along, radius in body.wheels:
            for share, colour, layer in ((1.18, (24, 24, 26), 2), (1.0, TYRE, 3), (0.58, HUB, 4)):
                faces.append(_Face(_disc(along, radius, share, (body.line[0][2] + 0.04) * way), colour, layer))
    faces += _lights(body)
    return tuple(faces)


def _disc(along: float, radius: float, share: float, side: float) -> Array:
    turns = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    around = np.stack((along + np.cos(turns) * radius * share, radius + np.sin(turns) * radius * share), axis=1)
    return np.column_stack((around[:, 0], np.maximum(around[:, 1], 0.02), np.full(14, side)))


def _lights(body: Body) -> list[_Face]:
    faces = []
    for (along, up, wide, _), colour in ((body.line[-1], HEADLIGHT), (body.line[0], TAIL_LIGHT)):
        out = 0.03 if colour is HEADLIGHT else -0.03
        high, low = up + 0.42, up + 0.27
        for near, far in ((-wide + 0.05, -wide + 0.38), (wide - 0.38, wide - 0.05)):
            corners = (
                (along + out, low, near),
                (along + out, low, far),
                (along + out, high, far),
                (along + out, high, near),
            )
            faces.append(_Face(np.array(corners), colour, 3))
        plate = (
            (along + out, up + 0.08, -0.26),
            (along + out, up + 0.08, 0.26),
            (along + out, up + 0.2, 0.26),
            (along + out, up + 0.2, -0.26),
        )
        faces.append(_Face(np.array(plate), (190, 214, 220), 3))
    return faces


def placed(points: Array, x: float, z: float, heading: float) -> Array:
    """Points of a vehicle, in its own metres, in the world."""
    cos, sin = math.cos(heading), math.sin(heading)
    along, up, left = points[:, 0], points[:, 1], points[:, 2]
    return np.stack((x + along * cos - left * sin, up, z + along * sin + left * cos), axis=1)


def draw(
    kind: str, looks: int, at: tuple[float, float, float], lens: Lens, frame: tuple[Array, int, tuple[int, int]]
) -> tuple[Array, Array]:
    """Colours and alpha on a sheet. `frame` is its corner in pixels of the picture, its pixels per pixel, its size."""
    low, fine, size = frame
    rng = dice(looks + 1)
    paint = rng.choice(COLOURS)
    shell = _shell(kind, paint, rng.choice(COLOURS) if kind == "truck" else paint)
    colours, alpha = np.zeros((size[1], size[0], 3), np.uint8), np.zeros((size[1], size[0]), np.uint8)
    pixels = np.round((lens.project(placed(shell.corners, *at))[0] - low) * (fine * 16)).astype(np.int32)
    to_camera = lens.position - placed(shell.centres, *at)
    normals = placed(shell.normals, 0, 0, at[2])
    faces_us = (normals * to_camera).sum(axis=1) > 0
    away = np.linalg.norm(to_camera, axis=1)
    light = 0.72 + 0.42 * np.maximum(0, normals @ SUN)
    seen = sorted(np.flatnonzero(faces_us), key=lambda n: (shell.faces[n].layer, -away[n]))
    for number in seen:
        face, end = shell.faces[number], shell.ends[number]
        corners = pixels[end - len(face.corners) : end]
        tone = tuple(min(255.0, channel * float(light[number])) for channel in face.colour)
        cv2.fillPoly(colours, [corners], tone, shift=4)
        cv2.fillPoly(alpha, [corners], 255, shift=4)
    return colours, alpha
