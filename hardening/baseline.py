"""A baseline: what is wanted of every camera, as YAML that a person writes and reviews.

    format: camwarden/baseline/1
    name: essential
    settings:
      ntp: {servers: [10.0.0.1]}
      http: off

A second file of the same format, `camwarden/overrides/1`, changes it for one site, key by key; a setting given there as
`null` is taken out. Errors name the file and the line and say what to write.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, create_model
from pydantic_core import ErrorDetails

from hardening.model import Parameters
from hardening.settings import BY_NAME, SETTINGS, AnySetting
from hardening.yaml_tree import Tree, YamlError, parse, read

FORMAT = "camwarden/baseline/1"
OVERRIDES = "camwarden/overrides/1"
BUNDLED = ("essential", "strict")


class BaselineError(ValueError):
    """A baseline cannot be used. The text names file, line and key, and says what to write."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """`settings` are the parameters by name of the setting, in the safe order; `wanted` is what follows from them."""

    name: str
    settings: Mapping[str, Any]

    def wanted(self) -> Iterator[tuple[AnySetting, Any]]:
        """Each setting that this baseline speaks of, and the state it wants, in the order of changing."""
        for setting in SETTINGS:
            if setting.name in self.settings:
                yield setting, setting.wanted(self._parsed(setting))

    def _parsed(self, setting: AnySetting) -> Any:  # noqa: ANN401 - each setting has its own
        return getattr(_Settings.model_validate({setting.name: self.settings[setting.name]}), _field(setting.name))

    @property
    def digest(self) -> str:
        """Of the meaning, not of the file: comments and order of keys do not count."""
        text = json.dumps([FORMAT, self.name, self.settings], sort_keys=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _field(name: str) -> str:
    return name.replace("-", "_")


_Settings: Any = create_model(
    "Settings",
    __base__=Parameters,
    **{_field(setting.name): (setting.parameters, Field(None, alias=setting.name)) for setting in SETTINGS},  # type: ignore[call-overload] # by name
)
_Word = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")]


class _Baseline(Parameters):
    format: Literal["camwarden/baseline/1"]
    name: _Word
    settings: _Settings


class _Overrides(Parameters):
    format: Literal["camwarden/overrides/1"]
    site: _Word | None = None
    settings: dict[str, Any]


def load_baseline(name_or_file: str, overrides: Path | None = None) -> Baseline:
    """A bundled one by its name, or a file; with the overrides of a site laid over it. Blocks. Raises BaselineError."""
    over = _tree(overrides) if overrides is not None else None
    return _laid_over(_tree(_source(name_or_file)), over)


def parse_baseline(name_or_text: str, overrides: str = "") -> Baseline:
    """As it comes with a request: a bundled one by its name, or the text of one. Blocks. Raises BaselineError."""
    if name_or_text in BUNDLED:
        tree = _tree(_source(name_or_text))
    elif "\n" not in name_or_text.strip():
        raise BaselineError(f"there is no such baseline; write one of {', '.join(BUNDLED)}, or the text of one")
    else:
        tree = _parsed_text(name_or_text, "the baseline")
    return _laid_over(tree, _parsed_text(overrides, "the overrides") if overrides.strip() else None)


def bundled_text(name: str) -> str:
    """A bundled baseline as it was written, comments and all. Blocks. Raises BaselineError."""
    if name not in BUNDLED:
        raise BaselineError(f"there is no such baseline; write one of {', '.join(BUNDLED)}")
    return _source(name).read_text(encoding="utf-8")


def _laid_over(tree: Tree, over: Tree | None) -> Baseline:
    given = _checked(tree, _Baseline)
    settings = given["settings"]
    if over is not None:
        changes = _checked(over, _Overrides)["settings"]
        settings = _merged(settings, changes)
        _check_merged(over, settings)
        tree = over if over.has(("settings", "http")) else tree
    if not settings:
        raise BaselineError(f"{tree.name}: it wants nothing; write at least one of {_names()} under `settings`")
    _refuse_a_dead_end(tree, settings)
    ordered = {setting.name: settings[setting.name] for setting in SETTINGS if setting.name in settings}
    return Baseline(given["name"], ordered)


def from_values(name: str, settings: Mapping[str, Any]) -> Baseline:
    """A baseline that was loaded before and has been stored since. Raises BaselineError."""
    try:
        _Settings.model_validate(dict(settings))
    except ValidationError as error:
        raise BaselineError(
            f"the stored baseline {name!r} cannot be read: {_sentence(error.errors()[0], ('settings',))}"
        ) from None
    return Baseline(name, {setting: settings[setting] for setting in BY_NAME if setting in settings})


def _source(name_or_file: str) -> Path:
    if name_or_file in BUNDLED:
        return Path(str(resources.files("hardening") / "baselines" / f"{name_or_file}.yaml"))
    path = Path(name_or_file)
    if "/" not in name_or_file and not path.suffix and not path.exists():
        raise BaselineError(f"there is no baseline {name_or_file!r}; write one of {', '.join(BUNDLED)}, or a file")
    return path


def _tree(path: Path) -> Tree:
    try:
        return read(path)
    except YamlError as error:
        raise BaselineError(str(error)) from None


def _parsed_text(text: str, name: str) -> Tree:
    try:
        return parse(text, name)
    except YamlError as error:
        raise BaselineError(str(error)) from None


def _checked(tree: Tree, shape: type[Parameters]) -> dict[str, Any]:
    """The values as they were written, once pydantic has agreed with them."""
    values = tree.values
    if not isinstance(values, dict):
        raise BaselineError(f"{tree.name}, line 1: write `format`, `name` and `settings`")
    try:
        shape.model_validate(values)
    except ValidationError as error:
        raise _told(tree, error.errors()[0], ()) from None
    return values


def _check_merged(tree: Tree, settings: Mapping[str, Any]) -> None:
    try:
        _Settings.model_validate(dict(settings))
    except ValidationError as error:
        raise _told(tree, error.errors()[0], ("settings",)) from None


def _told(tree: Tree, error: ErrorDetails, within: Sequence[str]) -> BaselineError:
    place = (*within, *error["loc"])
    key = ".".join(str(part) for part in place if part in _known_parts(tree, place)) or "the file"
    return BaselineError(f"{tree.name}, line {tree.line(place)}: `{key}`: {_sentence(error, place)}")


def _known_parts(tree: Tree, place: Sequence[str | int]) -> Sequence[str | int]:
    """Without the words that pydantic adds for its own branches (unions, validators)."""
    return [part for number, part in enumerate(place) if tree.has(place[: number + 1]) or number == len(place) - 1]


def _sentence(error: ErrorDetails, loc: Sequence[str | int]) -> str:
    """What to write, without quoting what was written."""
    kind = error["type"]
    if kind == "extra_forbidden":
        return f"there is no such key; {_known_here(loc)}"
    if kind == "missing":
        return "this key is missing"
    if kind == "literal_error":
        words = str(error.get("ctx", {}).get("expected", ""))
        on_or_off = {"True": "on, or leave the key out", "False": "off, or leave the key out"}
        return f"write {on_or_off.get(words, words)}"
    if kind in {"bool_type", "bool_parsing"}:
        return "write on or off"
    if kind == "model_type" and loc and loc[-1] in BY_NAME:
        return f"write its keys below it: {', '.join(BY_NAME[str(loc[-1])].parameters.model_fields)}"
    return error["msg"].removeprefix("Value error, ").replace("Input should be", "this should be")


def _known_here(loc: Sequence[str | int]) -> str:
    if loc and loc[0] in {"settings", *BY_NAME}:
        names = [part for part in loc if part in BY_NAME]
        shape = BY_NAME[str(names[0])].parameters if names and len(loc) > loc.index(names[0]) + 1 else None
        if shape is not None:
            return f"write one of {', '.join(shape.model_fields)}"
        return f"write one of {_names()}"
    return "write one of format, name, settings (site overrides: format, site, settings)"


def _names() -> str:
    return ", ".join(BY_NAME)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Key by key; `null` takes a key out, a list is replaced whole."""
    merged = dict(below)
    for key, value in above.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = value
    return merged


def _refuse_a_dead_end(tree: Tree, settings: Mapping[str, Any]) -> None:
    """Without HTTPS in the same baseline, plain HTTP would be off on some cameras and on on others, by chance."""
    if settings.get("http") is False and "https" not in settings:
        line = tree.line(("settings", "http"))
        raise BaselineError(
            f"{tree.name}, line {line}: `settings.http`: with HTTP off there must be another way in; write `https: on` "
            "beside it"
        )
