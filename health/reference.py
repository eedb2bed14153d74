"""A reference view: how a camera looks when somebody has said that it looks right.

Kept as a PNG with a JSON document beside it in its text: no format that could run anything, bounded when it is read.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from health.conditions import Condition
from health.looks import (
    COLUMNS,
    ROWS,
    SIZE,
    Look,
    Map,
    Picture,
    at_size,
    blocks,
    look_at,
    median_of,
    noise_of,
)

Mask = NDArray[np.bool_]

FORMAT = "camwarden/reference/1"
LEAST_ASSESSABLE = 0.2
_TEXTURED_SD = 5.0  # grey levels within a block
_STABLE_ZNCC = 0.6  # between the bursts that the reference was made of
_EDGE_SHARE = 0.6  # of the bursts that must show an edge
_EDGE_ENERGY = 60.0**2  # of Sobel: a step of 15 grey levels
_STRONGEST = 0.12  # of the picture's area counts as edges at most
_MOST_BYTES = 8 * 1024 * 1024
_MOST_VIEWS = 100


class NotAReference(ValueError):
    """These bytes are no reference view that we wrote."""


@dataclass(frozen=True)
class Reference:
    """`picture` is the median of all bursts at the working size; `usable` says which blocks can be compared."""

    camera: str
    stream: str
    condition: Condition
    approved_by: str
    approved_at: datetime
    picture: Picture
    usable: Mask
    edges: Mask
    noise: float
    bursts: int

    @cached_property
    def look(self) -> Look:
        return replace(look_at(self.picture), noise=self.noise)

    @cached_property
    def gradient(self) -> Map:
        """For phase correlation, at half the working size."""
        return gradient_map(self.look)

    @cached_property
    def edge_zone(self) -> Map:
        """1 on its edges, 0 elsewhere."""
        return self.edges.astype(np.float32)

    @cached_property
    def edge_pixels(self) -> int:
        return int(self.edges.sum())

    @cached_property
    def sharpness(self) -> float:
        return sharpness(self.look, self.edge_zone)

    @property
    def assessable_share(self) -> float:
        return float(self.usable.mean())

    @property
    def is_assessable(self) -> bool:
        return self.assessable_share >= LEAST_ASSESSABLE


def sharpness(look: Look, zone: Map) -> float:
    """Within the zone: what a second blur takes away, from 0 (it was blurred) to 1."""
    before, after = float(np.vdot(look.energy, zone)), float(np.vdot(look.reblurred_energy, zone))
    return 1 - math.sqrt(after / before) if before > 0 else 0.0


def gradient_map(look: Look) -> Map:
    half = cv2.resize(look.energy, (SIZE[0] // 2, SIZE[1] // 2), interpolation=cv2.INTER_AREA)
    return np.sqrt(np.asarray(half, np.float32))


def build(
    bursts: Sequence[Sequence[Picture]],
    *,
    condition: Condition,
    approved_by: str,
    approved_at: datetime,
    camera: str = "",
    stream: str = "",
) -> Reference:
    """From one burst, or better from several over a day: what is not the same in all of them is not compared."""
    if not approved_by.strip():
        raise ValueError("a reference view is approved by a named person")
    views = [median_of(burst) for burst in bursts[:_MOST_VIEWS]]
    picture = median_of(views)
    looks = [look_at(view) for view in views]
    middle = look_at(picture)
    usable = textured(middle)
    for look in looks if len(looks) > 1 else []:
        usable &= zncc(middle, look) >= _STABLE_ZNCC
    return Reference(
        camera=camera,
        stream=stream,
        condition=condition,
        approved_by=approved_by.strip(),
        approved_at=approved_at,
        picture=picture,
        usable=usable,
        edges=_persistent([look.energy for look in looks]),
        noise=float(np.median([noise_of(one) for burst in bursts[:_MOST_VIEWS] for one in burst[:3]])),
        bursts=len(views),
    )


def textured(look: Look) -> Mask:
    """The blocks in which there is something to compare."""
    return np.asarray(np.sqrt(look.variance) >= _TEXTURED_SD, np.bool_)


def zncc(reference: Look, now: Look) -> Map:
    """Zero-mean normalised correlation of each block: 1 where it shows the same, whatever gain and offset do."""
    both = blocks(reference.gray * now.gray) - reference.mean * now.mean
    # Flat blocks have nothing to correlate: a grey level of spread keeps noise from looking like agreement.
    spread = np.sqrt((reference.variance + 1) * (now.variance + 1))
    return np.asarray(np.clip(both / spread, -1, 1), np.float32)


def _persistent(energies: Sequence[Map]) -> Mask:
    """Where most bursts have an edge, and a small zone round it."""
    votes = np.zeros(energies[0].shape, np.float32)
    for energy in energies:
        least = max(_EDGE_ENERGY, float(np.quantile(energy[::4, ::4], 1 - _STRONGEST)))
        votes += energy >= least
    core = (votes >= _EDGE_SHARE * len(energies)).astype(np.uint8)
    return np.asarray(cv2.dilate(core, np.ones((5, 5), np.uint8)), np.bool_)


# --- on disk ----------------------------------------------------------------------------------------------------------


def to_bytes(reference: Reference) -> bytes:
    """JSON on the first line, the PNG after it."""
    words = {
        "format": FORMAT,
        "camera": reference.camera,
        "stream": reference.stream,
        "condition": reference.condition.value,
        "approved_by": reference.approved_by,
        "approved_at": reference.approved_at.isoformat(),
        "noise": reference.noise,
        "bursts": reference.bursts,
        "usable": np.packbits(reference.usable).tobytes().hex(),
    }
    edges = (reference.edges * np.uint8(255))[:, :, None]
    _, coded = cv2.imencode(".png", np.concatenate([reference.picture, edges], axis=2))
    return json.dumps(words).encode() + b"\n" + coded.tobytes()


def from_bytes(body: bytes) -> Reference:
    """Raises NotAReference. The PNG is our own: it was written here, and its digest is its name in the store."""
    head, _, png = body[: _MOST_BYTES + 1].partition(b"\n")
    if len(body) > _MOST_BYTES:
        raise NotAReference("too large")
    try:
        words = json.loads(head)
        if words["format"] != FORMAT:
            raise NotAReference("another format")
        usable = np.unpackbits(np.frombuffer(bytes.fromhex(words["usable"]), np.uint8))
        if int.from_bytes(png[16:20], "big") != SIZE[0] or int.from_bytes(png[20:24], "big") != SIZE[1]:
            raise NotAReference("another size")
        layers = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
        if layers is None or layers.shape != (SIZE[1], SIZE[0], 4) or layers.dtype != np.uint8:
            raise NotAReference("no picture of ours")
        return Reference(
            camera=str(words["camera"]),
            stream=str(words["stream"]),
            condition=Condition(words["condition"]),
            approved_by=str(words["approved_by"]),
            approved_at=datetime.fromisoformat(words["approved_at"]),
            picture=np.ascontiguousarray(layers[:, :, :3], np.uint8),
            usable=usable.reshape(ROWS, COLUMNS).astype(np.bool_),
            edges=layers[:, :, 3] > 127,  # noqa: PLR2004 - written as 0 or 255
            noise=float(words["noise"]),
            bursts=int(words["bursts"]),
        )
    except (ValueError, KeyError, TypeError, cv2.error) as error:
        if isinstance(error, NotAReference):
            raise
        raise NotAReference(f"not a reference view: {type(error).__name__}") from error


def of_picture(picture: Picture, *, condition: Condition, approved_by: str, approved_at: datetime) -> Reference:
    """From a single picture: whoever hands it over says that it is good."""
    return build([[at_size(picture)]], condition=condition, approved_by=approved_by, approved_at=approved_at)
