"""The master key of the vault in a file that only we may read. Blocks: run it in a thread.

It lies there as it is, 32 random bytes, or wrapped by a transit engine (`fleet.vault.transit`), and the same names
serve for both: one takes the other's place in one step. Whoever has the file (and the engine, where it is wrapped) and
the database has every password; whoever loses the file has none. A file that is not exactly what we made is not used:
a key that others could read is no longer a secret, and a cut one would seal for nobody.

A credential of systemd (`LoadCredential=camwarden-key:…`) wins over the file in the home: it need not lie there then.
"""

import json
import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import VaultUnavailable
from fleet.vault.sealing import ID_CHARACTERS, key_id

KEY_BYTES = 32
FORMAT = "camwarden/wrapped-key/1"
MOST_WRAPPED_BYTES = 16 * 1024
_PRIVATE = 0o600
CREDENTIAL = "camwarden-key"
# systemd lets the user of a service in by an access list, whose mask shows as rights of the group.
_OF_A_CREDENTIAL = frozenset({0o400, 0o440, 0o600})
_CIPHERTEXT = re.compile(r"vault:v([0-9]{1,9}):[A-Za-z0-9+/=]+")
_ID = re.compile(rf"[0-9a-f]{{{ID_CHARACTERS}}}")


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """The key as a transit engine gave it back; `id` is that of the key inside."""

    id: str
    ciphertext: str

    @property
    def version(self) -> int:
        """Of the transit key that it lies under."""
        found = _CIPHERTEXT.fullmatch(self.ciphertext)
        assert found is not None  # what is read and what the engine gives is looked at first  # noqa: S101
        return int(found[1])

    def written(self) -> bytes:
        said = {"format": FORMAT, "key_id": self.id, "ciphertext": self.ciphertext}
        return f"{json.dumps(said, indent=1)}\n".encode()


Kept = bytes | WrappedKey


def is_ciphertext(text: str) -> bool:
    return len(text) < MOST_WRAPPED_BYTES // 2 and _CIPHERTEXT.fullmatch(text) is not None


def id_of(kept: Kept) -> str:
    return kept.id if isinstance(kept, WrappedKey) else key_id(kept)


def key_file(home: Path) -> Path:
    """Where the master key is. Blocks."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    given = Path(folder) / CREDENTIAL if folder else None
    return given if given and os.path.lexists(given) else home / "key"


def is_credential(path: Path) -> bool:
    return path.parent == Path(os.environ.get("CREDENTIALS_DIRECTORY") or os.devnull)


def read(path: Path) -> Kept:
    """Raises VaultUnavailable where it is not exactly what we made, FileNotFoundError where it is not there."""
    try:
        found = read_privately(path, MOST_WRAPPED_BYTES, "change every camera's password", follow=False)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise VaultUnavailable(f"{path} cannot be read: {error.strerror}") from error
    if len(found) == KEY_BYTES:
        return found
    if (wrapped := _wrapped(found)) is None:
        raise VaultUnavailable(
            f"{path} has {len(found)} bytes where {KEY_BYTES} belong, or a wrapped key: put it back from your backup"
        )
    return wrapped


def _wrapped(found: bytes) -> WrappedKey | None:
    try:
        said = json.loads(found)
        wrapped = WrappedKey(said["key_id"], said["ciphertext"])
        fits = said["format"] == FORMAT and _ID.fullmatch(wrapped.id) and is_ciphertext(wrapped.ciphertext)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return wrapped if fits else None


def read_privately(path: Path, most: int, if_seen: str, *, follow: bool = True) -> bytes:
    """The first bytes of a file that nobody else may read. `if_seen` is what to do where others could.

    Raises VaultUnavailable where others may, OSError.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    try:
        if wrong := _fault(os.fstat(descriptor), if_seen, given=is_credential(path)):
            raise VaultUnavailable(f"{path} {wrong}")
        return os.read(descriptor, most)
    finally:
        os.close(descriptor)


def _fault(found: os.stat_result, if_seen: str, *, given: bool) -> str | None:
    if not stat.S_ISREG(found.st_mode):
        return "is no file: put it back from your backup"
    if found.st_uid != os.geteuid() and not (given and found.st_uid == 0):
        return f"belongs to another user: chown it to the user that runs camwarden (uid {os.geteuid()})"
    if stat.S_IMODE(found.st_mode) not in (_OF_A_CREDENTIAL if given else {_PRIVATE}):
        return (
            f"has mode {stat.S_IMODE(found.st_mode):04o} where 0600 belongs: find out who could read it, then chmod "
            f"600. If others could, {if_seen}"
        )
    return None


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def make(path: Path, kept: Kept) -> None:
    """Whole or not at all. Never in place of another: written beside, then linked, which fails there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    try:
        try:
            os.fchmod(descriptor, _PRIVATE)
            os.write(descriptor, kept.written() if isinstance(kept, WrappedKey) else kept)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with suppress(FileExistsError):  # another process was first: its key counts
            os.link(beside, path)
    finally:
        beside.unlink()
    to_disk(path.parent)


def to_disk(folder: Path) -> None:
    """What was named, renamed or taken away in it stays so."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_over(descriptor: int) -> None:
    """With zeros, for what that is worth on the disk that the file lies on."""
    os.pwrite(descriptor, b"\0" * os.fstat(descriptor).st_size, 0)
    os.fsync(descriptor)
