"""Keyset paging: a page begins after the last row of the one before, so added rows repeat and hide nothing."""

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from fleet.errors import Invalid
from fleet.store import Store
from fleet.views import Item, Page

MOST_PER_PAGE = 500
_MOST_CURSOR = 200
_MOST_WORDS = 8
_MOST_DIGITS = 3
_MOST_PLACE_DIGITS = 9
_ID = re.compile(r"[0-9a-f-]{36}")
NO_PAGE = "this page does not exist: start again at the first one"

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


async def number(store: Store, key: Hashable, query: Query) -> int:
    """How many rows in all. Of a large estate some seconds old, and kept under that key."""

    async def count() -> int:
        async with store.read() as connection:
            return await how_many(connection, query)

    return await store.summaries.get(key, count)


def paged(items: Iterable[Item], after: str | None, total: int) -> Page[Item]:
    return Page(tuple(items), after, total)


async def newest(
    connection: AsyncConnection, query: Query, by_id: InstrumentedAttribute[str], after: str | None, limit: int
) -> tuple[Sequence[AnyRow], str | None, int]:
    """The newest first, by ids that sort by age: the rows, the cursor behind them, and how many there are in all.

    Raises Invalid for a cursor that no page gave.
    """
    begun = query if after is None else query.where(by_id < an_id(after))
    rows, more = await read_page(connection, begun.order_by(by_id.desc()), limit)
    return rows, rows[-1].id if more else None, await how_many(connection, query)


def of_all(items: Iterable[Item], key: Callable[[Item], str], after: str | None, limit: int) -> Page[Item]:
    """A page of what is short enough to be held whole, in the order of `key`, which tells the items apart."""
    every = sorted(items, key=key)
    left = [item for item in every if after is None or key(item) > after]
    return Page(tuple(left[:limit]), key(left[limit - 1]) if len(left) > limit else None, len(every))


def newest_of(items: Iterable[Item], key: Callable[[Item], str], after: str | None, limit: int) -> Page[Item]:
    """As `of_all`, the newest first, by ids that sort by age. Raises Invalid for a cursor that no page gave."""
    every = sorted(items, key=key, reverse=True)
    left = every if after is None else [item for item in every if key(item) < an_id(after)]
    return Page(tuple(left[:limit]), key(left[limit - 1]) if len(left) > limit else None, len(every))


def in_order(items: Sequence[Item], after: str | None, limit: int) -> Page[Item]:
    """A page of what is short and keeps its order. Raises Invalid for a cursor that no page gave."""
    begin = place(after)
    end = begin + limit
    return Page(tuple(items[begin:end]), str(end) if end < len(items) else None, len(items))


def an_id(cursor: str) -> str:
    """Raises Invalid for what is no id of ours."""
    if not _ID.fullmatch(cursor):
        raise Invalid(NO_PAGE)
    return cursor


def place(cursor: str | None) -> int:
    """How many come before, in a list that keeps its order. Raises Invalid for what we never gave."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _MOST_PLACE_DIGITS):
        raise Invalid(NO_PAGE)
    return int(cursor)


def two(cursor: str) -> tuple[str, str]:
    """The sort key and the id of the last row. Raises Invalid for what we never gave."""
    first, mark, last = cursor[:_MOST_CURSOR].rpartition("~")
    if not (mark and first and last):
        raise Invalid(NO_PAGE)
    return first, last


def number_and_id(cursor: str) -> tuple[int, str]:
    number, last = two(cursor)
    if not (number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS):
        raise Invalid(NO_PAGE)
    return int(number), last


def words(text: str) -> list[str]:
    """What to search for."""
    return text[:_MOST_CURSOR].casefold().split()[:_MOST_WORDS]


def holds(column: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    return column.icontains(word, autoescape=True)
