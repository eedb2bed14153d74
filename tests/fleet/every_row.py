"""A row in every table, made of its columns: for what must hold whatever is stored."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, DateTime, Float, Integer, LargeBinary, MetaData, Table

MOMENT = datetime(2026, 3, 1, 12, 0, 0, 123456)  # noqa: DTZ001 - as it is stored: without a zone, in UTC
_VALUES: dict[type[Any], Any] = {
    Boolean: True,
    DateTime: MOMENT,
    Float: 1.5,
    Integer: 3,
    LargeBinary: b"\x00\xff bytes",
    JSON: {"b": [1, None, True, 1.5], "a": "é \u0000 \U0001f600"},
}


def value(column: Column[Any], number: int) -> object:
    """The same for each column of that name, so that what refers to another row finds it. A `seq` has no gaps."""
    if column.name in ("seq", "number"):
        return number + 1
    for kind, made in _VALUES.items():
        if isinstance(column.type, kind):
            return made
    return f"row {number}"


def fill(connection: Connection, *, rows: int = 1) -> None:
    """Into every table that is there now and empty, whatever revision that is."""
    metadata = MetaData()
    metadata.reflect(connection)
    for table in metadata.sorted_tables:
        if table.name != "alembic_version" and connection.execute(table.select().limit(1)).first() is None:
            connection.execute(table.insert(), [_row(table, number) for number in range(rows)])


def _row(table: Table, number: int) -> dict[str, object]:
    return {column.name: value(column, number) for column in table.columns}


def contents(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, in an order that no engine decides."""
    metadata = MetaData()
    metadata.reflect(connection)
    return {
        table.name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
        for table in metadata.sorted_tables
    }
