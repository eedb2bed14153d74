"""The manifest beside a model file, MODEL.yaml: what its numbers mean. Shapes are ambiguous, so nothing is guessed."""

from pathlib import Path
from typing import Annotated, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from analytics_qa.errors import ModelError

Format = Literal["yolox", "yolov5", "yolov8", "end2end", "rtdetr", "rfdetr", "ssd", "nanodet", "fastestdet"]
FORMATS = get_args(Format)
MOST_MANIFEST_BYTES = 256 * 1024
MOST_MODEL_BYTES = 512 * 1024 * 1024
MOST_CLASSES = 10_000
MOST_SIDE = 4096

Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=80)]


class Strict(BaseModel):
    """Frozen; an unknown key or a word in place of a number is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Input(Strict):
    """What the model wants to see: `(value * scale - mean) / std` per channel, in the order of `color`.

    `size` (width, height) is needed only where the model file leaves it open. A letterboxed picture keeps its shape
    and the rest is filled with `pad`; `place` says where it stands ("corner": top left).
    """

    color: Literal["bgr", "rgb"]
    scale: Annotated[float, Field(gt=0, le=255, allow_inf_nan=False)] = 1.0
    mean: Annotated[tuple[Number, ...], Field(min_length=3, max_length=3, strict=False)] = (0.0, 0.0, 0.0)
    std: Annotated[
        tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...], Field(min_length=3, max_length=3, strict=False)
    ] = (1.0, 1.0, 1.0)
    resize: Literal["letterbox", "stretch"]
    pad: Annotated[int, Field(ge=0, le=255)] = 114
    place: Literal["corner", "centre"] | None = None
    size: (
        Annotated[
            tuple[Annotated[int, Field(ge=8, le=MOST_SIDE)], ...], Field(min_length=2, max_length=2, strict=False)
        ]
        | None
    ) = None


class GoldenBox(Strict):
    """One object of the golden picture, in its pixels."""

    name: Name = Field(alias="class")
    box: Annotated[tuple[Number, ...], Field(min_length=4, max_length=4, strict=False)]


class Golden(Strict):
    """A picture beside the manifest and what the model must find in it, and nothing else."""

    picture: Name
    boxes: Annotated[tuple[GoldenBox, ...], Field(min_length=1, max_length=300, strict=False)]


class Manifest(Strict):
    """`classes` maps an index of the model to our word; an index that is left out is not reported.

    `decoded` says that boxes come in pixels of the input instead of relative to their cell.
    """

    format: Format
    input: Input
    strides: Annotated[
        tuple[Annotated[int, Field(ge=1, le=256)], ...], Field(min_length=1, max_length=8, strict=False)
    ] = (8, 16, 32)
    decoded: bool = False
    classes: Annotated[dict[Annotated[int, Field(ge=0, lt=MOST_CLASSES)], Name], Field(min_length=1)]
    score_threshold: Share
    iou_threshold: Share
    license: Name
    description: Annotated[str, Field(max_length=2000)] = ""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    golden: Golden | None = None

    @model_validator(mode="after")
    def _picture_stands_beside(self) -> "Manifest":
        if self.golden and Path(self.golden.picture).name != self.golden.picture:
            raise ValueError("golden.picture is the name of a file beside the manifest")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Our words, each once."""
        return tuple(dict.fromkeys(self.classes.values()))


def manifest_of(model: Path) -> Path:
    return model.with_suffix(".yaml")


def read_manifest(path: Path) -> Manifest:
    """Raises ModelError, which names the key."""
    text = _text(path)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ModelError(f"{path.name}: aliases (*name) are not used in manifests")
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ModelError(f"{path.name}{where}: this is not YAML") from error
    try:
        return Manifest.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise ModelError(f"{path.name}: {place}: {first['msg'].removeprefix('Value error, ')}") from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_MANIFEST_BYTES + 1)
    except FileNotFoundError:
        raise ModelError(f"{path.name} is missing: a model needs its manifest beside it (docs/analytics.md)") from None
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read ({error.strerror})") from None
    if len(content) > MOST_MANIFEST_BYTES:
        raise ModelError(f"{path.name} is larger than {MOST_MANIFEST_BYTES // 1024} KiB")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ModelError(f"{path.name} is not UTF-8") from None
