"""`camwarden/detections/1`: detections, and truth, as JSON that other programs read and write."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analytics_qa.detections import CORNERS, Detections, named
from analytics_qa.errors import DetectionsError
from cameras.untrusted import clean_text

FORMAT = "camwarden/detections/1"
MOST_FILE_BYTES = 256 * 1024 * 1024
MOST_OBJECTS = 10_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a clip. `index` counts the frames of the clip, `time_s` is `None` where there is no time."""

    index: int
    time_s: float | None
    found: Detections


def document(frames: Iterable[Frame], **more: object) -> dict[str, Any]:
    """What `analytics detect --json` prints; `more` are keys beside `frames`."""
    return {"format": FORMAT, **more, "frames": [_frame(one) for one in frames]}


def _frame(frame: Frame) -> dict[str, Any]:
    found = frame.found
    rows = zip(found.classes, found.scores.tolist(), found.boxes.tolist(), strict=True)
    objects = [
        {"class": name, "confidence": round(score, 4), "box": [round(corner, 2) for corner in box]}
        for name, score, box in rows
    ]
    time_s = None if frame.time_s is None else round(frame.time_s, 3)
    return {"index": frame.index, "time_s": time_s, "objects": objects}


def read_document(body: bytes, name: str) -> tuple[Frame, ...]:
    """Raises DetectionsError, which names the file and the frame. A truth needs no confidence."""
    if len(body) > MOST_FILE_BYTES:
        raise DetectionsError(f"{name} is larger than {MOST_FILE_BYTES // 1024 // 1024} MiB")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise DetectionsError(f"{name} is not JSON") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DetectionsError(f'{name} is not of the format "{FORMAT}"')
    frames = content.get("frames")
    if not isinstance(frames, list):
        raise DetectionsError(f"{name} has no list of frames")
    read = [_read_frame(frame, f"{name}, frame {place}") for place, frame in enumerate(frames)]
    if len({frame.index for frame in read}) != len(read):
        raise DetectionsError(f"{name} has two frames of the same index")
    return tuple(sorted(read, key=lambda frame: frame.index))


def _read_frame(frame: object, where: str) -> Frame:
    if not isinstance(frame, Mapping):
        raise DetectionsError(f"{where}: not an object of index, time_s and objects")
    index, time_s, objects = frame.get("index"), frame.get("time_s"), frame.get("objects")
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise DetectionsError(f"{where}: index is a whole number from 0")
    if time_s is not None and not _is_number(time_s):
        raise DetectionsError(f"{where}: time_s is a number of seconds, or null")
    if not isinstance(objects, list) or len(objects) > MOST_OBJECTS:
        raise DetectionsError(f"{where}: objects is a list of at most {MOST_OBJECTS}")
    try:
        return Frame(index, None if time_s is None else float(time_s), named(_row(one) for one in objects))
    except DetectionsError as error:
        raise DetectionsError(f"{where}: {error}") from None


def _row(one: object) -> tuple[str, float, Sequence[float]]:
    if not isinstance(one, Mapping):
        raise DetectionsError("an object has class, confidence and box")
    name, score, box = one.get("class"), one.get("confidence", 1.0), one.get("box")
    if not isinstance(name, str) or not name:
        raise DetectionsError("class is a word")
    if not _is_number(score):
        raise DetectionsError("confidence is a number from 0 to 1")
    if not isinstance(box, list) or len(box) != CORNERS or not all(map(_is_number, box)):
        raise DetectionsError("box is four numbers: left, top, right, bottom")
    return clean_text(name, 80), float(score), box


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
