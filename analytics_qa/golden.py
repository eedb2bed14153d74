"""Golden clips: labelled pictures, named by a digest, that every model and firmware is tried with.

A clip is a folder: `clip.json` (`camwarden/detections/1` with `name`, `condition`, `day`, `limits` and `files`) and the
pictures it names. The digest is over the truth and every picture, so that a result says exactly what it was measured
with. The same clip can be shown to a camera, whose metadata then stands in for a detector.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from analytics_qa.accuracy import Accuracy, Measured, accuracy, average_precision
from analytics_qa.detections import NOTHING, Detections
from analytics_qa.detections_file import Frame, document, read_document
from analytics_qa.errors import DetectionsError, GoldenError
from analytics_qa.gate import GateVerdict, Limits, accuracy_ok
from analytics_qa.matching import tally

CLIP_FILE = "clip.json"
MOST_FRAMES = 1000
MOST_PICTURE_BYTES = 32 * 1024 * 1024
# Frames of one clip resemble their neighbours.
_FRAMES_OF_ONE_CLUSTER = 5


@dataclass(frozen=True, slots=True)
class GoldenClip:
    """`frames` hold the truth; `files` the picture of each, beside `clip.json`. `digest` names all of it."""

    name: str
    condition: str
    day: date
    frames: tuple[Frame, ...]
    files: tuple[str, ...]
    limits: Limits
    digest: str

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted({name for frame in self.frames for name in frame.found.classes}))


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """`missing`: frames of which nothing was heard at all; they count as seeing nothing."""

    digest: str
    accuracy: Accuracy
    ap50: Mapping[str, float]
    missing: int
    verdict: GateVerdict


def read_clip(folder: Path) -> GoldenClip:
    """Reads and checks every picture's bytes. Blocks. Raises GoldenError."""
    body = _bytes(folder / CLIP_FILE)
    try:
        frames = read_document(body, CLIP_FILE)
        given = json.loads(body)
        clip = GoldenClip(
            name=str(given["name"]),
            condition=str(given["condition"]),
            day=date.fromisoformat(given["day"]),
            frames=frames,
            files=tuple(_file_name(name) for name in given["files"]),
            limits=Limits(**given.get("limits", {})),
            digest="",
        )
    except DetectionsError as error:
        raise GoldenError(str(error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise GoldenError(
            f"{CLIP_FILE} needs name, condition, day, limits and files ({type(error).__name__})"
        ) from error
    if not 0 < len(frames) <= MOST_FRAMES or len(clip.files) != len(frames):
        raise GoldenError(f"a clip has 1 to {MOST_FRAMES} frames and a file for each")
    digest = hashlib.sha256(body)
    for name in clip.files:
        digest.update(hashlib.sha256(_bytes(folder / name)).digest())
    return replace(clip, digest=digest.hexdigest())


def clip_document(
    *, name: str, condition: str, day: date, frames: Sequence[Frame], files: Sequence[str], limits: Limits
) -> str:
    """What stands in `clip.json`."""
    given = {"name": name, "condition": condition, "day": day.isoformat(), "limits": asdict(limits)}
    return json.dumps(document(frames, **given, files=list(files)), indent=1)


def replay(clip: GoldenClip, seen: Mapping[int, Detections], before: Accuracy | None = None) -> GoldenResult:
    """`seen`: what a model or a camera found, by index of the frame. `before`: of the earlier model, on this clip."""
    heard = [seen.get(frame.index, NOTHING) for frame in clip.frames]
    true = [frame.found for frame in clip.frames]
    (measured,) = accuracy(
        Measured(clip.condition, str(place // _FRAMES_OF_ONE_CLUSTER), clip.day, tally(found, there))
        for place, (found, there) in enumerate(zip(heard, true, strict=True))
    )
    return GoldenResult(
        digest=clip.digest,
        accuracy=measured,
        ap50={name: average_precision(heard, true, name) or 0.0 for name in clip.classes},
        missing=sum(frame.index not in seen for frame in clip.frames),
        verdict=accuracy_ok(before, measured, clip.limits),
    )


def golden_document(result: GoldenResult) -> dict[str, Any]:
    """`camwarden/replay/1`."""
    shares = {"precision": result.accuracy.precision, "recall": result.accuracy.recall}
    return {
        "format": "camwarden/replay/1",
        "digest": result.digest,
        "condition": result.accuracy.condition,
        "passed": result.verdict.ok,
        "reasons": list(result.verdict.reasons),
        **{name: {"value": one.value, "low": one.low, "high": one.high, "n": one.n} for name, one in shares.items()},
        "ap50": dict(result.ap50),
        "missing": result.missing,
    }


def _file_name(name: object) -> str:
    if not isinstance(name, str) or Path(name).name != name:
        raise ValueError("the name of a file beside clip.json")
    return name


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_PICTURE_BYTES + 1)
    except OSError as error:
        raise GoldenError(f"{path.name} of the clip cannot be read ({error.strerror})") from None
    if len(content) > MOST_PICTURE_BYTES:
        raise GoldenError(f"{path.name} of the clip is larger than {MOST_PICTURE_BYTES // 1024 // 1024} MiB")
    return content
