"""Which cameras hold a word in their name, address, manufacturer, model, serial number or MAC: any part of them.

No index of either engine finds the middle of a word without an extension, which a plain role may not add and a backup
then needs. The words of a hundred thousand cameras are ten megabytes: they are kept in memory from the first search
on, where they are looked through in a few milliseconds, and before each search what was written since is read. What is
found are candidates, which the query that shows them judges by its own snapshot.
"""

import asyncio
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.paging import holds
from fleet.store.engine import place_of
from fleet.store.tables import Camera

# More are not told one by one: a walk in the order of the list soon finds a page of them.
MOST_CANDIDATES = 1000
_AT_ONCE = 10_000
_KEPT = "camera words"
_BETWEEN = b"\0"  # no text that is stored holds it


class CameraWords:
    """One per store. Entries are only added; a camera whose words changed has several, until all are read anew."""

    def __init__(self) -> None:
        self._reading = asyncio.Lock()
        self._forget()

    def _forget(self) -> None:
        self._text, self._ids, self._starts, self._worded, self._first = bytearray(), list[str](), array("Q"), -1, 0

    async def holding(self, connection: AsyncConnection, words: Sequence[str]) -> list[str] | None:
        """Ids of the cameras that may hold every word, `None` where they are more than `MOST_CANDIDATES`."""
        async with self._reading:
            await self._catch_up(connection)
            found: dict[str, None] = {}
            for place in self._entries([word.encode() for word in words]):
                found[self._ids[place]] = None
                if len(found) > MOST_CANDIDATES:
                    return None
            return list(found)

    async def _catch_up(self, connection: AsyncConnection) -> None:
        newest = await connection.scalar(select(func.max(Camera.worded)))
        if newest is None or newest <= self._worded:
            return
        if len(self._ids) > 2 * self._first + MOST_CANDIDATES:
            self._forget()
        whole = self._worded < 0
        order = (Camera.worded, Camera.id)
        query = select(Camera.id, Camera.search, Camera.worded).order_by(*order).limit(_AT_ONCE)
        begun = query.where(Camera.worded > self._worded)
        while rows := (await connection.execute(begun)).all():
            for row in rows:
                self._starts.append(len(self._text))
                self._ids.append(row.id)
                self._text += row.search.encode() + _BETWEEN
            begun = query.where(tuple_(*order) > tuple_(rows[-1].worded, rows[-1].id))
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


async def mentioning(connection: AsyncConnection, words: Sequence[str]) -> list[ColumnElement[bool]]:
    """The conditions on a camera whose words hold each of these; none without words."""
    if not words:
        return []
    kept: CameraWords = place_of(connection).kept.setdefault(_KEPT, CameraWords())
    candidates = await kept.holding(connection, words)
    every: list[ColumnElement[bool]] = [holds(Camera.search, word) for word in words]
    return every if candidates is None else [Camera.id.in_(candidates), *every]


async def next_number(connection: AsyncConnection) -> int:
    """For a row whose words are written now; writers wait for each other, so it is the highest."""
    return (await connection.scalar(select(func.max(Camera.worded))) or 0) + 1
