"""A whole database copied while others write, and put in the place of another. All of it blocks."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from fleet.errors import Busy, Invalid, StoreUnavailable
from fleet.settings import Settings
from fleet.store.postgresql import CONTROLLER, name_of, parameters
from fleet.store.refusals import unavailable
from fleet.store.tables import Base

# How far it is, and how far it is to go; bytes, roughly.
Tell = Callable[[int, int], None]
_PAGES_AT_ONCE = 2000
_TOLD_EVERY_S = 0.25
_VERSIONS = "alembic_version"


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds. `schema` is PostgreSQL's, "" for SQLite."""

    revision: str
    schema: str
    rows: Mapping[str, int]


def tables() -> tuple[str, ...]:
    return (*sorted(Base.metadata.tables), _VERSIONS)


# --- SQLite -----------------------------------------------------------------------------------------------------------


def copy_sqlite(database: Path, into: Path, tell: Tell) -> Copied:
    """One moment of it, by SQLite's own backup: writers go on meanwhile. Raises StoreUnavailable."""
    os.close(os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(_only_reading(database)) as source, closing(sqlite3.connect(into)) as target:
            page = int(source.execute("PRAGMA page_size").fetchone()[0])
            # The transaction keeps our moment: without it, every write of another process would begin the copy anew.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            source.backup(
                target,
                pages=_PAGES_AT_ONCE,
                progress=lambda _, left, total: tell((total - left) * page, total * page),
                sleep=0,
            )
            target.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise unavailable("copied", error) from error
    return check_sqlite(into)


def check_sqlite(database: Path) -> Copied:
    """Every page and every reference of it. Raises StoreUnavailable for one that is damaged or none of ours."""
    try:
        with closing(_only_reading(database)) as connection:
            for look in ("PRAGMA integrity_check(1)", "PRAGMA foreign_key_check"):
                found = connection.execute(look).fetchone()
                if found not in {None, ("ok",)}:
                    raise StoreUnavailable(f"{database} is damaged: {' '.join(map(str, found))}")
            there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if _VERSIONS not in there:
                raise StoreUnavailable(f"{database} is no database of Camwarden")
            revision = connection.execute(f"SELECT version_num FROM {_VERSIONS}").fetchone()  # noqa: S608 - our constant
            names = [name for name in tables() if name in there]
            rows = {name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names}  # noqa: S608 - names of our tables
    except sqlite3.Error as error:
        raise unavailable("read", error) from error
    return Copied(str(revision[0]) if revision else "", "", rows)


def replace_sqlite(database: Path, new: Path, at: datetime) -> Path | None:
    """Put `new` in its place; where the old one is now, `None` where there was none. Raises Busy where it is open."""
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = None
    if database.exists():
        beside = database.with_name(f"{database.name}.before-{at:%Y%m%dT%H%M%SZ}")
        if not _folded(database):  # damaged: its log goes beside as it is
            for end in ("-wal", "-shm"):
                with_end = Path(f"{database}{end}")
                if with_end.exists():
                    with_end.rename(f"{beside}{end}")
        os.link(database, beside)
    new.replace(database)
    _to_disk(database.parent)
    return beside


def _folded(database: Path) -> bool:
    """Its log written into it, so that it is one file. Whether it is a database at all. Raises Busy."""
    try:
        with closing(sqlite3.connect(database, timeout=1, isolation_level=None)) as connection:
            # Needs the file for itself: refused while anybody else has it open.
            mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise Busy(f"{database} is in use: stop the service and every command on it first") from None
        return False
    except sqlite3.DatabaseError:
        return False
    return str(mode) == "delete"


def _only_reading(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# What the triggers of our tables call: a dump of tables does not hold it, and a new database does not have it.
_FUNCTIONS = """
CREATE OR REPLACE FUNCTION {schema}.audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$;
"""

# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def dump_postgresql(settings: Settings, into: Path, tell: Tell) -> Copied:
    """One moment of our tables, by pg_dump. Raises StoreUnavailable, Invalid where pg_dump is missing."""
    program = _program("pg_dump")
    with _connected(settings) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        moment = _one(connection, "SELECT pg_export_snapshot()")
        copied = _look(connection)
        size = int(_one(connection, "SELECT pg_database_size(current_database())"))
        wanted = [f"--table={_quoted(copied.schema)}.{_quoted(name)}" for name in copied.rows]
        command = [program, "--format=custom", f"--snapshot={moment}", f"--file={into}", "--no-password", *wanted]
        with _called(settings, command) as process:
            while process.poll() is None:
                _wait(process)
                tell(min(into.stat().st_size if into.exists() else 0, size), size)
    return copied


def look_at_postgresql(settings: Settings) -> Copied:
    """Revision and rows of a database. Raises StoreUnavailable."""
    with _connected(settings) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return _look(connection)


def check_dump(dump: Path) -> None:
    """Raises StoreUnavailable for a file that pg_restore cannot read to its end, Invalid where that is missing."""
    _run([_program("pg_restore"), "--file=/dev/null", str(dump)])


def replace_postgresql(settings: Settings, dump: Path, schema: str, at: datetime) -> str | None:
    """Put the tables of `dump` in the place of ours, in one transaction; the schema that holds the old ones now.

    Raises Busy where somebody is connected, Invalid, StoreUnavailable.
    """
    program, restore = _program("psql"), _program("pg_restore")
    with _connected(settings) as connection:
        here = str(_one(connection, "SELECT current_schema()"))
        if schema != here:
            raise Invalid(f"the backup is of schema {schema}, and this database works in {here}")
        _alone(connection)
        old = _ours(connection, here)
        beside = f"before_{at:%Y%m%dt%H%M%Sz}"
        moves = _moves(connection, here, beside, old)
    before, after = dump.with_name("before.sql"), dump.with_name("after.sql")
    before.write_text(moves + _FUNCTIONS.format(schema=_quoted(here)), encoding="utf-8")
    _run([restore, "--no-owner", "--no-privileges", f"--file={after}", str(dump)])
    command = [program, "--no-psqlrc", "--quiet", "--no-password", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    with _called(settings, [*command, f"--file={before}", f"--file={after}"], output=subprocess.DEVNULL) as process:
        while process.poll() is None:
            _wait(process)
    return beside if old else None


def _alone(connection: psycopg.Connection[Any]) -> None:
    """Nobody else is connected, but for this process as the only controller. Raises Busy."""
    others = connection.execute(
        "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend' AND application_name <> %s",
        (name_of(CONTROLLER),),
    ).fetchall()
    if others:
        names = ", ".join(sorted({str(name or "a program without a name") for (name,) in others})[:5])
        raise Busy(f"this database is in use by {names}: stop the service and every command on it first")


def _moves(connection: psycopg.Connection[Any], here: str, beside: str, old: list[str]) -> str:
    if not old:
        return ""
    lines = [sql.SQL("CREATE SCHEMA {};").format(sql.Identifier(beside))]
    lines += [
        sql.SQL("ALTER TABLE {} SET SCHEMA {};").format(sql.Identifier(here, name), sql.Identifier(beside))
        for name in old
    ]
    return sql.SQL("\n").join(lines).as_string(connection) + "\n"


def _look(connection: psycopg.Connection[Any]) -> Copied:
    schema = str(_one(connection, "SELECT current_schema()"))
    there = _ours(connection, schema)
    if _VERSIONS not in there:
        raise StoreUnavailable("this database holds no tables of Camwarden")
    count = sql.SQL("SELECT count(*) FROM {}")
    rows = {name: int(_one(connection, count.format(sql.Identifier(schema, name)))) for name in there}
    return Copied(str(_one(connection, "SELECT max(version_num) FROM alembic_version")), schema, rows)


def _ours(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    """Our tables that are there, whether or not they are of the newest revision."""
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (schema,)).fetchall()
    return [name for (name,) in found if name in tables()]


def _one(connection: psycopg.Connection[Any], query: str | sql.Composed) -> Any:  # noqa: ANN401 - a value of a row
    row = connection.execute(query.encode() if isinstance(query, str) else query).fetchone()
    return row[0] if row else None


@contextmanager
def _connected(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    try:
        with psycopg.connect(**parameters(settings)) as connection:
            yield connection
    except psycopg.Error as error:
        raise unavailable("reached", error) from None


# --- programs ---------------------------------------------------------------------------------------------------------


def _program(name: str) -> str:
    """Raises Invalid."""
    if found := shutil.which(name):
        return found
    raise Invalid(f"{name} is not on PATH: `sudo apt-get install postgresql-client`, of the server's version or newer")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")  # noqa: S603 - ours
    if done.returncode:
        raise StoreUnavailable(f"{Path(command[0]).name}: {_last_words(done.stderr)}")


@contextmanager
def _called(settings: Settings, command: list[str], output: int | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    """A program that connects as we do. The password is in its environment, never on its command line."""
    wanted = parameters(settings)
    password = wanted.pop("password", None)
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    words = [*command, f"--dbname={make_conninfo(**wanted)}"]
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(  # noqa: S603 - found on PATH by name
            words, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=said
        ) as process:
            try:
                yield process
            except BaseException:
                process.terminate()
                raise
        said.seek(0)
        if process.returncode:
            raise StoreUnavailable(f"{Path(command[0]).name}: {_last_words(said.read().decode('utf-8', 'replace'))}")


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_TOLD_EVERY_S)
    except subprocess.TimeoutExpired:
        return


def _last_words(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it failed without a word"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
