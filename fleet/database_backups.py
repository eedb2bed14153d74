"""The whole store in one file, made while the service runs, and brought back. All of it blocks.

The file is a compressed tar: `manifest.json`, `evidence.jsonl` (every picture that the store names, and whether it is
there and unchanged) and the database itself. What is not in it is said in its manifest, first of all the key of the
vault: whoever finds a backup must not find it beside its key.
"""

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select

from fleet.errors import FleetError, Invalid, StoreUnavailable
from fleet.settings import Settings
from fleet.store import copies, is_made, migrating
from fleet.store.copies import Copied, Tell
from fleet.store.pictures_tables import Evidence

FORMAT = "camwarden/backup/1"
NOT_IN_IT = (
    "the key of the vault (`key` in the home), without which no password in here can be read: keep it apart from this",
    "pictures (`evidence` in the home): this backup lists them with their digests",
    "bundles, sealed configurations of cameras and trusted keys (`bundles`, `backups` and `trusted` in the home)",
    "camwarden.toml and the files that it names",
)
_MANIFEST, _EVIDENCE, _DATABASE = "manifest.json", "evidence.jsonl", "database"
_MOST_MANIFEST_BYTES = 2**20
_BLOCK = 2**20
# What is being done, how far it is and how far it is to go, in bytes or pieces.
TellPhase = Callable[[str, int, int], None]


class BackupUnusable(Invalid):
    """This file is no backup, or not a whole one. Take another."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """`rows` of each table at that moment. `evidence` counts pictures: listed, missing, changed."""

    format: str
    made_at: str
    made_by: str
    engine: str
    revision: str
    schema: str
    rows: Mapping[str, int]
    sha256: str
    size_bytes: int
    evidence: Mapping[str, int]
    not_in_it: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """`beside` is where the store before is kept; `None` where there was none."""

    manifest: Manifest
    beside: str | None


def engine_of(settings: Settings) -> str:
    return "postgresql" if settings.database_url else "sqlite"


def backup(settings: Settings, into: Path, tell: TellPhase, *, now: datetime | None = None) -> Manifest:
    """One moment of the store, in a file that only its owner reads. Raises Invalid, StoreUnavailable."""
    if into.exists():
        raise Invalid(f"{into} exists; a backup overwrites nothing: take another name")
    if not is_made(settings):
        raise Invalid(f"there is no store in {settings.home} yet")
    with _workshop(into.absolute().parent) as folder:
        database = folder / _DATABASE
        copied = _copied(settings, database, lambda done, of: tell("database", done, of))
        evidence = _evidence(settings, folder / _EVIDENCE, lambda done, of: tell("evidence", done, of))
        digest, size = _digest(database)
        manifest = Manifest(
            format=FORMAT,
            made_at=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
            made_by=f"camwarden {version('camwarden')}",
            engine=engine_of(settings),
            revision=copied.revision,
            schema=copied.schema,
            rows=copied.rows,
            sha256=digest,
            size_bytes=size,
            evidence=evidence,
            not_in_it=NOT_IN_IT,
        )
        (folder / _MANIFEST).write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
        _pack(folder, into, lambda done, of: tell("file", done, of))
    return manifest


def verify(path: Path, tell: TellPhase) -> Manifest:
    """Everything in it is read and held beside its digest; nothing is changed. Raises BackupUnusable."""
    with _workshop(None) as folder:
        return _unpacked(path, folder, tell)


def restore(settings: Settings, path: Path, tell: TellPhase, *, now: datetime | None = None) -> Restored:
    """In the place of the store of these settings, which is kept beside. Hold `sole_controller` meanwhile.

    Everything is verified before anything is touched. Raises BackupUnusable, Busy where the store is in use, Invalid.
    """
    at = now or datetime.now(UTC)
    with _workshop(settings.home) as folder:
        manifest = _unpacked(path, folder, tell)
        _fits(settings, manifest)
        new = folder / _DATABASE
        tell("store", 0, 1)
        if settings.database_url:
            schema = copies.replace_postgresql(settings, new, manifest.schema, at)
            there, beside = copies.look_at_postgresql(settings), f"schema {schema}" if schema else None
        else:
            new.chmod(0o600)
            file = copies.replace_sqlite(settings.database, new, at)
            there, beside = copies.check_sqlite(settings.database), str(file) if file else None
        tell("store", 1, 1)
    if dict(there.rows) != dict(manifest.rows):
        raise StoreUnavailable(f"the restored store is not what was backed up; the one before is in {beside}")
    return Restored(manifest, beside)


def check(settings: Settings, tell: TellPhase) -> tuple[Copied, Mapping[str, int]]:
    """Revision and rows of the store, and its evidence. Raises StoreUnavailable for one that is damaged."""
    if not is_made(settings):
        raise Invalid(f"there is no store in {settings.home} yet")
    there = copies.look_at_postgresql(settings) if settings.database_url else copies.check_sqlite(settings.database)
    with _workshop(None) as folder:
        return there, _evidence(settings, folder / _EVIDENCE, lambda done, of: tell("evidence", done, of))


def _copied(settings: Settings, into: Path, tell: Tell) -> Copied:
    if not settings.database_url:
        return copies.copy_sqlite(settings.database, into, tell)
    there, newest = copies.look_at_postgresql(settings).revision, migrating.newest()
    if there != newest:
        raise Invalid(
            f"this database is of revision {there}, this program works with {newest}: back it up with the program "
            "that it belongs to, or run `camwarden db upgrade` first"
        )
    return copies.dump_postgresql(settings, into, tell)


def _fits(settings: Settings, manifest: Manifest) -> None:
    """Raises BackupUnusable."""
    if manifest.engine != engine_of(settings):
        raise BackupUnusable(
            f"this is a backup of {manifest.engine}, and the settings name {engine_of(settings)}: "
            f"{'set' if manifest.engine == 'postgresql' else 'take out'} database_url to restore it"
        )
    if not migrating.is_known(manifest.revision):
        raise BackupUnusable(
            f"it was made by a later version ({manifest.made_by}, revision {manifest.revision}): install that first"
        )


def _evidence(settings: Settings, into: Path, tell: Tell) -> dict[str, int]:
    """One line for each picture that the store names; how many those are, and how many are no proof any more."""
    counts = {"listed": 0, "missing": 0, "changed": 0}
    engine = migrating.blocking_engine(settings)
    try:
        with engine.connect() as connection:
            columns = (Evidence.digest, Evidence.kind, Evidence.size_bytes)
            rows = connection.execute(select(*columns).order_by(Evidence.digest)).all()
    finally:
        engine.dispose()
    with into.open("w", encoding="utf-8") as lines:
        for number, row in enumerate(rows, 1):
            state = _state(settings.evidence / row.digest[:2] / row.digest, row.digest)
            counts["listed"] += 1
            if state != "kept":
                counts[state] += 1
            line = {"digest": row.digest, "kind": row.kind, "size_bytes": row.size_bytes, "state": state}
            lines.write(json.dumps(line) + "\n")
            tell(number, len(rows))
    return counts


def _state(path: Path, digest: str) -> str:
    try:
        return "kept" if _digest(path)[0] == digest else "changed"
    except OSError:
        return "missing"


def _pack(folder: Path, into: Path, tell: Tell) -> None:
    part = folder / "part"
    size = (folder / _DATABASE).stat().st_size
    with part.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=3) as archive:
            for name in (_MANIFEST, _EVIDENCE, _DATABASE):
                entry = archive.gettarinfo(folder / name, name)
                entry.uid = entry.gid = 0
                entry.uname = entry.gname = ""
                with (folder / name).open("rb") as content:
                    archive.addfile(entry, _Counted(content, size, tell) if name == _DATABASE else content)
        file.flush()
        os.fsync(file.fileno())
    os.link(part, into)  # refuses to overwrite, whoever was quicker


class _Counted:
    """A file that tells how far it was read."""

    def __init__(self, file: IO[bytes], size: int, tell: Tell) -> None:
        self._file, self._size, self._tell = file, size, tell

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._tell(self._file.tell(), self._size)
        return block


def _unpacked(path: Path, folder: Path, tell: TellPhase) -> Manifest:
    """The database lies in the folder afterwards, and is whole. Raises BackupUnusable."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            members = _members(archive)
            manifest = _read_manifest(members[_MANIFEST])
            _write_out(members[_DATABASE], folder / _DATABASE, manifest, tell)
    except (OSError, EOFError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise BackupUnusable(f"{path} is no whole backup of Camwarden ({type(error).__name__})") from error
    digest, size = _digest(folder / _DATABASE)
    if (digest, size) != (manifest.sha256, manifest.size_bytes):
        raise BackupUnusable(f"{path} is damaged: the database in it is not the one that was put into it")
    try:
        if manifest.engine == "postgresql":
            copies.check_dump(folder / _DATABASE)
        elif dict(copies.check_sqlite(folder / _DATABASE).rows) != dict(manifest.rows):
            raise BackupUnusable(f"{path} is damaged: its database holds other rows than its manifest says")
    except StoreUnavailable as error:
        raise BackupUnusable(f"{path} is damaged: {error}") from error
    return manifest


def _members(archive: tarfile.TarFile) -> dict[str, IO[bytes]]:
    """The three that there must be, read by name: nothing is unpacked where a name of the archive says."""
    found: dict[str, IO[bytes]] = {}
    for name in (_MANIFEST, _DATABASE):
        member = archive.extractfile(name)
        if member is None:
            raise KeyError(name)
        found[name] = member
    return found


def _read_manifest(file: IO[bytes]) -> Manifest:
    values: dict[str, Any] = json.loads(file.read(_MOST_MANIFEST_BYTES))
    manifest = Manifest(**{**values, "not_in_it": tuple(values["not_in_it"])})
    if manifest.format != FORMAT or manifest.engine not in {"sqlite", "postgresql"}:
        raise ValueError("another format")
    return manifest


def _write_out(source: IO[bytes], into: Path, manifest: Manifest, tell: TellPhase) -> None:
    done = 0
    with into.open("xb") as target:
        while block := source.read(_BLOCK):
            done += len(block)
            if done > manifest.size_bytes:
                raise ValueError("it is larger than it says")
            target.write(block)
            tell("verify", done, manifest.size_bytes)
        target.flush()
        os.fsync(target.fileno())


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()


@contextmanager
def _workshop(beside: Path | None) -> Iterator[Path]:
    """A folder of our own, where possible on the disk that the result is to be on. Raises StoreUnavailable."""
    try:
        if beside is not None:
            beside.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".camwarden-", dir=beside))
    except OSError as error:
        raise StoreUnavailable(f"{beside or 'the temporary folder'} cannot be written: {error.strerror}") from error
    try:
        yield folder
    except FleetError:
        raise
    except OSError as error:
        raise StoreUnavailable(f"{error.filename or folder}: {error.strerror}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
