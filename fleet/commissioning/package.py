"""The handover package: a folder that reads without a program or a network, with sums and a signature over them.

index.html            what was commissioned, by whom, with every row
pictures/<sum>.jpg    stills and photos that rows name as evidence
commissioning.json    the same for machines
manifest.json         the SHA-256 of every file above
manifest.sig          Ed25519 over manifest.json, base64
public-key.pem        whose signature it is
"""

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from jinja2 import Environment, PackageLoader, StrictUndefined

from fleet.errors import Invalid
from fleet.evidence import media_type

FORMAT = "camwarden/handover/1"
_MANIFEST, _SIGNATURE, _KEY = "manifest.json", "manifest.sig", "public-key.pem"
_UNSIGNED = frozenset({_MANIFEST, _SIGNATURE, _KEY})
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png"}
_MOST_FILES = 20_000
_MOST_MANIFEST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Verified:
    """A package that is whole. `fingerprint` is the SHA-256 of the public key: compare it with what the signer says."""

    fingerprint: str
    files: int
    record: Mapping[str, Any]


# --- the signing key --------------------------------------------------------------------------------------------------


def signing_key(path: Path) -> Ed25519PrivateKey:
    """This installation's key, made at its first use, readable by its owner only. Raises Invalid. Blocks."""
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        text = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = path.with_suffix(f".{os.getpid()}.half")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(half, path)  # never over a key that another process made meanwhile
        half.unlink()
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise Invalid(f"the signing key {path.name} cannot be read: {type(error).__name__}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid(f"the signing key {path.name} is no Ed25519 key")
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()


# --- building ---------------------------------------------------------------------------------------------------------


def build(folder: Path, record: Mapping[str, Any], pictures: Mapping[str, bytes], key: Ed25519PrivateKey) -> str:
    """Write the package of a signed record; the fingerprint of its key. Raises Invalid. Blocks.

    `pictures` by their SHA-256. The folder appears whole or not at all, and is never written over.
    """
    if folder.exists():
        raise Invalid(f"{folder} is there already; give another folder")
    half = folder.with_name(f".{folder.name}.{os.getpid()}.half")
    try:
        (half / "pictures").mkdir(parents=True)
        names = {sum_: f"pictures/{sum_}.{_ENDINGS[media_type(body)]}" for sum_, body in pictures.items()}
        for sum_, body in pictures.items():
            (half / names[sum_]).write_bytes(body)
        (half / "commissioning.json").write_text(json.dumps(record, indent=1, ensure_ascii=False), encoding="utf-8")
        page = _pages().get_template("handover.html").render(record=record, pictures=names, counts=_counts(record))
        (half / "index.html").write_text(page, encoding="utf-8")
        manifest = json.dumps({"format": FORMAT, "files": sums_of(half)}, indent=1, sort_keys=True).encode()
        (half / _MANIFEST).write_bytes(manifest)
        (half / _SIGNATURE).write_bytes(base64.b64encode(key.sign(manifest)) + b"\n")
        public = key.public_key()
        (half / _KEY).write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        half.rename(folder)
    except OSError as error:
        raise Invalid(f"the package cannot be written to {folder}: {error.strerror}") from error
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return fingerprint(public)


def _counts(record: Mapping[str, Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for camera in record["cameras"]:
        for row in camera["rows"]:
            counts[row["state"]] = counts.get(row["state"], 0) + 1
    return counts


def sums_of(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink()]
    return {
        path.relative_to(folder).as_posix(): _sum_of(path)
        for path in files
        if path.relative_to(folder).as_posix() not in _UNSIGNED
    }


def _sum_of(path: Path) -> str:
    if path.is_symlink():
        raise Invalid(f"{path.name} is a link: a package holds plain files only")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _pages() -> Environment:
    loader = PackageLoader("fleet.commissioning", "pages")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


# --- verifying --------------------------------------------------------------------------------------------------------


def verify(folder: Path, expected: str | None = None) -> Verified:
    """That nothing was edited, taken away or put in since it was signed. Raises Invalid, which names the file. Blocks.

    `expected` is the fingerprint that the signer told by another way: without it, only that the package is of one
    piece is proved, not whose it is.
    """
    try:
        manifest, signature, pem = ((folder / name).read_bytes() for name in (_MANIFEST, _SIGNATURE, _KEY))
    except OSError as error:
        raise Invalid(f"not a handover package: {Path(str(error.filename)).name} is missing") from error
    key = _public_key(pem)
    if expected is not None and fingerprint(key) != expected.strip().lower():
        raise Invalid(f"it is signed with another key: its fingerprint is {fingerprint(key)}")
    try:
        key.verify(base64.b64decode(signature), manifest)
    except (InvalidSignature, ValueError) as error:
        raise Invalid("the signature does not fit: manifest.json was edited after it was signed") from error
    _compare(folder, _files_of(manifest))
    record = json.loads((folder / "commissioning.json").read_text(encoding="utf-8"))
    return Verified(fingerprint(key), len(_files_of(manifest)), record)


def _public_key(pem: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        raise Invalid("public-key.pem is no public key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid("public-key.pem is no Ed25519 key")
    return key


def _files_of(manifest: bytes) -> dict[str, str]:
    """Only a manifest whose signature fits comes here."""
    if len(manifest) > _MOST_MANIFEST_BYTES:
        raise Invalid("manifest.json is too large")
    said = json.loads(manifest)
    if said.get("format") != FORMAT or not isinstance(said.get("files"), dict):
        raise Invalid(f"manifest.json is not of the form {FORMAT}")
    files: dict[str, str] = said["files"]
    return files


def _compare(folder: Path, signed: Mapping[str, str]) -> None:
    if len(signed) > _MOST_FILES:
        raise Invalid("manifest.json names too many files")
    there = sums_of(folder)
    for name in sorted(signed.keys() | there.keys()):
        if name not in there:
            raise Invalid(f"{name} is missing")
        if name not in signed:
            raise Invalid(f"{name} was put in after the package was signed")
        if there[name] != signed[name]:
            raise Invalid(f"{name} was edited after the package was signed")
