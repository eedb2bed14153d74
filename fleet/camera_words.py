"""Which cameras hold a word in their name, address, manufacturer, model, serial number or MAC: any part of them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.paging import holds
from fleet.store.tables import Camera
from fleet.words import Column

WORDS = Column(Camera.id, Camera.search, Camera.worded)


async def mentioning(connection: AsyncConnection, words: Sequence[str]) -> list[ColumnElement[bool]]:
    """The conditions on a camera whose words hold each of these; none without words."""
    if not words:
        return []
    candidates = await WORDS.holding(connection, words)
    every: list[ColumnElement[bool]] = [holds(Camera.search, word) for word in words]
    return every if candidates is None else [Camera.id.in_(candidates), *every]
