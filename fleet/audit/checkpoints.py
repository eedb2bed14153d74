"""Checkpoints: the head of the audit trail, signed. They show what the chain alone cannot.

Whoever has the key and the database can write the whole trail anew, and anybody can cut off its end. A checkpoint that
lies elsewhere knows better. All are signed with this installation's key, which signs handover packages too.
"""

import base64
import json
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from cameras.untrusted import clean_text
from fleet.audit.chain import moment
from fleet.commissioning.package import fingerprint, signing_key
from fleet.errors import Invalid
from fleet.settings import Settings
from fleet.store import Store
from fleet.store.audit_tables import AuditRow

FORMAT = "camwarden/audit-checkpoint/1"
KEY_FILE = "handover.key"
_MOST_LINE = 4096
_MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`running` is of an export alone: the digest over all its lines. `public` is the key, `signature` is over all."""

    seq: int
    mac: str
    at: str
    running: str
    public: str
    signature: str

    @property
    def fingerprint(self) -> str:
        return fingerprint(self._key())

    def line(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True) + "\n"

    def check(self, trusted: frozenset[str]) -> None:
        """`trusted` are the fingerprints of whose signature counts. Raises Invalid."""
        if self.fingerprint not in trusted:
            raise Invalid(f"it is signed with another key than those that count here ({self.fingerprint})")
        try:
            self._key().verify(base64.b64decode(self.signature), _words(self.seq, self.mac, self.at, self.running))
        except (InvalidSignature, ValueError):
            raise Invalid("its signature does not fit: it was edited") from None

    def _key(self) -> Ed25519PublicKey:
        try:
            return Ed25519PublicKey.from_public_bytes(base64.b64decode(self.public))
        except ValueError:
            raise Invalid("it holds no key that could have signed it") from None


def _words(seq: int, mac: str, at: str, running: str) -> bytes:
    said = {"format": FORMAT, "seq": seq, "mac": mac, "at": at, "running": running}
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def sign(key: Ed25519PrivateKey, seq: int, mac: str, at: datetime, running: str = "") -> Checkpoint:
    words = _words(seq, mac, moment(at), running)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    encoded = (base64.b64encode(part).decode() for part in (public, key.sign(words)))
    return Checkpoint(seq, mac, moment(at), running, *encoded)


def parse(line: str) -> Checkpoint:
    """Strictly what `line` writes. Raises Invalid."""
    try:
        said = json.loads(line)
        fits = said.pop("format") == FORMAT
        found = Checkpoint(**said)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        fits = False
    texts = fits and all(isinstance(getattr(found, name), str) for name in Checkpoint.__slots__ if name != "seq")
    if not texts or not isinstance(found.seq, int):
        raise Invalid("this is no checkpoint of an audit trail")
    return found


# --- of an installation ----------------------------------------------------------------------------------------------


def our_key(settings: Settings) -> Ed25519PrivateKey:
    """Blocks. Raises Invalid."""
    return signing_key(settings.home / KEY_FILE)


async def head(store: Store) -> tuple[int, str] | None:
    """The number and the mac of the newest entry."""
    newest = select(AuditRow.seq, AuditRow.mac).order_by(AuditRow.seq.desc()).limit(1)
    async with store.read() as connection:
        row = (await connection.execute(newest)).first()
    return (row.seq, row.mac) if row else None


def files(settings: Settings) -> list[Path]:
    """Where this installation keeps its own."""
    kept = [settings.home / "audit-checkpoints.jsonl"]
    if settings.audit_checkpoint_dir:
        kept.append(settings.audit_checkpoint_dir / f"camwarden-{socket.gethostname()}.jsonl")
    return kept


def keep(path: Path, checkpoint: Checkpoint) -> None:
    """At the end of the file, on the disk. Blocks. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, checkpoint.line().encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load(paths: Iterable[Path]) -> list[Checkpoint]:
    """All of these files, which must be there. Blocks. Raises Invalid, which names the file."""
    found: list[Checkpoint] = []
    for path in paths:
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise Invalid(f"{path} is too large for checkpoints")
            with path.open(encoding="utf-8", errors="replace") as file:
                while line := file.readline(_MOST_LINE):
                    found.append(_parsed(path, line))
        except OSError as error:
            raise Invalid(f"{path} cannot be read: {clean_text(str(error.strerror))}") from None
    return found


def _parsed(path: Path, line: str) -> Checkpoint:
    try:
        return parse(line)
    except Invalid as error:
        raise Invalid(f"{path}: {clean_text(line, 40)!r}: {error}") from None


def last_kept(settings: Settings) -> int:
    """The number that our own newest checkpoint knows, 0 for none that can be read. Blocks."""
    path = files(settings)[0]
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _MOST_LINE))
            lines = file.read(_MOST_LINE).decode("utf-8", "replace").splitlines()
        return parse(lines[-1]).seq
    except (OSError, IndexError, Invalid):
        return 0


def trusted(settings: Settings, fingerprints: Sequence[str] = ()) -> frozenset[str]:
    """Whose checkpoints count: our own key's, and those that the operator names. Blocks. Raises Invalid."""
    ours = {fingerprint(our_key(settings).public_key())} if (settings.home / KEY_FILE).exists() else set()
    return frozenset(ours | {one.strip().lower() for one in fingerprints})
