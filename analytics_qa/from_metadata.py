"""Detections out of what a camera's own analytics said (`cameras.metadata`)."""

from collections.abc import Mapping
from types import MappingProxyType

from analytics_qa.detections import Detections, named
from cameras.metadata import Box, MetadataFrame

# The words of cameras and of ONVIF's ObjectType, in lower case, as ours. What is not here keeps its own word.
WORDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("person", "human", "pedestrian", "people", "humanbody", "humanface", "face"), "person"),
        **dict.fromkeys(
            ("vehicle", "vehical", "car", "truck", "bus", "van", "motorcycle", "motorbike", "lorry"), "vehicle"
        ),
        **dict.fromkeys(("bicycle", "bike", "cyclist"), "bicycle"),
    }
)
UNNAMED = "object"


def from_metadata(
    frame: MetadataFrame, size: tuple[int, int], grid: tuple[int, int] | None = None, *, least: float = 0.0
) -> Detections:
    """In pixels of a picture of `size` (width, height).

    `grid` is what the camera's own numbers are parts of where it does not say: (8192, 8192) for Dahua, else the size of
    the picture that it analyses; without it, they are taken for pixels of this one. An object without a likelihood is
    certain. Objects below `least` are left out.
    """
    found = []
    for one in frame.objects:
        score = 1.0 if one.likelihood is None else one.likelihood
        box = _in_pixels(one.box, size, grid or size)
        if score >= least and box[0] < box[2] and box[1] < box[3]:
            found.append((our_word(one.kind), score, box))
    return named(found)


def our_word(kind: str | None) -> str:
    return UNNAMED if kind is None else WORDS.get(kind.casefold().replace(" ", ""), kind)


def _in_pixels(box: Box, size: tuple[int, int], grid: tuple[int, int]) -> tuple[float, float, float, float]:
    across, down = (1, 1) if box.unit == "share" else grid
    x = [min(1.0, max(0.0, corner / across)) * size[0] for corner in (box.left, box.right)]
    y = [min(1.0, max(0.0, corner / down)) * size[1] for corner in (box.top, box.bottom)]
    return x[0], y[0], x[1], y[1]
