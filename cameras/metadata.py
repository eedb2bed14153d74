"""What a camera's own analytics saw: one tt:MetadataStream document (ONVIF Analytics) in, frames of objects out. Pure.

Cameras agree on little: where boxes are measured (the ONVIF square of -1..1 with y upwards, pixels with a
Transformation, pixels without), how a class is written, and whether the clock was ever set. All that is settled here;
above, a box is a share of the picture, or in a grid that the camera did not name.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from lxml import etree

from cameras.errors import Garbled
from cameras.untrusted import clean_text, parse_xml

MOST_DOCUMENT_BYTES = 1024 * 1024
MOST_FRAMES = 200
MOST_OBJECTS = 500
_MOST_CLASSES = 16
# Objects that leave the picture reach a little beyond it; a corner further out is not measured in the ONVIF square.
_BEYOND = 1.5
_LARGEST = 1e6
# A camera whose clock was never set says 1970, 2000 or the day its firmware was made.
_BEFORE_ANY_CAMERA = datetime(2010, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Box:
    """Left and top are less than right and bottom. `unit` "share": 0..1 of the picture, y downwards.

    "grid": numbers of the camera's own, without a word what they are parts of; y as it sent them.
    """

    left: float
    top: float
    right: float
    bottom: float
    unit: Literal["share", "grid"]


@dataclass(frozen=True, slots=True)
class SeenObject:
    """`kind` is the likeliest class in the camera's own word; `likelihood` 0..1, `None` where it did not say."""

    id: str | None
    box: Box
    kind: str | None
    likelihood: float | None


@dataclass(frozen=True, slots=True)
class MetadataFrame:
    """What was seen at one moment; an empty frame says "nothing". `at` is `None` where the camera gave no true time.

    `unreadable` counts the objects that are left out because their box is no box.
    """

    at: datetime | None
    source: str | None
    objects: tuple[SeenObject, ...]
    unreadable: int


@dataclass(frozen=True, slots=True)
class _Place:
    """x * scale + translate, as tt:Transformation has it."""

    scale: tuple[float, float] = (1.0, 1.0)
    translate: tuple[float, float] = (0.0, 0.0)

    def of(self, x: float, y: float) -> tuple[float, float]:
        return x * self.scale[0] + self.translate[0], y * self.scale[1] + self.translate[1]


_AS_IT_IS = _Place()
_Corners = tuple[float, float, float, float]


def read_metadata(document: bytes) -> tuple[MetadataFrame, ...]:
    """The frames of one document; none where it carries only events. Raises Garbled."""
    root = parse_xml(document, MOST_DOCUMENT_BYTES)
    if _name(root) != "MetadataStream":
        raise Garbled(f"not a metadata document: {clean_text(_name(root), 80)!r}")
    frames = [frame for analytics in _children(root, "VideoAnalytics") for frame in _children(analytics, "Frame")]
    if len(frames) > MOST_FRAMES:
        raise Garbled(f"a metadata document of more than {MOST_FRAMES} frames")
    return tuple(_frame(frame) for frame in frames)


def _frame(node: etree._Element) -> MetadataFrame:
    place = _transformation(node)
    objects = list(_children(node, "Object"))
    if len(objects) > MOST_OBJECTS:
        raise Garbled(f"a frame of more than {MOST_OBJECTS} objects")
    read = [(one, corners) for one in objects if (corners := _corners(one, place)) is not None]
    # One object beyond the square and none of them is measured in it.
    unit: Literal["share", "grid"] = "share"
    if any(abs(number) > _BEYOND for _, corners in read for number in corners):
        unit = "grid"
    seen = [made for one, corners in read if (made := _object(one, corners, unit)) is not None]
    without_box = sum(_first(one, "Appearance") is None for one in objects)  # it was deleted, or did not move
    return MetadataFrame(
        at=_moment(node.get("UtcTime")),
        source=_text(node.get("Source")),
        objects=tuple(seen),
        unreadable=len(objects) - len(seen) - without_box,
    )


def _object(node: etree._Element, corners: _Corners, unit: Literal["share", "grid"]) -> SeenObject | None:
    box = _share(corners) if unit == "share" else _grid(corners)
    if box is None:
        return None
    appearance = _first(node, "Appearance")
    kind, likelihood = _likeliest(appearance)
    return SeenObject(_text(node.get("ObjectId")), box, kind, likelihood)


def _corners(node: etree._Element, of_frame: _Place) -> _Corners | None:
    """Left, top, right, bottom in the coordinates of the frame, y upwards where they are ONVIF's."""
    appearance = _first(node, "Appearance")
    shape = None if appearance is None else _first(appearance, "Shape")
    box = None if shape is None else _first(shape, "BoundingBox")
    if appearance is None or box is None:
        return None
    numbers = [_number(box.get(side)) for side in ("left", "top", "right", "bottom")]
    if None in numbers:
        return None
    left, top, right, bottom = (number for number in numbers if number is not None)
    own = _transformation(appearance)
    left, top = of_frame.of(*own.of(left, top))
    right, bottom = of_frame.of(*own.of(right, bottom))
    return left, top, right, bottom


def _share(corners: _Corners) -> Box | None:
    """From the ONVIF square, cut off at the edges of the picture; `None` where nothing of it is in the picture."""
    left, top, right, bottom = corners
    across = sorted(min(1.0, max(0.0, (x + 1) / 2)) for x in (left, right))
    down = sorted(min(1.0, max(0.0, (1 - y) / 2)) for y in (top, bottom))
    return _box(across, down, "share")


def _grid(corners: _Corners) -> Box | None:
    left, top, right, bottom = corners
    return _box(sorted((left, right)), sorted((top, bottom)), "grid")


def _box(across: Sequence[float], down: Sequence[float], unit: Literal["share", "grid"]) -> Box | None:
    if across[0] == across[1] or down[0] == down[1]:
        return None
    return Box(across[0], down[0], across[1], down[1], unit)


def _transformation(node: etree._Element) -> _Place:
    """Of a frame or of an object; one that cannot be read is none, and the numbers then show that they are a grid."""
    found = _first(node, "Transformation")
    if found is None:
        return _AS_IT_IS
    scale, translate = (_pair(found, name) for name in ("Scale", "Translate"))
    if scale is None or 0 in scale:
        scale = (1.0, 1.0)
    return _Place(scale, translate or (0.0, 0.0))


def _pair(node: etree._Element, name: str) -> tuple[float, float] | None:
    found = _first(node, name)
    if found is None:
        return None
    x, y = _number(found.get("x")), _number(found.get("y"))
    return None if x is None or y is None else (x, y)


def _likeliest(appearance: etree._Element | None) -> tuple[str | None, float | None]:
    """tt:Type with a Likelihood, or the older tt:ClassCandidate; several are guesses about one object."""
    found = None if appearance is None else _first(appearance, "Class")
    if found is None:
        return None, None
    guesses = list(_guesses(found))[:_MOST_CLASSES]
    named = [(kind, likelihood) for kind, likelihood in guesses if kind]
    return max(named, key=lambda guess: -1.0 if guess[1] is None else guess[1], default=(None, None))


def _guesses(node: etree._Element) -> Iterator[tuple[str | None, float | None]]:
    for one in _children(node, "Type"):
        yield _text(one.text), _likelihood(one.get("Likelihood"))
    for one in _children(node, "ClassCandidate"):
        kind, likelihood = _first(one, "Type"), _first(one, "Likelihood")
        yield (
            None if kind is None else _text(kind.text),
            None if likelihood is None else _likelihood(likelihood.text),
        )


def _likelihood(text: str | None) -> float | None:
    """Some cameras say it in percent."""
    number = _number(text)
    if number is None or not 0 <= number <= 100:  # noqa: PLR2004 - percent
        return None
    return number / 100 if number > 1 else number


def _moment(text: str | None) -> datetime | None:
    """Without a zone it is UTC, as the attribute's name says."""
    try:
        at = datetime.fromisoformat((text or "").strip()[:40])
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at >= _BEFORE_ANY_CAMERA else None


def _number(text: str | None) -> float | None:
    try:
        number = float((text or "").strip()[:40])
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) <= _LARGEST else None


def _text(text: str | None) -> str | None:
    return clean_text(text, 80) or None if text else None


def _children(node: etree._Element, name: str) -> Iterator[etree._Element]:
    """By local name: cameras use other prefixes, and other versions of the namespace."""
    return (child for child in node if _name(child) == name)


def _first(node: etree._Element, name: str) -> etree._Element | None:
    return next(_children(node, name), None)


def _name(node: etree._Element) -> str:
    return str(node.tag).rpartition("}")[2]
