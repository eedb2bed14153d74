"""Pictures of the simulator's scenes with the truth about each: what the detector is trained on and measured with."""

import random
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulator.scenes import Benign, Light, Scene

LIGHTS: tuple[Light, ...] = ("day", "dusk", "day", "night-ir")
_VIEWS_OF_A_SCENE = 8
_BENIGN = ("clouds", "shadows", "rain", "jpeg")
_ONE_DAY_S = 86_400


def draw(seed: int, size: tuple[int, int]) -> tuple[NDArray[np.uint8], list[tuple[str, list[float]]]]:
    """One picture and its objects: class and left, top, right, bottom. The same for the same seed, for ever."""
    number = seed // _VIEWS_OF_A_SCENE
    scene, light = _scene(number), LIGHTS[number % len(LIGHTS)]
    chance = random.Random(seed)  # noqa: S311 - a picture, not a secret
    # Half a minute later other people are there, and what stands about need not be drawn again.
    at_s = number * 3571 % _ONE_DAY_S // 3600 * 3600 + seed % _VIEWS_OF_A_SCENE * 30 + chance.uniform(0, 5)
    benign = [Benign(name, chance.random()) for name in _BENIGN if chance.random() < 0.25]  # noqa: PLR2004 - a share
    view = scene.view(at_s, size=size, light=light, benign=benign)
    return view.picture, [(thing.kind, list(thing.box)) for thing in view.things]


@lru_cache(maxsize=2)
def _scene(number: int) -> Scene:
    return Scene(number)
