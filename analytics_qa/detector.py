"""A detector: a model file and its manifest, made ready once, then one picture in and `Detections` out.

Everything here blocks: call it in a thread or a process of its own.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from analytics_qa.decoders import DECODERS, Decode, layout_of
from analytics_qa.detections import Boxes, Detections, Scores
from analytics_qa.errors import ModelError
from analytics_qa.models import FORMATS, MOST_MODEL_BYTES, MOST_SIDE, Manifest, manifest_of, read_manifest
from analytics_qa.overlap import without_doubles

Picture = NDArray[np.uint8]  # height x width x 3, blue first
OUR_MODEL = Path(__file__).parent / "models" / "scenes.onnx"
_CHANNELS = 3
_LOUD = 3  # onnxruntime's word for errors only: old exports cause thousands of warnings
# Where a letterboxed picture stands in the input, for formats whose exporters all do the same.
_CENTRED = frozenset({"yolov5", "yolov8"})


@dataclass(frozen=True, slots=True)
class _Fit:
    """How a picture lies in the input: input = picture * scale + offset."""

    scale: tuple[float, float]
    offset: tuple[int, int]


class Detector:
    """`Detector.load(path)`; then `detect(picture)`. Not to be used by two threads at once."""

    def __init__(self, session: Any, manifest: Manifest, name: str, digest: str) -> None:  # noqa: ANN401 - see `_session`
        """Use `load`. Raises ModelError where model and manifest do not fit each other."""
        self.manifest = manifest
        self.name = name
        self.digest = digest  # SHA-256 of the model file
        self._session = session
        self._input, width, height = _input_of(session, manifest)
        self._outputs = [session.get_outputs()[0].name]
        self.size = (width, height)
        self._decode: Decode = DECODERS[manifest.format](layout_of(manifest, width, height))
        self._write = _writer(manifest)
        self._canvas = np.full((height, width, _CHANNELS), manifest.input.pad, np.uint8)
        self._blob = np.zeros((1, _CHANNELS, height, width), np.float32)
        self._shape: tuple[int, ...] = ()
        self._fit = _Fit((1.0, 1.0), (0, 0))

    @classmethod
    def load(cls, model: Path = OUR_MODEL) -> Self:
        """Reads, checks and tries the model out. Raises ModelError."""
        manifest = read_manifest(manifest_of(model))
        if manifest.format not in DECODERS:
            ready = ", ".join(name for name in FORMATS if name in DECODERS)
            raise ModelError(f"{model.name}: format {manifest.format} is not yet supported; supported are {ready}")
        content = _content(model)
        digest = hashlib.sha256(content).hexdigest()
        if manifest.sha256 and digest != manifest.sha256:
            raise ModelError(f"{model.name} is not the file that its manifest was written for (sha256 differs)")
        detector = cls(_session(content, model.name), manifest, model.stem, digest)
        detector.detect(np.zeros((90, 160, _CHANNELS), np.uint8))
        return detector

    def detect(self, picture: Picture) -> Detections:
        """Objects at or above the manifest's threshold, best first, in pixels of the picture. Raises ModelError."""
        boxes, scores, ids = self._decode(self.run(self.prepared(picture)))
        boxes = self._back(boxes, picture)
        sound = np.isfinite(boxes).all(axis=1) & (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        if not sound.all():
            boxes, scores, ids = boxes[sound], scores[sound], ids[sound]
        kept = without_doubles(boxes, scores, ids, self.manifest.iou_threshold)
        return Detections(boxes[kept], _as_scores(scores[kept]), ids[kept], self.manifest.names)

    def prepared(self, picture: Picture) -> NDArray[np.float32]:
        """The picture as the model wants it. The array is used again for the next picture."""
        if picture.shape != self._shape:
            self._fit_to(picture)
        width, height = self.size
        (x_scale, y_scale), (left, top) = self._fit.scale, self._fit.offset
        inner = (
            min(width - left, max(1, round(picture.shape[1] * x_scale))),
            min(height - top, max(1, round(picture.shape[0] * y_scale))),
        )
        cv2.resize(picture, inner, dst=self._canvas[top : top + inner[1], left : left + inner[0]])
        self._write(self._canvas, self._blob[0])
        return self._blob

    def run(self, blob: NDArray[np.float32]) -> NDArray[np.float32]:
        """The bare model. Raises ModelError."""
        try:
            (output,) = self._session.run(self._outputs, {self._input: blob})
        except Exception as error:  # onnxruntime raises classes of its own that it does not name
            raise ModelError(f"{self.name}: the model cannot be run ({_first_line(error)})") from error
        if not isinstance(output, np.ndarray) or output.dtype != np.float32:
            raise ModelError(f"{self.name}: the model's first output is no table of 32-bit floats")
        return output

    def _fit_to(self, picture: Picture) -> None:
        if picture.ndim != _CHANNELS or picture.shape[2] != _CHANNELS or 0 in picture.shape:
            raise ModelError("a picture is height x width x 3, blue first")
        width, height = self.size
        across, down = width / picture.shape[1], height / picture.shape[0]
        wanted = self.manifest.input
        if wanted.resize == "stretch":
            self._fit = _Fit((across, down), (0, 0))
        else:
            scale = min(across, down)
            spare = (width - round(picture.shape[1] * scale), height - round(picture.shape[0] * scale))
            centred = wanted.place == "centre" or (wanted.place is None and self.manifest.format in _CENTRED)
            self._fit = _Fit((scale, scale), (spare[0] // 2, spare[1] // 2) if centred else (0, 0))
        self._canvas[:] = wanted.pad
        self._shape = picture.shape

    def _back(self, boxes: Boxes, picture: Picture) -> Boxes:
        """From the input to the picture, cut off at its edges."""
        offset = np.array(self._fit.offset * 2, np.float32)
        scale = np.array(self._fit.scale * 2, np.float32)
        edge = np.array([picture.shape[1], picture.shape[0]] * 2, np.float32)
        return np.asarray(np.clip((boxes - offset) / scale, 0, edge), np.float32)


def _as_scores(scores: Scores) -> Scores:
    return np.clip(scores, 0, 1)


def _writer(manifest: Manifest) -> Callable[[Picture, NDArray[np.float32]], None]:
    """How the canvas becomes the input: plane by plane, scaled and shifted in one pass."""
    wanted = manifest.input
    order = (0, 1, 2) if wanted.color == "bgr" else (2, 1, 0)
    gains = [wanted.scale / std for std in wanted.std]
    shifts = [-mean / std for mean, std in zip(wanted.mean, wanted.std, strict=True)]

    def write(canvas: Picture, blob: NDArray[np.float32]) -> None:
        planes = cv2.split(canvas)
        for place, source in enumerate(order):
            np.multiply(planes[source], np.float32(gains[place]), out=blob[place])
            if shifts[place]:
                blob[place] += np.float32(shifts[place])

    return write


def _content(model: Path) -> bytes:
    try:
        with model.open("rb") as file:
            content = file.read(MOST_MODEL_BYTES + 1)
    except OSError as error:
        raise ModelError(f"{model.name} cannot be read ({error.strerror})") from None
    if len(content) > MOST_MODEL_BYTES:
        raise ModelError(f"{model.name} is larger than {MOST_MODEL_BYTES // 1024 // 1024} MiB")
    return content


def _session(content: bytes, name: str) -> Any:  # noqa: ANN401 - onnxruntime ships no annotations
    """One thread that sleeps when it waits: beside others, two are slower than one."""
    # Since 1.29 the library reports to its maker, and keeps an identifier and a database under ~/.cache, unless it is
    # told not to before it is loaded. Nothing leaves the premises.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    # Tenths of a second and tens of MiB, which only those shall pay who detect something.
    import onnxruntime as ort  # type: ignore[import-untyped] # noqa: PLC0415

    options = ort.SessionOptions()
    options.log_severity_level = _LOUD
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as in `run`
        raise ModelError(f"{name} is not an ONNX model that can be run ({_first_line(error)})") from error


def _input_of(session: Any, manifest: Manifest) -> tuple[str, int, int]:  # noqa: ANN401 - as above
    """The name of the input, its width and its height. Raises ModelError."""
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise ModelError(f"the model has {len(inputs)} inputs; a detector of this format has one picture")
    (only,) = inputs
    if only.type != "tensor(float)" or len(only.shape) != _CHANNELS + 1 or only.shape[1] not in {3, None, "channels"}:
        raise ModelError(f"the model's input is {only.type} {only.shape}; it must be floats [1, 3, height, width]")
    said = only.shape[3], only.shape[2]
    given = manifest.input.size or (None, None)
    sides = [fixed if isinstance(fixed, int) else chosen for fixed, chosen in zip(said, given, strict=True)]
    width, height = sides
    if not (isinstance(width, int) and isinstance(height, int)):
        raise ModelError("the model leaves its input size open: write input.size: [width, height] in the manifest")
    if manifest.input.size and (width, height) != manifest.input.size:
        raise ModelError(f"the model's input is {width} x {height}, the manifest says {list(manifest.input.size)}")
    if not (0 < width <= MOST_SIDE and 0 < height <= MOST_SIDE):
        raise ModelError(f"an input of {width} x {height} is larger than we run")
    return only.name, width, height


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
