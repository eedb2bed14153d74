"""The files that can be put on a simulated camera.

A firmware image is ``b"CWFW1\\n"``, one line of JSON, and padding::

    {"vendor": "axis", "models": ["P3265-V"], "version": "12.11.80", "padding": 4096, "sha256": "…", "defect": "brick"}

`vendor` is the family (or the manufacturer), `models` names those that it fits ("*" fits all of the vendor), `sha256`
is that of the padding, so that a damaged file is known as such. `defect` is optional: `brick` never comes back,
`no-picture` loses the image, `loses-accounts` all accounts but the vendor's own, `analytics-drop` spoils the camera's
own AI. ``"bad": true`` is another way to say `brick`.

An app package is ``b"CWAP1\\n"`` and a line of the same kind: `name`, `nice_name`, `vendor`, `version`, optional
`models`, an optional object `behaviour`, which the simulated analytics read, and an optional `"signed": false` for one
that nobody has signed.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast, get_args

from simulator.plan import App, CameraPlan, Defect
from simulator.vendors import VENDORS

FIRMWARE, PACKAGE = b"CWFW1\n", b"CWAP1\n"


class BadFile(Exception):
    """Not a file of this kind, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Image:
    vendor: str
    models: tuple[str, ...]
    version: str
    defect: Defect | None

    def fits(self, plan: CameraPlan) -> bool:
        same = self.vendor.lower() in (plan.vendor, VENDORS[plan.vendor].manufacturer.lower())
        return same and ("*" in self.models or plan.model in self.models)


def image(
    vendor: str, models: Sequence[str], version: str, *, defect: Defect | None = None, padding: int = 4096
) -> bytes:
    """A firmware file."""
    fields: dict[str, object] = {"vendor": vendor, "models": list(models), "version": version}
    return _file(FIRMWARE, fields if defect is None else {**fields, "defect": defect}, padding)


def package(
    name: str,
    version: str,
    *,
    vendor: str = "Northlight",
    nice_name: str | None = None,
    models: Sequence[str] = ("*",),
    behaviour: Mapping[str, object] | None = None,
    signed: bool = True,
    padding: int = 1024,
) -> bytes:
    """An app's file."""
    fields = {"name": name, "nice_name": nice_name or name, "vendor": vendor, "version": version}
    more = {"models": list(models), "behaviour": dict(behaviour or {}), **({} if signed else {"signed": False})}
    return _file(PACKAGE, {**fields, **more}, padding)


def read_image(data: bytes) -> Image:
    """Raises BadFile."""
    said = _fields(FIRMWARE, data)
    defect = "brick" if said.get("bad") is True else said.get("defect")
    models = said.get("models")
    if not isinstance(models, list) or not (defect is None or defect in get_args(Defect)):
        raise BadFile("models or defect")
    known = cast("Defect | None", defect)
    return Image(_text(said, "vendor"), tuple(map(str, models)), _text(said, "version"), known)


def read_package(data: bytes) -> tuple[App, tuple[str, ...]]:
    """The app, not running, and the models that it fits. Raises BadFile."""
    said = _fields(PACKAGE, data)
    behaviour, models = said.get("behaviour", {}), said.get("models", ["*"])
    if not isinstance(behaviour, dict) or not isinstance(models, list):
        raise BadFile("behaviour or models")
    words = {key: _text(said, key) for key in ("name", "nice_name", "vendor", "version")}
    return App(**words, running=False, behaviour=behaviour), tuple(map(str, models))


def is_signed(data: bytes) -> bool:
    """Of an app's package. Raises BadFile."""
    return _fields(PACKAGE, data).get("signed") is not False


def _file(magic: bytes, fields: Mapping[str, object], padding: int) -> bytes:
    seed = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).digest()
    filling = (seed * (padding // len(seed) + 1))[:padding]
    line = {**fields, "padding": padding, "sha256": hashlib.sha256(filling).hexdigest()}
    return magic + json.dumps(line).encode() + b"\n" + filling


def _fields(magic: bytes, data: bytes) -> Mapping[str, object]:
    if not data.startswith(magic):
        raise BadFile("magic")
    line, _, filling = data[len(magic) :].partition(b"\n")
    try:
        said = json.loads(line)
    except ValueError:
        raise BadFile("header") from None
    if not isinstance(said, dict):
        raise BadFile("header")
    if said.get("padding") != len(filling) or said.get("sha256") != hashlib.sha256(filling).hexdigest():
        raise BadFile("digest")
    return said


def _text(said: Mapping[str, object], key: str) -> str:
    value = said.get(key)
    if not isinstance(value, str) or not value:
        raise BadFile(key)
    return value
