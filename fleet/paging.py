"""Keyset paging: a page begins after the last row of the one before, so added rows repeat and hide nothing."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from fleet.errors import Invalid
from fleet.views import Item, Page

MOST_PER_PAGE = 500
_MOST_CURSOR = 200
_MOST_WORDS = 8
_MOST_DIGITS = 3

Query = Select[*tuple[Any, ...]]
AnyRow = Row[*tuple[Any, ...]]


async def read_page(connection: AsyncConnection, query: Query, limit: int) -> tuple[Sequence[AnyRow], bool]:
    """The rows, and whether more follow."""
    size = max(1, min(limit, MOST_PER_PAGE))
    rows = (await connection.execute(query.limit(size + 1))).all()
    return rows[:size], len(rows) > size


async def how_many(connection: AsyncConnection, query: Query) -> int:
    counted: int = (await connection.execute(select(func.count()).select_from(query.subquery()))).scalar_one()
    return counted


def paged(items: Iterable[Item], after: str | None, total: int) -> Page[Item]:
    return Page(tuple(items), after, total)


def two(cursor: str) -> tuple[str, str]:
    """The sort key and the id of the last row. Raises Invalid for what we never gave."""
    first, mark, last = cursor[:_MOST_CURSOR].rpartition("~")
    if not (mark and first and last):
        raise Invalid("this page does not exist: start again at the first one")
    return first, last


def number_and_id(cursor: str) -> tuple[int, str]:
    number, last = two(cursor)
    if not (number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS):
        raise Invalid("this page does not exist: start again at the first one")
    return int(number), last


def words(text: str) -> list[str]:
    """What to search for."""
    return text[:_MOST_CURSOR].casefold().split()[:_MOST_WORDS]


def holds(column: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    return column.icontains(word, autoescape=True)
