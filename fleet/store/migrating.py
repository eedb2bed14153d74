"""The schema: which revision a database has, and the way to another one."""

import threading
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from fleet.settings import Settings
from fleet.store import postgresql, sqlite
from fleet.store.opened import WRITING
from fleet.store.tables import Base

_ONE_AT_A_TIME = threading.Lock()  # Alembic keeps what it works on in a module
_MIGRATIONS = Path(__file__).parent / "migrations"
_OTHER_ORDER = text(
    """
    SELECT quote_ident(c.relname) AS name,
           string_agg(format('ALTER %I TYPE %s COLLATE "C"', a.attname, format_type(a.atttypid, a.atttypmod)), ', ')
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation o ON o.oid = a.attcollation
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT a.attisdropped AND o.collname = 'default' AND c.relname = ANY(:ours)
    GROUP BY c.relname
    """
)


def blocking_engine(settings: Settings) -> Engine:
    """For schema changes and for looking at the whole database. Raises SettingsError."""
    if settings.database_url:
        return postgresql.blocking_engine(settings)
    return sqlite.blocking_engine(settings.database)


def migrate(settings: Settings, revision: str = "head") -> None:
    """Bring the schema to that revision, up or down ("base" is before the first): whole or not at all. Blocks."""
    engine = blocking_engine(settings)
    config = _config()
    with (
        _ONE_AT_A_TIME,
        engine.execution_options(**{WRITING: "off" if settings.database_url else "NORMAL"}).begin() as connection,
    ):
        config.attributes["connection"] = connection
        before = set(MigrationContext.configure(connection).get_current_heads())
        if revision == "head" and before == {newest()}:
            return
        direction = command.downgrade if _is_down(config, before, revision) else command.upgrade
        direction(config, revision)
        if connection.dialect.name == "postgresql" and before != revision_of(connection):
            _order_text_by_code_point(connection)


@cache
def newest() -> str:
    """The revision that this version of the program works with."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def is_known(revision: str) -> bool:
    return any(revision == script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def revision_of(connection: Connection) -> set[str]:
    """Empty for a database without our tables."""
    return set(MigrationContext.configure(connection).get_current_heads())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _is_down(config: Config, before: set[str], revision: str) -> bool:
    if revision in {"base", "head"}:
        return revision == "base"
    passed = {script.revision for script in ScriptDirectory.from_config(config).iterate_revisions(revision, "base")}
    return bool(before) and not before <= passed


def _order_text_by_code_point(connection: Connection) -> None:
    """As SQLite does, whatever language the server was set up in: ids, addresses and names stand in the same order.

    An index then serves the beginning of a word, too.
    """
    for table, changes in connection.execute(_OTHER_ORDER, {"ours": list(Base.metadata.tables)}).all():
        connection.exec_driver_sql(f"ALTER TABLE {table} {changes}".replace("%", "%%"))
