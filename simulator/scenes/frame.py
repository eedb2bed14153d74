"""One picture in the making: shadows and sprites over a backdrop, and what of each remains to be seen."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from simulator.scenes import people, vehicles
from simulator.scenes.backdrop import Backdrop, Shadow, Sprite
from simulator.scenes.lens import Array
from simulator.scenes.lighting import SHADE, light_sprite
from simulator.scenes.model import Box, Kind
from simulator.scenes.traffic import Actor

LEAST_TALL = 0.036
NEAREST_M = 2.5
FARTHEST_M = 70.0
MOST_KEPT = 256
_FINE_BELOW_PX = 150


@dataclass(frozen=True, slots=True)
class Painted:
    """What was put into the picture: its outline in pixels, unclipped, and the share of it that shows."""

    kind: Kind
    track: int
    box: Box
    visible: float


class Frame:
    def __init__(self, backdrop: Backdrop, sun: tuple[float, float] | None) -> None:
        self._backdrop = backdrop
        self._lens = backdrop.lens
        self._sun = sun
        self.picture = backdrop.picture.copy()
        self._owner = np.zeros(backdrop.depth.shape, np.int16)

    def paint(self, actors: list[Actor]) -> list[Painted]:
        sprites = [sprite for actor in actors if (sprite := self._kept(actor)) is not None]
        sprites.sort(key=lambda sprite: -sprite.distance_m)
        for sprite in sprites:
            if sprite.shadow is not None:
                area = sprite.shadow.area
                self.picture[area] = (self.picture[area] * sprite.shadow.left).astype(np.uint8)
        placed = [(sprite, self._put(sprite, number + 1)) for number, sprite in enumerate(sprites)]
        return [
            found
            for number, (sprite, area) in enumerate(placed)
            if area is not None and (found := self._painted(sprite, number + 1, area)) is not None
        ]

    # --- sprites ---

    def _kept(self, actor: Actor) -> Sprite | None:
        """What is parked is drawn once for a backdrop."""
        if actor.kind == "person" or actor.moves:
            return self._sprite(actor)
        kept = self._backdrop.parked
        if actor.track not in kept:
            if len(kept) >= MOST_KEPT:
                kept.clear()
            kept[actor.track] = self._sprite(actor)
        return kept[actor.track]

    def _sprite(self, actor: Actor) -> Sprite | None:
        foot, away = self._lens.project(np.array(((actor.x, 0.0, actor.z), (actor.x, 1.7, actor.z))))
        if not NEAREST_M < away[0] < FARTHEST_M:
            return None
        scale = self._lens.focal_px / float(away[0])
        reach = (5.0 if actor.kind == "vehicle" else 1.0) * scale
        if not (-reach < foot[0, 0] < self._lens.width + reach and -reach < foot[1, 1] < self._lens.height + reach):
            return None
        if actor.kind == "person":
            return self._person(actor, foot, float(away[0]), scale)
        return self._vehicle(actor, float(away[0]))

    def _person(self, actor: Actor, foot: Array, away_m: float, scale: float) -> Sprite:
        looks = people.looks_of(actor.looks)
        upright = float(foot[0, 1] - foot[1, 1]) / 1.7
        fine = _fineness(upright * looks.tall_m)
        half = people.MOST_WIDE_M * scale
        left, top = math.floor(foot[0, 0] - half), math.floor(foot[0, 1] - upright * 2.05)
        size = (math.ceil(2 * half) + 2, math.ceil(upright * 2.05 + scale * people.MARGIN_M) + 2)
        to_camera = math.atan2(-actor.z, -actor.x)
        turn = actor.heading - to_camera
        foot_on = ((float(foot[0, 0]) - left) * fine, (float(foot[0, 1]) - top) * fine)
        sheet = ((size[0] * fine, size[1] * fine), upright * fine, foot_on)
        drawn = people.draw(looks, math.sin(turn), math.cos(turn), actor.walked_m, sheet)
        return self._finished(actor, drawn, (left, top), (away_m, fine))

    def _vehicle(self, actor: Actor, away_m: float) -> Sprite | None:
        kind = vehicles.kind_of(actor.looks, parked=not actor.moves)
        body = vehicles.BODIES[kind]
        half, wide, tall = body.length_m / 2 + 0.6, 1.25, body.height_m
        corners = np.array([(a, u, s) for a in (-half, half) for u in (0.0, tall) for s in (-wide, wide)])
        pixels, distances = self._lens.project(vehicles.placed(corners, actor.x, actor.z, actor.heading))
        if distances.min() < NEAREST_M / 2:
            return None
        low, high = np.floor(pixels.min(axis=0)) - 1, np.ceil(pixels.max(axis=0)) + 1
        fine = _fineness(float(high[1] - low[1]))
        size = (int(high[0] - low[0]) * fine, int(high[1] - low[1]) * fine)
        if max(size) > 4 * self._lens.width:
            return None
        at = (actor.x, actor.z, actor.heading)
        colours, alpha = vehicles.draw(kind, actor.looks, at, self._lens, (low, fine, size))
        return self._finished(actor, (colours, alpha, alpha), (int(low[0]), int(low[1])), (away_m, fine))

    def _finished(
        self, actor: Actor, drawn: tuple[Array, Array, Array], corner: tuple[int, int], fit: tuple[float, int]
    ) -> Sprite:
        colours, alpha, outline = drawn
        away_m, fine = fit
        size = (colours.shape[1] // fine, colours.shape[0] // fine)
        middle = np.array((corner[0] + size[0] / 2, corner[1] + size[1] / 2)) / self._lens.centre - 1
        off_axis = min(1.0, float(np.linalg.norm(middle)) / math.sqrt(2))
        colours = light_sprite(colours, away_m, off_axis, self._backdrop.light)
        if self._backdrop.light != "day":
            colours = cv2.bitwise_and(colours, colours, mask=alpha)
        if fine > 1:
            colours = cv2.resize(colours, size, interpolation=cv2.INTER_AREA)
            alpha, outline = (cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (alpha, outline))
        rounded = np.linspace(1.1, 0.86, size[0], dtype=np.float32)[None, :, None]
        if actor.kind == "person":
            colours = np.clip(colours * rounded, 0, 255)
        return Sprite(actor, colours, alpha, outline, *corner, away_m, self._shadow(actor))

    def _put(self, sprite: Sprite, number: int) -> tuple[slice, slice] | None:
        height, width = sprite.alpha.shape
        left, top = max(0, sprite.left), max(0, sprite.top)
        right, low = min(self._lens.width, sprite.left + width), min(self._lens.height, sprite.top + height)
        if left >= right or top >= low:
            return None
        area = (slice(top, low), slice(left, right))
        cut = (slice(top - sprite.top, low - sprite.top), slice(left - sprite.left, right - sprite.left))
        shown = (self._backdrop.depth[area] > sprite.distance_m) | self._backdrop.is_ground[area]
        alpha = (sprite.alpha[cut] * (shown / np.float32(255)))[..., None]
        mixed = self.picture[area] * (1 - alpha) + sprite.colours[cut] * shown[..., None]
        self.picture[area] = np.clip(mixed, 0, 255).astype(np.uint8)
        self._owner[area][alpha[..., 0] > 0.5] = number  # noqa: PLR2004 - more than half of the pixel
        return area

    def _painted(self, sprite: Sprite, number: int, area: tuple[slice, slice]) -> Painted | None:
        solid = (sprite.outline > 127).astype(np.uint8)  # noqa: PLR2004 - more than half of the pixel
        whole = cv2.countNonZero(solid)
        if not whole:
            return None
        within = solid[
            tuple(slice(one.start - at, one.stop - at) for one, at in zip(area, (sprite.top, sprite.left), strict=True))
        ]
        shows = int(np.count_nonzero((self._owner[area] == number) & (within > 0)))
        x, y, width, height = cv2.boundingRect(solid)
        left, top = sprite.left + x, sprite.top + y
        box = (float(left), float(top), float(left + width), float(top + height))
        return Painted(sprite.actor.kind, sprite.actor.track, box, min(1.0, shows / whole))

    # --- shadows and lamps ---

    def _shadow(self, actor: Actor) -> Shadow | None:
        """On the ground only. Without a sun there is still the dark below a vehicle."""
        sun = self._sun or (0.0, 0.0)
        if actor.kind == "person":
            away = np.array(sun) * 1.7
            side = (
                np.array((-away[1], away[0])) / (np.linalg.norm(away) or 1.0) * 0.2 if self._sun else np.array((0.2, 0))
            )
            foot = np.array((actor.x, actor.z))
            flat = np.array((foot + side, foot + away + side * 0.6, foot + away - side * 0.6, foot - side))
        else:
            body = vehicles.BODIES[vehicles.kind_of(actor.looks, parked=not actor.moves)]
            half = body.length_m / 2
            base = np.array([(a, 0.0, s) for a, s in ((-half, -0.95), (half, -0.95), (half, 0.95), (-half, 0.95))])
            floor = vehicles.placed(base, actor.x, actor.z, actor.heading)[:, (0, 2)]
            flat = np.concatenate((floor, floor + np.array(sun) * body.height_m * 0.85))
            flat = cv2.convexHull(flat.astype(np.float32))[:, 0]
        outline = self._lens.outline(np.column_stack((flat[:, 0], np.zeros(len(flat)), flat[:, 1])))
        if outline is None:
            return None
        low = np.maximum(np.floor(outline.min(axis=0)) - 3, 0).astype(int)
        high = np.minimum(np.ceil(outline.max(axis=0)) + 3, (self._lens.width, self._lens.height)).astype(int)
        if (high <= low).any():
            return None
        mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        cv2.fillPoly(mask, [np.round((outline - low) * 16).astype(np.int32)], 255, shift=4)
        mask = cv2.GaussianBlur(mask, (5, 5), 1.2)
        area = (slice(low[1], high[1]), slice(low[0], high[0]))
        gain = 1 - mask * self._backdrop.is_ground[area] * np.float32((SHADE if self._sun else 0.35) / 255)
        return Shadow(area, gain[..., None])


def _fineness(tall_px: float) -> int:
    return 3 if tall_px < _FINE_BELOW_PX / 2 else 2 if tall_px < _FINE_BELOW_PX * 2 else 1
