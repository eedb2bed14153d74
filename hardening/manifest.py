"""What a bundle says of itself, and whether that fits a camera. Pure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, cast

from cameras.facts import App, FirmwareState, Identity
from cameras.untrusted import clean_text

FORMAT = "camwarden/bundle/1"
MOST_MANIFEST_BYTES = 64 * 1024
_MOST_NAMES = 500
_MOST_TEXT = 200
_MOST_NOTES = 4000
_HEX_DIGITS = frozenset("0123456789abcdef")
_SHA256_DIGITS = 64
_MOST_SIZE = 1 << 40

Kind = Literal["firmware", "app"]
Standing = Literal["older", "same", "newer", "unknown"]
Compare = Callable[[str, str, str], Standing]
"""How the first version stands to the second, by the counting scheme that is named first."""


class BundleError(Exception):
    """This bundle cannot be used. The text says why, and is fit to be shown."""


# What an app may promise, and between what: shares; counts; seconds of watching.
PROMISES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "least_recall": (0.0, 1.0),
        "least_precision": (0.0, 1.0),
        "most_fall": (0.0, 1.0),
        "least_n": (1, 10_000),
        "seconds": (5.0, 3600.0),
    }
)


@dataclass(frozen=True, slots=True)
class AppWords:
    """For an app: its id on the camera, and how right it must be there, by the names of `PROMISES`.

    It is measured beside a reference detector, before and after; empty where nothing is promised.
    """

    id: str
    accuracy: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Manifest:
    """`scheme` is how its vendor counts versions; `from_version` the oldest that may be installed before it.

    `models` are exact; `hardware` empty means any. For an app, versions are the app's.
    """

    kind: Kind
    vendor: str
    models: tuple[str, ...]
    hardware: tuple[str, ...]
    version: str
    scheme: str
    from_version: str | None
    sha256: str
    size: int
    notes: str
    app: AppWords | None


class Reason(StrEnum):
    """Why a bundle does not fit. `ALREADY_THERE` is no fault of anybody."""

    NOT_SIGNED = "not-signed"
    EDITED = "edited"
    VENDOR = "vendor"
    MODEL = "model"
    HARDWARE = "hardware"
    UNKNOWN_VERSION = "unknown-version"
    TOO_OLD = "too-old"
    DOWNGRADE = "downgrade"
    ALREADY_THERE = "already-there"
    UNCOMMITTED = "uncommitted"


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: Reason
    text: str


def written(manifest: Manifest) -> bytes:
    """The one way to write it: what is signed."""
    value: dict[str, Any] = {
        "format": FORMAT,
        "kind": manifest.kind,
        "vendor": manifest.vendor,
        "models": list(manifest.models),
        "hardware": list(manifest.hardware),
        "version": manifest.version,
        "scheme": manifest.scheme,
        "from_versions": {"least": manifest.from_version},
        "sha256": manifest.sha256,
        "size": manifest.size,
        "notes": manifest.notes,
    }
    if manifest.app is not None:
        value["app"] = {"id": manifest.app.id, "accuracy": dict(manifest.app.accuracy)}
    return _canonical(value)


def read_manifest(words: bytes) -> Manifest:
    """Strict: unknown keys, other types, and any other way to write the same are errors. Raises BundleError."""
    if len(words) > MOST_MANIFEST_BYTES:
        raise BundleError(f"its manifest is larger than {MOST_MANIFEST_BYTES} bytes")
    try:
        value = json.loads(words.decode("utf-8"))
        canonical = _canonical(value)
    except (ValueError, RecursionError):
        raise BundleError("its manifest is not JSON") from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise BundleError(f"its manifest is not of the format {FORMAT}")
    if canonical != words:
        raise BundleError("its manifest is not written in the one way that can be signed")
    return _manifest(value)


def _canonical(value: object) -> bytes:
    """Raises ValueError for what JSON cannot say, such as half a character or infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _manifest(value: dict[str, Any]) -> Manifest:
    keys = {"format", "kind", "vendor", "models", "hardware", "version", "scheme", "from_versions"}
    keys |= {"sha256", "size", "notes"} | ({"app"} if value.get("kind") == "app" else set())
    if set(value) != keys:
        odd = ", ".join(sorted(clean_text(key, 40) for key in set(value) ^ keys))
        raise BundleError(f"its manifest has other keys than it should have: {odd}")
    if value["kind"] not in ("firmware", "app"):
        raise BundleError("its manifest: kind must be firmware or app")
    least = value["from_versions"]
    if not isinstance(least, dict) or set(least) != {"least"}:
        raise BundleError('its manifest: from_versions must be {"least": VERSION or null}')
    return Manifest(
        kind=value["kind"],
        vendor=_text(value, "vendor"),
        models=_names(value, "models", least=1),
        hardware=_names(value, "hardware", least=0),
        version=_text(value, "version"),
        scheme=_text(value, "scheme"),
        from_version=None if least["least"] is None else _text(least, "least"),
        sha256=_sha256(value),
        size=_size(value),
        notes=_text(value, "notes", most=_MOST_NOTES, least=0),
        app=_app(value["app"]) if "app" in value else None,
    )


def _app(value: object) -> AppWords:
    if not isinstance(value, dict) or set(value) != {"id", "accuracy"} or not isinstance(value["accuracy"], dict):
        raise BundleError("its manifest: app must have an id and accuracy")
    return AppWords(_text(value, "id"), promises(value["accuracy"]))


def promises(value: Mapping[str, object]) -> Mapping[str, float]:
    """Raises BundleError for a name that there is not, and for a number that promises nothing."""
    for name, number in value.items():
        if name not in PROMISES:
            raise BundleError(f"accuracy: {clean_text(name, 40)} is none of {', '.join(PROMISES)}")
        least, most = PROMISES[name]
        whole = isinstance(least, int)
        if type(number) not in ((int,) if whole else (int, float)) or not least <= cast("float", number) <= most:
            raise BundleError(
                f"accuracy: {name} must be a {'whole ' if whole else ''}number from {least:g} to {most:g}"
            )
    return cast("Mapping[str, float]", value)


def _text(value: Mapping[str, Any], key: str, *, most: int = _MOST_TEXT, least: int = 1) -> str:
    text = value[key]
    if not isinstance(text, str) or not least <= len(text) <= most or clean_text(text, most) != text:
        raise BundleError(f"its manifest: {key} must be {least} to {most} printable characters")
    return text


def _names(value: Mapping[str, Any], key: str, *, least: int) -> tuple[str, ...]:
    names = value[key]
    if not isinstance(names, list) or not least <= len(names) <= _MOST_NAMES:
        raise BundleError(f"its manifest: {key} must be a list of {least} to {_MOST_NAMES} names")
    return tuple(_text({key: name}, key) for name in names)


def _sha256(value: Mapping[str, Any]) -> str:
    text = value["sha256"]
    if not isinstance(text, str) or len(text) != _SHA256_DIGITS or not set(text) <= _HEX_DIGITS:
        raise BundleError("its manifest: sha256 must be 64 hexadecimal digits in small letters")
    return text


def _size(value: Mapping[str, Any]) -> int:
    size = value["size"]
    if type(size) is not int or not 0 < size <= _MOST_SIZE:
        raise BundleError("its manifest: size must be a number of bytes")
    return size


# --- does it fit? ----------------------------------------------------------------------------------------------------


def misfits(
    manifest: Manifest, identity: Identity, installed: FirmwareState | App | None, compare: Compare
) -> list[Refusal]:
    """Vendor, model, hardware, and the way from the version that is there now."""
    refusals = [
        *_differs(Reason.VENDOR, "it is of", identity.manufacturer, (manifest.vendor,)),
        *_differs(Reason.MODEL, "it is a", identity.model, manifest.models),
    ]
    if manifest.hardware:
        refusals += _differs(Reason.HARDWARE, "its hardware is", identity.hardware, manifest.hardware)
    if isinstance(installed, FirmwareState) and installed.committed is False:
        text = "its present firmware is not committed yet: the camera may go back by itself"
        refusals.append(Refusal(Reason.UNCOMMITTED, text))
    if installed is not None or manifest.kind == "firmware":
        refusals += _way(manifest, installed.version if installed else None, compare)
    return refusals


def _differs(reason: Reason, words: str, said: str | None, wanted: tuple[str, ...]) -> list[Refusal]:
    if said is not None and said.casefold() in {name.casefold() for name in wanted}:
        return []
    told = "the camera does not say" if said is None else f"{words} {clean_text(said)}"
    shown = ", ".join(wanted[:5]) + (", …" if len(wanted) > 5 else "")  # noqa: PLR2004 - fits a line
    return [Refusal(reason, f"{told}; the bundle is for {shown}")]


def _way(manifest: Manifest, runs: str | None, compare: Compare) -> list[Refusal]:
    """The upgrade path. A version that cannot be compared is no way at all."""
    if runs is None:
        return [Refusal(Reason.UNKNOWN_VERSION, "the camera does not say which version it runs")]
    if runs == manifest.version:
        return [Refusal(Reason.ALREADY_THERE, f"it runs {manifest.version} already")]
    runs = clean_text(runs)
    standing = compare(manifest.scheme, runs, manifest.version)
    if standing == "unknown":
        text = f"it runs {runs}, which cannot be compared with {manifest.version}"
        return [Refusal(Reason.UNKNOWN_VERSION, text)]
    if standing == "same":
        return [Refusal(Reason.ALREADY_THERE, f"it runs {runs}, which is the same version")]
    if standing == "newer":
        return [Refusal(Reason.DOWNGRADE, f"it runs {runs}, which is newer than {manifest.version}")]
    if manifest.from_version is None:
        return []
    path = compare(manifest.scheme, runs, manifest.from_version)
    if path in ("same", "newer"):
        return []
    text = f"it runs {runs}; {manifest.version} may be installed from {manifest.from_version} on"
    return [Refusal(Reason.TOO_OLD if path == "older" else Reason.UNKNOWN_VERSION, text)]
