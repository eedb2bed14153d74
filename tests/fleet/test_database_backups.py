"""Backups of the store: whole, of one moment, made while writing goes on; and brought back without losing anything."""

import asyncio
import gzip
import json
import shutil
import stat
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from fleet import database_backups as backups
from fleet.database_backups import BackupUnusable, backup, restore, verify
from fleet.errors import Busy, FleetError, Invalid
from fleet.evidence import EvidenceFolder
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.store import tables as t
from fleet.store.controller import sole_controller
from fleet.store.ids import new_id
from fleet.store.migrating import blocking_engine, migrate
from fleet.store.pictures_tables import Evidence
from tests.fleet.every_row import contents, fill
from tests.fleet.samples import NOON
from tests.frame.postgresql import PASSWORD, Server


def nobody(_phase: str, _done: int, _of: int) -> None:
    """No one looks at the progress."""


def filled(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """A store with rows in every table, and what they are."""
    settings.home.mkdir(exist_ok=True)
    migrate(settings)
    engine = blocking_engine(settings)
    with engine.begin() as connection:
        fill(connection, rows=2)
    return kept(settings)


def kept(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    with blocking_engine(settings).connect() as connection:
        return contents(connection)


def emptied(settings: Settings) -> None:
    migrate(settings, "base")
    migrate(settings)


def test_what_was_backed_up_is_there_again_and_the_store_before_is_kept(settings: Settings, tmp_path: Path) -> None:
    before, file = filled(settings), tmp_path / "monday.backup"
    made = backup(settings, file, nobody)
    assert made.rows == {name: len(rows) for name, rows in before.items()}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    emptied(settings)
    done = restore(settings, file, nobody)
    assert kept(settings) == before
    assert done.beside is not None
    assert done.manifest == made == verify(file, nobody)


def test_a_backup_goes_into_a_home_without_a_store(
    settings: Settings, tmp_path: Path, database_url: str | None
) -> None:
    before, file = filled(settings), tmp_path / "monday.backup"
    backup(settings, file, nobody)
    if database_url is None:
        settings = settings.model_copy(update={"home": tmp_path / "new home"})
    else:
        migrate(settings, "base")
    done = restore(settings, file, nobody)
    assert kept(settings) == before
    assert database_url is not None or done.beside is None


async def test_a_backup_is_of_one_moment_while_writing_goes_on(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    """Every transaction writes two rows: a backup that holds an odd number of them is of no moment."""
    file, stop = tmp_path / "while-writing.backup", asyncio.Event()

    async def write_on() -> int:
        written = 0
        while not stop.is_set():
            async with store.write() as connection:
                for _ in range(2):
                    await connection.execute(insert(t.SetupToken), [{"token_hash": new_id(), "created_at": NOON}])
                    await asyncio.sleep(0)
            written += 2
        return written

    writing = asyncio.create_task(write_on())
    made = await asyncio.to_thread(backup, settings, file, nobody)
    stop.set()
    written = await writing
    in_it = made.rows["setup_tokens"]
    assert in_it % 2 == 0
    await store.close()
    await asyncio.to_thread(restore, settings, file, nobody)
    async with await open_store(settings) as again, again.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.SetupToken)) == in_it <= written


async def test_a_store_in_use_is_not_overwritten(settings: Settings, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "monday.backup"
    await asyncio.to_thread(backup, settings, file, nobody)
    async with store.write() as connection:
        await connection.execute(insert(t.SetupToken), [{"token_hash": "x", "created_at": NOON}])
    with pytest.raises(Busy, match="in use"):
        await asyncio.to_thread(restore, settings, file, nobody)
    async with store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.SetupToken)) == 1


async def test_it_may_be_restored_by_whoever_is_the_only_controller(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "monday.backup"
    before = await asyncio.to_thread(filled, settings)
    await asyncio.to_thread(backup, settings, file, nobody)
    await asyncio.to_thread(emptied, settings)
    async with sole_controller(settings):
        await asyncio.to_thread(restore, settings, file, nobody)
    assert await asyncio.to_thread(kept, settings) == before


def test_nothing_is_overwritten_by_a_backup(settings: Settings, tmp_path: Path) -> None:
    filled(settings)
    file = tmp_path / "monday.backup"
    file.write_text("something dear")
    with pytest.raises(Invalid, match="exists"):
        backup(settings, file, nobody)
    assert file.read_text() == "something dear"


def test_the_key_and_the_pictures_are_not_in_it_and_it_says_so(settings: Settings, tmp_path: Path) -> None:
    filled(settings)
    (settings.home / "key").write_bytes(b"a-canary-for-a-key")
    digests = [EvidenceFolder(settings.evidence).keep(f"picture {number}".encode()) for number in range(3)]
    with blocking_engine(settings).begin() as connection:
        rows = [{"digest": digest, "kind": "still", "at": NOON, "size_bytes": 9} for digest in digests]
        connection.execute(insert(Evidence), rows)
    (settings.evidence / digests[0][:2] / digests[0]).unlink()
    (settings.evidence / digests[1][:2] / digests[1]).write_bytes(b"another")
    file = tmp_path / "monday.backup"
    made = backup(settings, file, nobody)
    assert dict(made.evidence) == {"listed": 5, "missing": 3, "changed": 1}  # two of them are rows without a file
    assert "key" in made.not_in_it[0]
    with gzip.open(file) as content:
        assert b"a-canary-for-a-key" not in content.read()
    with tarfile.open(file) as archive, closing(archive.extractfile("evidence.jsonl") or file.open("rb")) as lines:
        states = {line["digest"]: line["state"] for line in map(json.loads, lines)}
    assert [states[digest] for digest in digests] == ["missing", "changed", "kept"]


def _cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _another_file(file: Path) -> None:
    file.write_text("this is no backup")


def _rebuilt(file: Path, change: Callable[[str, bytes], bytes]) -> None:
    other = file.with_name("other")
    with tarfile.open(file) as old, tarfile.open(other, "w:gz") as new:
        for member in old.getmembers():
            content = change(member.name, (old.extractfile(member) or file.open("rb")).read())
            part = file.with_name("part")
            part.write_bytes(content)
            new.add(part, member.name)
    other.replace(file)


def _a_flipped_bit(file: Path) -> None:
    _rebuilt(file, lambda name, body: body[:-1] + bytes([body[-1] ^ 1]) if name == "database" else body)


def _manifest(**values: Any) -> Callable[[Path], None]:  # noqa: ANN401 - JSON
    def change(name: str, body: bytes) -> bytes:
        return json.dumps(json.loads(body) | values).encode() if name == "manifest.json" else body

    return lambda file: _rebuilt(file, change)


SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "cut off half-way": (_cut_off, "no whole backup"),
    "no backup at all": (_another_file, "no whole backup"),
    "a flipped bit": (_a_flipped_bit, "damaged"),
    "another format": (_manifest(format="camwarden/backup/9"), "no whole backup"),
    "of a later version": (_manifest(revision="9999"), "later version"),
    "a manifest with more than we know": (_manifest(colour="red"), "no whole backup"),
}


@pytest.mark.parametrize(("spoil", "said"), SPOILT.values(), ids=SPOILT)
def test_a_spoilt_backup_touches_nothing(
    settings: Settings, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    before, file = filled(settings), tmp_path / "monday.backup"
    backup(settings, file, nobody)
    spoil(file)
    with pytest.raises(BackupUnusable, match=said):
        restore(settings, file, nobody)
    assert kept(settings) == before


def test_a_backup_of_one_engine_is_not_for_the_other(tmp_path: Path, postgresql: Server) -> None:
    here, file = Settings(home=tmp_path / "home"), tmp_path / "monday.backup"
    filled(here)
    backup(here, file, nobody)
    there = here.model_copy(update={"database_url": postgresql.url("postgres")})
    with pytest.raises(BackupUnusable, match="backup of sqlite"):
        restore(there, file, nobody)


def test_a_damaged_sqlite_store_is_kept_beside_and_told_of(tmp_path: Path) -> None:
    settings, file = Settings(home=tmp_path / "home"), tmp_path / "monday.backup"
    before = filled(settings)
    backup(settings, file, nobody)
    settings.database.write_bytes(b"no database any more" * 500)
    with pytest.raises(FleetError):
        backups.check(settings, nobody)
    done = restore(settings, file, nobody)
    assert kept(settings) == before
    assert Path(done.beside or "").read_bytes().startswith(b"no database any more")


def test_what_is_missing_on_path_is_said(tmp_path: Path, postgresql: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    name = postgresql.migrated_database()
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = Settings(home=tmp_path / "home", database_url=postgresql.url(name))
    with pytest.raises(Invalid, match="pg_dump is not on PATH"):
        backup(settings, tmp_path / "monday.backup", nobody)
    postgresql.drop(name)


def test_a_password_is_not_on_the_command_line_of_the_programs(
    tmp_path: Path, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, seen = postgresql.migrated_database(), tmp_path / "seen"
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pg_dump"
    program.write_text(f'#!/bin/sh\necho "$@" > {seen}\nexec /usr/bin/env -u NOTHING {_real("pg_dump")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    url = postgresql.tcp_url(name)
    settings = Settings(home=tmp_path / "home", database_url=url, database_password_file=secret)
    backup(settings, tmp_path / "monday.backup", nobody)
    assert "dbname" in seen.read_text()
    assert PASSWORD not in seen.read_text()
    postgresql.drop(name)


def _real(name: str) -> str:
    return shutil.which(name) or name
