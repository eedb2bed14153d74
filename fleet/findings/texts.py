"""What findings say, each text once, whoever says it: a hundred thousand cameras say much the same of themselves.

A finding names its text by a number that follows from the text, so that no other table is asked when one is written.
"""

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Select, and_, case, delete, exists, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet import camera_words
from fleet.store.parts import parts
from fleet.store.tables import Camera, Finding, FindingText
from fleet.store.upserts import upsert
from fleet.words import MOST_CANDIDATES, Column

WORDS = Column(FindingText.number, FindingText.text, FindingText.worded)
_ADD = upsert(FindingText).on_conflict_do_nothing()


def text_of(check: str, subject: str, summary: str) -> str:
    return f"{check}\n{subject}\n{summary}".casefold()


def number_of(text: str) -> int:
    """63 bits of its SHA-256: two texts of the same number would only be found together."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1


async def keep(connection: AsyncConnection, texts: Mapping[int, str]) -> None:
    """Those that are not there yet, by their numbers."""
    known: set[int] = set()
    for some in parts(texts):
        known |= set(await connection.scalars(select(FindingText.number).where(FindingText.number.in_(some))))
    new = {number: text for number, text in texts.items() if number not in known}
    if new:
        worded = await WORDS.next_number(connection)
        rows = [{"number": number, "text": text, "worded": worded} for number, text in new.items()]
        await connection.execute(_ADD, rows)


def unsaid() -> Select[int]:
    """Texts that no finding says any more, but for the newest: what is written next is newer than whatever was read."""
    said = exists().where(Finding.said == FindingText.number)
    newest = select(func.max(FindingText.worded)).scalar_subquery()
    return select(FindingText.number).where(~said, FindingText.worded < newest)


async def forget(connection: AsyncConnection, most: int) -> int:
    """Of those that are unsaid so many at once; how many there were."""
    old = unsaid().limit(most)
    return (await connection.execute(delete(FindingText).where(FindingText.number.in_(old)))).rowcount


async def narrowed(
    connection: AsyncConnection,
    conditions: Sequence[ColumnElement[bool]],
    words: Sequence[str],
    *,
    of_cameras: bool = True,
) -> list[ColumnElement[bool]]:
    """These conditions on a finding, and that each word is in what it says or, with `of_cameras`, in the words of its
    camera.

    Few findings are named, wherever they stand in a list; of many, a walk in the order of the list soon finds a page.
    """
    named: set[str] | None = None
    every = []
    for word in words:
        found = await _findings(connection, word, of_cameras=of_cameras)
        if found is None:
            every.append(_says(word, of_cameras=of_cameras))
        else:
            named = found if named is None else named & found
    if named is None:
        return [*conditions, *every]
    if not named:
        return [false()]  # SQLite looks through all rows for one of an empty list
    # As one value, so that no other index is taken than that of the names.
    fits = case((and_(*conditions, *every), 1), else_=0)
    return [Finding.id.in_(named), fits == 1]


async def _findings(connection: AsyncConnection, word: str, *, of_cameras: bool) -> set[str] | None:
    numbers = await WORDS.holding(connection, [word])
    cameras: Sequence[str] | None = []
    if of_cameras:
        mentioned = await camera_words.mentioning(connection, [word])
        cameras = await _at_most(connection, select(Camera.id).where(*mentioned))
    if numbers is None or cameras is None:
        return None
    said = await _at_most(connection, select(Finding.id).where(Finding.said.in_(numbers)))
    theirs = await _at_most(connection, select(Finding.id).where(Finding.camera.in_(cameras)))
    return None if said is None or theirs is None else {*said, *theirs}


def _says(word: str, *, of_cameras: bool) -> ColumnElement[bool]:
    """Looked up row by row: asked whether such a text exists, PostgreSQL would first look through all of them."""
    text = select(FindingText.text).where(FindingText.number == Finding.said).correlate(Finding).scalar_subquery()
    if not of_cameras:
        return text.contains(word, autoescape=True)
    of_camera = select(Camera.search).where(Camera.id == Finding.camera).correlate(Finding).scalar_subquery()
    return or_(text.contains(word, autoescape=True), of_camera.contains(word, autoescape=True))


async def _at_most(connection: AsyncConnection, query: Select[str]) -> Sequence[str] | None:
    """`None` where they are more than `MOST_CANDIDATES`."""
    found = (await connection.scalars(query.limit(MOST_CANDIDATES + 1))).all()
    return found if len(found) <= MOST_CANDIDATES else None
