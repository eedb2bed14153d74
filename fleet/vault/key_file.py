"""The master key of the vault: 32 random bytes in a file that only we may read. Blocks: run it in a thread.

Whoever has the file and the database has every password; whoever loses the file has none. A file that is not exactly
what we made is not used: a key that others could read is no longer a secret, and a cut one would seal for nobody.

A credential of systemd (`LoadCredential=camwarden-key:…`) wins over the file in the home: it need not lie there then.
"""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from fleet.errors import VaultUnavailable

KEY_BYTES = 32
_PRIVATE = 0o600
CREDENTIAL = "camwarden-key"
# systemd lets the user of a service in by an access list, whose mask shows as rights of the group.
_OF_A_CREDENTIAL = frozenset({0o400, 0o440, 0o600})


def key_file(home: Path) -> Path:
    """Where the master key is. Blocks."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    given = Path(folder) / CREDENTIAL if folder else None
    return given if given and os.path.lexists(given) else home / "key"


def is_credential(path: Path) -> bool:
    return path.name == CREDENTIAL


def read_or_make(path: Path, *, in_use: bool) -> bytes:
    """The key. `in_use` says that something is sealed with it already, so that a new one would be of no use.

    Raises VaultUnavailable.
    """
    try:
        return read(path)
    except FileNotFoundError:
        if in_use:
            raise VaultUnavailable(
                f"{path} is missing, and stored passwords or backups are sealed with it: put it back from your backup. "
                "Without it they cannot be read by anybody; set each camera's password anew after moving them away"
            ) from None
    except OSError as error:
        raise VaultUnavailable(f"{path} cannot be read: {error.strerror}") from error
    try:
        make(path)
        return read(path)
    except OSError as error:
        raise VaultUnavailable(f"{path} cannot be made: {error.strerror}") from error


def read(path: Path) -> bytes:
    """Raises VaultUnavailable where it is not exactly what we made, OSError where it is not there."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if wrong := _fault(found, given=is_credential(path)):
            raise VaultUnavailable(f"{path} {wrong}")
        return os.read(descriptor, KEY_BYTES + 1)
    finally:
        os.close(descriptor)


def _fault(found: os.stat_result, *, given: bool) -> str | None:
    if not stat.S_ISREG(found.st_mode):
        return "is no file: put the key back from your backup"
    if found.st_uid != os.geteuid() and not (given and found.st_uid == 0):
        return f"belongs to another user: chown it to the user that runs camwarden (uid {os.geteuid()})"
    if stat.S_IMODE(found.st_mode) not in (_OF_A_CREDENTIAL if given else {_PRIVATE}):
        return (
            f"has mode {stat.S_IMODE(found.st_mode):04o} where 0600 belongs: find out who could read it, then chmod "
            "600. If others could, change every camera's password"
        )
    if found.st_size != KEY_BYTES:
        return f"has {found.st_size} bytes where {KEY_BYTES} belong: put the key back from your backup"
    return None


def make(path: Path) -> None:
    """A new one, whole or not at all. Never in place of another: written beside, then linked, which fails there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    try:
        try:
            os.fchmod(descriptor, _PRIVATE)
            os.write(descriptor, secrets.token_bytes(KEY_BYTES))
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
