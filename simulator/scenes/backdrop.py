"""The empty place under a light: drawn once, kept for the pictures that follow."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from simulator.scenes import lighting, places, textures
from simulator.scenes.lens import Array, Lens
from simulator.scenes.model import Light
from simulator.scenes.stage import Stage
from simulator.scenes.traffic import Actor

FINE_UP_TO_PX = 960


@dataclass(frozen=True, slots=True)
class Sprite:
    """An actor as drawn: colours times alpha, alpha, the part of it that is the actor and not what stands beside, the
    corner in the picture, the distance, the shadow it throws.
    """

    actor: Actor
    colours: Array
    alpha: Array
    outline: Array
    left: int
    top: int
    distance_m: float
    shadow: "Shadow | None"


@dataclass(frozen=True, slots=True)
class Shadow:
    """Where the ground is darker, and what share of light is left there."""

    area: tuple[slice, slice]
    left: Array


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A picture without anybody, how far away each pixel is, where the ground is; and what is parked there."""

    lens: Lens
    picture: Array
    depth: Array
    is_ground: Array
    light: Light
    parked: dict[int, Sprite | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """What decides how a backdrop looks. `sun` is None where nothing throws a shadow."""

    width: int
    height: int
    pad: int
    light: Light
    sun: tuple[float, float] | None


def draw(place: places.Place, look: Look, seed: int) -> Backdrop:
    fine = 2 if look.width <= FINE_UP_TO_PX else 1
    lens = Lens(place.mount, look.width * fine, look.height * fine, look.pad * fine)
    rng = np.random.default_rng((seed, 23))
    stage = Stage(lens, textures.sky(rng, lens.height, lens.width))
    stage.lay(place.surfaces[0])
    ground = stage.depth.copy()
    for surface in place.surfaces[1:]:
        stage.lay(surface)
    is_ground = (stage.depth == ground) & (ground < 500)  # noqa: PLR2004 - metres
    picture = stage.picture
    if look.sun is not None:
        shadow = lighting.static_shadows(place.surfaces, look.sun, lens)
        picture = lighting.darken_ground(picture, shadow, is_ground)
    small = (look.width + 2 * look.pad, look.height + 2 * look.pad)
    depth = np.ascontiguousarray(stage.depth[::fine, ::fine])
    picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    texture = textures.grain(rng, small[1], small[0], ((1, 3.0), (3, 2.0)))[..., None]
    picture = np.clip(picture + texture * is_ground[::fine, ::fine, None], 0, 255).astype(np.uint8)
    lit = lighting.light_backdrop(_exposed(picture, seed), depth, look.light)
    return Backdrop(
        Lens(place.mount, look.width, look.height, look.pad), lit, depth, is_ground[::fine, ::fine].copy(), look.light
    )


def _exposed(picture: Array, seed: int) -> Array:
    """Every camera sees colours and contrast a little differently."""
    rng = np.random.default_rng((seed, 29))
    balance = 1 + rng.normal(0, 0.035, 3)
    gamma = rng.uniform(0.85, 1.2)
    levels = (np.arange(256)[:, None] / 255) ** gamma * 255 * balance * rng.uniform(0.88, 1.04)
    return cv2.LUT(picture, np.clip(levels, 0, 255).astype(np.uint8)[None])
