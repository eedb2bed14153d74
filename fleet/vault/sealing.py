"""Envelope encryption: each secret under a data key of its own, the data key under the master key. AES-256-GCM.

What a secret belongs to is authenticated with it: a row that was copied to another camera does not open there.
"""

import hashlib
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cameras.secret import Secret

_NONCE_BYTES = 12
_KEY_BITS = 256
_TAG_BYTES = 16
ID_CHARACTERS = 16
WRAPPED_KEY_BYTES = _NONCE_BYTES + _KEY_BITS // 8 + _TAG_BYTES
# By how much what is sealed is larger.
OVERHEAD_BYTES = _NONCE_BYTES + _TAG_BYTES
# What a data key is of: it opens as nothing else.
OF_PASSWORDS, OF_BACKUPS, OF_FACTORS, OF_AUDIT = "key", "backup key", "factor key", "other key"
OF_JUMP_HOSTS = "jump host key"
# What a file is called in which something is sealed.
SEALED_FILE = ".sealed"


class Damaged(Exception):
    """What was sealed does not open: another key, another owner, or changed bytes."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """`wrapped_key` and `sealed` begin with their nonce."""

    wrapped_key: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Owner:
    """What a sealed secret belongs to. The record of a backup is its SHA-256, and its account "".

    What proves a person is bound to that person, who then stands in the place of the camera.
    """

    record: str
    camera: str
    account: str

    def bound(self, purpose: str) -> bytes:
        """As associated data. Lengths come first: no two owners give the same bytes."""
        parts = [part.encode() for part in (f"camwarden/1/{purpose}", self.record, self.camera, self.account)]
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def key_id(key: bytes) -> str:
    """What a master key is called: fit to be shown."""
    return hashlib.sha256(b"camwarden master key\0" + key).hexdigest()[:ID_CHARACTERS]


class MasterKey:
    """`earlier` is the one that was in use before, while not everything is wrapped anew yet."""

    def __init__(self, key: bytes, earlier: "MasterKey | None" = None) -> None:
        self.earlier = earlier
        self._cipher = AESGCM(key)
        self._key = key
        self.id = key_id(key)

    def __repr__(self) -> str:
        return f"MasterKey({self.id})"

    def of(self, key_id: str) -> "MasterKey | None":
        """The one with that id: this one, or the one before."""
        return self if key_id == self.id else self.earlier and self.earlier.of(key_id)

    def rewrap(self, wrapped_key: bytes, before: "MasterKey", owner: Owner, purpose: str) -> bytes:
        """A data key that lies under another master key, under this one. Raises Damaged."""
        bound = owner.bound(purpose)
        return _encrypt(self._cipher, _decrypt(before._cipher, wrapped_key, bound), bound)  # noqa: SLF001 - of its kind

    def opens(self, wrapped_key: bytes, owner: Owner, purpose: str) -> bool:
        """Whether the data key lies under this master key, without opening what it seals."""
        try:
            _decrypt(self._cipher, wrapped_key, owner.bound(purpose))
        except Damaged:
            return False
        return True

    def derived(self, purpose: str) -> bytes:
        """32 bytes for that purpose alone, from which the master key does not follow."""
        info = f"camwarden/1/{purpose}".encode()
        return HKDF(hashes.SHA256(), _KEY_BITS // 8, salt=None, info=info).derive(self._key)

    def wrap(self, key: bytes, owner: Owner) -> bytes:
        """Another key, beneath this one."""
        return _encrypt(self._cipher, key, owner.bound(OF_AUDIT))

    def unwrap(self, wrapped: bytes, owner: Owner) -> bytes:
        """Raises Damaged."""
        return _decrypt(self._cipher, wrapped, owner.bound(OF_AUDIT))

    def seal(self, secret: Secret, owner: Owner) -> Envelope:
        return self._seal(secret.reveal().encode(), owner.bound(OF_PASSWORDS), owner.bound("password"))

    def unseal(self, envelope: Envelope, owner: Owner) -> Secret:
        """Raises Damaged."""
        return Secret(self._unseal(envelope, owner.bound(OF_PASSWORDS), owner.bound("password")).decode())

    def seal_factor(self, secret: Secret, owner: Owner) -> Envelope:
        return self._seal(secret.reveal().encode(), owner.bound(OF_FACTORS), owner.bound("factor"))

    def unseal_factor(self, envelope: Envelope, owner: Owner) -> Secret:
        """Raises Damaged."""
        return Secret(self._unseal(envelope, owner.bound(OF_FACTORS), owner.bound("factor")).decode())

    def seal_login_key(self, secret: Secret, owner: Owner) -> Envelope:
        """A private key that we log in to a jump host with."""
        return self._seal(secret.reveal().encode(), owner.bound(OF_JUMP_HOSTS), owner.bound("login key"))

    def unseal_login_key(self, envelope: Envelope, owner: Owner) -> Secret:
        """Raises Damaged."""
        return Secret(self._unseal(envelope, owner.bound(OF_JUMP_HOSTS), owner.bound("login key")).decode())

    def seal_backup(self, content: bytes, owner: Owner) -> Envelope:
        return self._seal(content, owner.bound(OF_BACKUPS), owner.bound("backup"))

    def unseal_backup(self, envelope: Envelope, owner: Owner) -> bytes:
        """Raises Damaged."""
        return self._unseal(envelope, owner.bound(OF_BACKUPS), owner.bound("backup"))

    def _seal(self, plain: bytes, key_bound: bytes, bound: bytes) -> Envelope:
        data_key = AESGCM.generate_key(bit_length=_KEY_BITS)
        return Envelope(_encrypt(self._cipher, data_key, key_bound), _encrypt(AESGCM(data_key), plain, bound))

    def _unseal(self, envelope: Envelope, key_bound: bytes, bound: bytes) -> bytes:
        data_key = _decrypt(self._cipher, envelope.wrapped_key, key_bound)
        return _decrypt(AESGCM(data_key), envelope.sealed, bound)


def _encrypt(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, bound)


def _decrypt(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise Damaged from None
