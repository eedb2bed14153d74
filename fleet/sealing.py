"""Envelope encryption: each secret under a data key of its own, the data key under the master key. AES-256-GCM.

What a secret belongs to is authenticated with it: a row that was copied to another camera does not open there.
"""

import hashlib
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cameras.secret import Secret

_NONCE_BYTES = 12
_KEY_BITS = 256


class Damaged(Exception):
    """What was sealed does not open: another key, another owner, or changed bytes."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """`wrapped_key` and `sealed` begin with their nonce."""

    wrapped_key: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Owner:
    """What a sealed secret belongs to."""

    record: str
    camera: str
    account: str

    def bound(self, purpose: str) -> bytes:
        """As associated data. Lengths come first: no two owners give the same bytes."""
        parts = [part.encode() for part in (f"camwarden/1/{purpose}", self.record, self.camera, self.account)]
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


class MasterKey:
    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self.id = hashlib.sha256(b"camwarden master key\0" + key).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"MasterKey({self.id})"

    def seal(self, secret: Secret, owner: Owner) -> Envelope:
        data_key = AESGCM.generate_key(bit_length=_KEY_BITS)
        return Envelope(
            wrapped_key=_encrypt(self._cipher, data_key, owner.bound("key")),
            sealed=_encrypt(AESGCM(data_key), secret.reveal().encode(), owner.bound("password")),
        )

    def unseal(self, envelope: Envelope, owner: Owner) -> Secret:
        """Raises Damaged."""
        data_key = _decrypt(self._cipher, envelope.wrapped_key, owner.bound("key"))
        return Secret(_decrypt(AESGCM(data_key), envelope.sealed, owner.bound("password")).decode())


def _encrypt(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, bound)


def _decrypt(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise Damaged from None
