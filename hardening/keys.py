"""The keys that sign bundles: Ed25519, as PEM files."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MOST_KEY_BYTES = 4096
_HEAD = 16


class KeyUnusable(Exception):
    """A key file that cannot be read or written, or holds something else. The text names the file alone."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`name` is the file's, so that an operator knows whom it stands for."""

    name: str
    _key: Ed25519PublicKey = field(repr=False)

    def signed(self, signature: bytes, words: bytes) -> bool:
        try:
            self._key.verify(signature, words)
        except InvalidSignature:
            return False
        return True

    @property
    def fingerprint(self) -> str:
        raw = self._key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return hashlib.sha256(raw).hexdigest()[:_HEAD]


@dataclass(frozen=True, slots=True)
class PrivateKey:
    _key: Ed25519PrivateKey = field(repr=False)

    def sign(self, words: bytes) -> bytes:
        return self._key.sign(words)


def generate(private: Path, public: Path) -> PublicKey:
    """A new pair of files; the private one for its owner only. Neither may exist. Blocks. Raises KeyUnusable."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    shown = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for path, content, mode in ((private, pem, 0o600), (public, shown, 0o644)):
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(content)
        except OSError as error:
            raise KeyUnusable(f"{path}: it cannot be written ({error.strerror or error})") from error
    return PublicKey(public.stem, key.public_key())


def load_private(path: Path) -> PrivateKey:
    """Blocks. Raises KeyUnusable."""
    try:
        key = serialization.load_pem_private_key(_content(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnusable(f"{path}: this is not a private key that `camwarden bundle keygen` makes") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(f"{path}: this is not an Ed25519 key")
    return PrivateKey(key)


def load_public(path: Path) -> PublicKey:
    """Blocks. Raises KeyUnusable."""
    try:
        key = serialization.load_pem_public_key(_content(path))
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable(f"{path}: this is not a public key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyUnusable(f"{path}: this is not an Ed25519 key")
    return PublicKey(path.stem, key)


def load_trusted(paths: Iterable[Path]) -> tuple[PublicKey, ...]:
    """All of them: one that cannot be read is an error, not a key less. Blocks. Raises KeyUnusable."""
    return tuple(load_public(path) for path in sorted(paths))


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_KEY_BYTES + 1)
    except OSError as error:
        raise KeyUnusable(f"{path}: it cannot be read ({error.strerror or error})") from error
    if len(content) > MOST_KEY_BYTES:
        raise KeyUnusable(f"{path}: too large for a key")
    return content
