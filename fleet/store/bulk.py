"""Very many rows at once, at a good part of the driver's own speed: its executemany in SQLite, COPY in PostgreSQL."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from operator import itemgetter
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import JSON, Dialect, String, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import DeclarativeBase

from fleet.store.refusals import no_text
from fleet.store.tables import Utc

_AT_ONCE = 20_000
_MOMENT_CHARACTERS = len("2026-03-01 12:00:00.000000")
_BETWEEN_TURNS = 500  # rows after which other tasks have theirs
Values = Sequence[object]
Convert = Callable[[Any], Any]


async def bulk_insert(
    connection: AsyncConnection, table: type[DeclarativeBase], rows: Iterable[Mapping[str, Any]]
) -> int:
    """Add rows that all have the columns of the first one; how many there were. Part of the caller's transaction.

    Each is stored as `insert(table)` would store it. Raises what the store raises for any other statement.
    """
    pending = iter(rows)
    first = next(pending, None)
    if first is None:
        return 0
    whole = cast("Table", table.__table__)
    names, dialect = list(first), connection.dialect
    converted = _converted(chain([first], pending), names, [_convert(whole, name, dialect) for name in names])
    copy = _copy if dialect.name == "postgresql" else _many
    return await copy(connection, whole.name, names, converted)


async def _many(connection: AsyncConnection, table: str, names: Sequence[str], rows: Iterator[Values]) -> int:
    """SQLite: read, converted and bound in the driver's thread."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    columns = ", ".join(f'"{name}"' for name in names)
    statement = f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join("?" * len(names))})'  # noqa: S608 - our names
    added = 0
    while True:
        try:
            async with driver.executemany(statement, islice(rows, _AT_ONCE)) as done:
                taken: int = max(0, done.rowcount)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _wrapped(error) from None
        added += taken
        if taken < _AT_ONCE:
            return added


async def _copy(connection: AsyncConnection, table: str, names: Sequence[str], rows: Iterator[Values]) -> int:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)
    added = 0
    try:
        async with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                # Rows become text in its buffer; only a full one is worth a coroutine.
                if full := copy.formatter.write_row(row):
                    await copy.write(full)
                added += 1
                if not added % _BETWEEN_TURNS:
                    await asyncio.sleep(0)
    except psycopg.Error as error:
        raise _wrapped(error) from None
    return added


def _wrapped(error: Exception) -> DBAPIError:
    """As SQLAlchemy has it, so that the store says it in its own words."""
    return DBAPIError("a bulk insert", None, error, hide_parameters=True)


def _converted(
    rows: Iterable[Mapping[str, Any]], names: Sequence[str], converters: Sequence[Convert | None]
) -> Iterator[Values]:
    """Plain columns cost nothing; only those that a type changes, or that must be looked at, are touched one by one."""
    get = itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)
    texts = [place for place, convert in enumerate(converters) if convert is _text]
    changed = [(place, convert) for place, convert in enumerate(converters) if convert and convert is not _text]
    for row in rows:
        values = list(get(row))
        for place in texts:
            if (text := values[place]) and "\0" in text:
                raise no_text()
        for place, convert in changed:
            values[place] = convert(values[place])
        yield values


def _convert(table: Table, name: str, dialect: Dialect) -> Convert | None:
    kind = table.columns[name].type
    if isinstance(kind, Utc) and dialect.name == "sqlite":
        return _moments()
    if isinstance(kind, String):
        return _text if dialect.name == "sqlite" else None
    convert = cast("Convert | None", kind.dialect_impl(dialect).bind_processor(dialect))
    return _but_empty(convert) if convert and isinstance(kind, JSON) and dialect.name == "sqlite" else convert


def _text(value: str | None) -> str | None:
    """Stands for a column whose text is looked at in place: a call for each would cost as much as its insertion."""
    return value


def _but_empty(convert: Convert) -> Convert:
    """Most of what is seen has nothing to say: an empty mapping is written without its encoder."""
    return lambda value: "{}" if value.__class__ is dict and not value else convert(value)


def _moments() -> Convert:
    """Very many rows are of one moment, which is written once."""
    before, written = None, None

    def convert(value: datetime | None) -> str | None:
        nonlocal before, written
        if value is not before:
            before, written = value, _moment(value)
        return written

    return convert


def _moment(value: datetime | None) -> str | None:
    """As SQLAlchemy writes a moment into SQLite: always with microseconds, without a zone."""
    if value is None:
        return None
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat(" ", "microseconds")[:_MOMENT_CHARACTERS]
