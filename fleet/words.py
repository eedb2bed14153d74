"""Which rows of a table hold a word: any part of what is written there.

No index of either engine finds the middle of a word without an extension, which a plain role may not add and a backup
then needs. The words of a hundred thousand cameras are ten megabytes: they are kept in memory from the first search
on, where they are looked through in a few milliseconds, and before each search what was written since is read. What is
found are candidates, which the query that shows them judges by its own snapshot.
"""

import asyncio
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from fleet.store.engine import place_of

# More are not told one by one: a walk in the order of the list soon finds a page of them.
MOST_CANDIDATES = 1000
_AT_ONCE = 10_000
_MOST_FOUND = 50  # the same is asked for each page of a list, and for its count
_BETWEEN = b"\0"  # no text that is stored holds it


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """What is looked through: casefolded `text`, of the row `id`. `worded` rises with every row that is written."""

    id: InstrumentedAttribute[Any]
    text: InstrumentedAttribute[str]
    worded: InstrumentedAttribute[int]

    async def next_number(self, connection: AsyncConnection) -> int:
        """For rows whose words are written now; writers wait for each other, so it is the highest."""
        return (await connection.scalar(select(func.max(self.worded))) or 0) + 1

    async def holding(self, connection: AsyncConnection, words: Sequence[str]) -> list[Any] | None:
        """Ids of the rows that may hold every word, `None` where they are more than `MOST_CANDIDATES`."""
        kept: _Words = place_of(connection).kept.setdefault(self, _Words(self))
        return await kept.holding(connection, words)


class _Words:
    """One per store. Entries are only added; a row whose words changed has several, until all are read anew."""

    def __init__(self, column: Column) -> None:
        self._column = column
        self._reading = asyncio.Lock()
        self._forget()

    def _forget(self) -> None:
        self._text, self._ids, self._starts, self._worded, self._first = bytearray(), list[Any](), array("Q"), -1, 0
        self._found: dict[tuple[str, ...], list[Any] | None] = {}

    async def holding(self, connection: AsyncConnection, words: Sequence[str]) -> list[Any] | None:
        async with self._reading:
            await self._catch_up(connection)
            asked = tuple(words)
            if asked not in self._found:
                if len(self._found) >= _MOST_FOUND:
                    del self._found[next(iter(self._found))]
                self._found[asked] = self._look(asked)
            return self._found[asked]

    def _look(self, words: Sequence[str]) -> list[Any] | None:
        found: dict[Any, None] = {}
        for place in self._entries([word.encode() for word in words]):
            found[self._ids[place]] = None
            if len(found) > MOST_CANDIDATES:
                return None
        return list(found)

    async def _catch_up(self, connection: AsyncConnection) -> None:
        of = self._column
        newest = await connection.scalar(select(func.max(of.worded)))
        if newest is None or newest <= self._worded:
            return
        if len(self._ids) > 2 * self._first + MOST_CANDIDATES:
            self._forget()
        self._found = {}
        whole = self._worded < 0
        order = (of.worded, of.id)
        query = select(of.id, of.text, of.worded).order_by(*order).limit(_AT_ONCE)
        begun = query.where(of.worded > self._worded)
        while rows := (await connection.execute(begun)).all():
            for id_, text, _ in rows:
                self._starts.append(len(self._text))
                self._ids.append(id_)
                self._text += text.encode() + _BETWEEN
            last_id, _, last_worded = rows[-1]
            begun = query.where(tuple_(*order) > tuple_(last_worded, last_id))
        self._worded = newest
        if whole:
            self._first = len(self._ids)

    def _entries(self, words: Sequence[bytes]) -> Iterator[int]:
        """Those that hold every word, each once. The longest is the rarest, and is looked for first."""
        rarest = max(words, key=len)
        at = self._text.find(rarest)
        while at >= 0:
            place = bisect_right(self._starts, at) - 1
            begin = self._starts[place]
            end = self._text.index(_BETWEEN, at)
            if all(self._text.find(word, begin, end) >= 0 for word in words):
                yield place
            at = self._text.find(rarest, end)
