"""Scenes in front of cameras: synthetic surveillance pictures with people and vehicles, and the truth about each.

Drawing needs numpy and OpenCV, which cost tens of megabytes: they are loaded when the first `Scene` is asked for.
"""

from typing import TYPE_CHECKING

from simulator.scenes.model import BENIGN, FAULTS, Benign, Light, PictureFault, Thing, View, light_at

if TYPE_CHECKING:
    from simulator.scenes.scene import Scene

__all__ = ["BENIGN", "FAULTS", "Benign", "Light", "PictureFault", "Scene", "Thing", "View", "light_at"]


def __getattr__(name: str) -> object:
    if name == "Scene":
        from simulator.scenes.scene import Scene  # noqa: PLC0415 - see above

        return Scene
    raise AttributeError(name)
