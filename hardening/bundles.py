"""Signed bundles: firmware or an analytics app in one file, with what it is meant for.

A bundle is a zip archive of two or three stored (never compressed) members, in this order:

    manifest.json   what it is, in one way to write it: sorted keys, no spaces
    payload         the image or the package, as the vendor made it
    signature       64 bytes of Ed25519 over the manifest; the manifest holds the payload's digest

Nothing is believed before the signature is proved, and nothing is unpacked beyond what the manifest says.
"""

import hashlib
import os
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cameras.facts import App, FirmwareState, Identity
from hardening.keys import PrivateKey, PublicKey
from hardening.manifest import (
    MOST_MANIFEST_BYTES,
    BundleError,
    Compare,
    Manifest,
    Reason,
    Refusal,
    misfits,
    read_manifest,
    written,
)

__all__ = ["Bundle", "BundleError", "Manifest", "Reason", "Refusal", "build", "fits", "open_payload", "sign", "verify"]

MOST_PAYLOAD_BYTES = 1024 * 1024 * 1024
_SIGNATURE_BYTES = 64
_MOST_BYTES = MOST_PAYLOAD_BYTES + MOST_MANIFEST_BYTES + 64 * 1024
_MANIFEST, _PAYLOAD, _SIGNATURE = "manifest.json", "payload", "signature"
_SHAPES = ((_MANIFEST, _PAYLOAD), (_MANIFEST, _PAYLOAD, _SIGNATURE))
_LIMITS = {_MANIFEST: MOST_MANIFEST_BYTES, _PAYLOAD: MOST_PAYLOAD_BYTES, _SIGNATURE: _SIGNATURE_BYTES}
_SIGNED_WORDS = b"camwarden/bundle/1\n"
_CHUNK = 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)
_ENCRYPTED = 0x1

# The end of a zip archive (APPNOTE 4.3.16) without a comment: what comes before it is read only if it is small.
_END = struct.Struct("<4s4H2LH")
_END_MARK, _ZIP64_MARK, _ZIP64_BYTES = b"PK\x05\x06", b"PK\x06\x07", 20
_MOST_DIRECTORY_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was read. `signed_by` names the trusted key that signed it, `intact` says that the digest fits."""

    manifest: Manifest
    signed_by: str | None
    intact: bool


def build(payload: Path, manifest: Manifest, into: Path) -> None:
    """Write an unsigned bundle; digest and size of the manifest must be the payload's. Blocks. Raises BundleError."""
    try:
        with payload.open("rb") as source:
            _write(into, written(manifest), source, None)
    except OSError as error:
        raise BundleError(f"the bundle cannot be written: {error.strerror or error}") from error


def sign(bundle: Path, key: PrivateKey) -> None:
    """Sign a bundle in place, whatever signature it had. Blocks. Raises BundleError, also where it is damaged."""
    with _opened(bundle) as archive:
        manifest = _member(archive, _MANIFEST)
        if not _is_intact(archive, read_manifest(manifest)):
            raise BundleError("its payload is not what the manifest says; it is not signed")
        with archive.open(_PAYLOAD) as source:
            _write(bundle, manifest, source, key.sign(_SIGNED_WORDS + manifest))


def read(bundle: Path, trusted: Sequence[PublicKey] = ()) -> Bundle:
    """What the bundle holds and whether it can be believed. Blocks. Raises BundleError for what is no bundle."""
    with _opened(bundle) as archive:
        words = _member(archive, _MANIFEST)
        signature = _member(archive, _SIGNATURE) if _SIGNATURE in archive.namelist() else None
        manifest = read_manifest(words)
        signer = None
        if signature is not None:
            signer = next((key.name for key in trusted if key.signed(signature, _SIGNED_WORDS + words)), None)
        return Bundle(manifest, signer, _is_intact(archive, manifest))


def verify(bundle: Path, trusted: Sequence[PublicKey]) -> Bundle:
    """As `read`, but raises BundleError also where the signature or the digest is wrong."""
    found = read(bundle, trusted)
    if found.signed_by is None:
        known = ", ".join(key.name for key in trusted) or "none"
        raise BundleError(f"no trusted key signed this bundle (trusted keys: {known})")
    if not found.intact:
        raise BundleError("its payload is not what was signed: the digest differs")
    return found


def fits(
    bundle: Bundle, identity: Identity, installed: FirmwareState | App | None, compare: Compare
) -> tuple[Refusal, ...]:
    """Why this camera must not be given this bundle; empty where it may. Pure.

    For firmware `installed` is what runs, for an app the same app on the camera, `None` where it is not there yet.
    What the camera does not say is a refusal: nobody flashes on a guess.
    """
    refusals = []
    if bundle.signed_by is None:
        refusals.append(Refusal(Reason.NOT_SIGNED, "no trusted key signed the bundle"))
    if not bundle.intact:
        refusals.append(Refusal(Reason.EDITED, "the payload is not what was signed"))
    return (*refusals, *misfits(bundle.manifest, identity, installed, compare))


@contextmanager
def open_payload(bundle: Path) -> Iterator[IO[bytes]]:
    """The payload as a stream. Blocks. Raises BundleError."""
    with _opened(bundle) as archive, archive.open(_PAYLOAD) as source:
        yield source


def digest(payload: Path) -> tuple[str, int]:
    """SHA-256 in hexadecimal and size, for a manifest. Blocks. Raises BundleError."""
    try:
        with payload.open("rb") as source:
            return _digest(source)
    except OSError as error:
        raise BundleError(f"{payload.name}: it cannot be read ({error.strerror or error})") from error


@contextmanager
def _opened(bundle: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, its directory looked through: known names, nothing compressed or encrypted, sizes bounded."""
    try:
        with bundle.open("rb") as file:
            _check_end(file)
            with zipfile.ZipFile(file) as archive:
                _check_directory(archive)
                yield archive
    except OSError as error:
        raise BundleError(f"the bundle cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, NotImplementedError, struct.error, EOFError, UnicodeDecodeError) as error:
        raise BundleError("this is no bundle, or it is cut short") from error


def _check_end(file: IO[bytes]) -> None:
    """A directory that claims to be large would be read into memory as a whole."""
    size = os.fstat(file.fileno()).st_size
    if size > _MOST_BYTES:
        raise BundleError(f"larger than {_MOST_BYTES // 1024 // 1024} MiB")
    tail = min(size, _END.size + _ZIP64_BYTES)
    file.seek(size - tail)
    before, end = (words := file.read(tail))[: -_END.size], words[-_END.size :]
    if len(end) < _END.size or not end.startswith(_END_MARK) or before.startswith(_ZIP64_MARK):
        raise BundleError("this is no bundle, or it is cut short")
    _, _, _, _, members, directory_bytes, _, comment_bytes = _END.unpack(end)
    if members > max(map(len, _SHAPES)) or directory_bytes > _MOST_DIRECTORY_BYTES or comment_bytes:
        raise BundleError("it holds more than a bundle may hold")
    file.seek(0)


def _check_directory(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if tuple(member.filename for member in members) not in _SHAPES:
        raise BundleError("it does not hold what a bundle holds: manifest.json, payload, signature")
    for member in members:
        plain = member.compress_type == zipfile.ZIP_STORED and member.compress_size == member.file_size
        if not plain or member.flag_bits & _ENCRYPTED:
            raise BundleError(f"{member.filename} is compressed or encrypted, which a bundle never is")
        if member.file_size > _LIMITS[member.filename]:
            raise BundleError(f"{member.filename} is larger than {_LIMITS[member.filename]} bytes")


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as source:
        return source.read(_LIMITS[name] + 1)


def _is_intact(archive: zipfile.ZipFile, manifest: Manifest) -> bool:
    try:
        with archive.open(_PAYLOAD) as source:
            return _digest(source) == (manifest.sha256, manifest.size)
    except zipfile.BadZipFile:  # its check sum: the archive is whole, the payload was changed
        return False


def _digest(source: IO[bytes]) -> tuple[str, int]:
    running, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK):
        running.update(chunk)
        size += len(chunk)
        if size > MOST_PAYLOAD_BYTES:
            raise BundleError(f"the payload is larger than {MOST_PAYLOAD_BYTES} bytes")
    return running.hexdigest(), size


def _write(into: Path, manifest: bytes, payload: IO[bytes], signature: bytes | None) -> None:
    """The whole file or none: under another name first."""
    beside = into.with_name(f".{into.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(beside, "x", zipfile.ZIP_STORED, allowZip64=False) as archive:
            archive.writestr(zipfile.ZipInfo(_MANIFEST, _EPOCH), manifest)
            with archive.open(zipfile.ZipInfo(_PAYLOAD, _EPOCH), "w") as target:
                while chunk := payload.read(_CHUNK):
                    target.write(chunk)
            if signature is not None:
                archive.writestr(zipfile.ZipInfo(_SIGNATURE, _EPOCH), signature)
        read(beside)
        beside.replace(into)
    finally:
        beside.unlink(missing_ok=True)
