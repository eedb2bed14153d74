"""The wall of pictures as somebody wants to see it: filtered, in pages, with the age of each picture in words."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, String, cast, false, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.camera_words import mentioning
from fleet.errors import Invalid
from fleet.paging import NO_PAGE, number, read_page, two, words
from fleet.people.scope import EVERYWHERE, Scope
from fleet.pictures import rows as picture_rows
from fleet.pictures.views import Tile
from fleet.standing import COUNTED
from fleet.store import Store
from fleet.store.pictures_tables import PictureWatch
from fleet.store.tables import Camera
from fleet.views import Page
from health.conditions import Condition

MOST_AT_ONCE = 48
_MISSED = 3
_AT_LEAST = timedelta(hours=3)


class Age(StrEnum):
    FRESH = "fresh"
    OLD = "old"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class WallFilter:
    """`faults`: only cameras with an open fault. `text` is looked for in name and address."""

    text: str = ""
    faults: bool = False
    condition: Condition | None = None


def age_of(tile: Tile, picture_minutes: int) -> Age:
    """Old is a picture after three missed checks, and never before three hours."""
    if tile.age_s is None:
        return Age.NEVER
    most = max(_AT_LEAST, _MISSED * timedelta(minutes=picture_minutes))
    return Age.OLD if tile.age_s > most.total_seconds() else Age.FRESH


async def page_of(
    store: Store,
    wanted: WallFilter | None = None,
    after: str | None = None,
    limit: int = MOST_AT_ONCE,
    scope: Scope = EVERYWHERE,
) -> Page[Tile]:
    """Cameras with an open fault first, then the longest unseen; those of one moment in the order they were found.

    Raises Invalid for a cursor that we never gave.
    """
    wanted = wanted or WallFilter()
    order = (PictureWatch.well, PictureWatch.seen_at, PictureWatch.camera)
    columns = (Camera.id, Camera.name, Camera.address, Camera.port, PictureWatch)
    async with store.read() as connection:
        conditions = [*_conditions(wanted), *await _mentioning(connection, wanted.text), COUNTED, scope.at(Camera.site)]
        query = select(*columns).join(Camera, Camera.id == PictureWatch.camera).where(*conditions)
        begun = query.where(tuple_(*order) > tuple_(*start)) if (start := _start(after)) else query
        rows, more = await read_page(connection, begun.order_by(*order), limit)
        raised = await picture_rows.open_faults(connection, [row.id for row in rows])
    total = await number(store, ("wall", wanted, scope), query.with_only_columns(PictureWatch.camera))
    now = store.now()
    tiles = tuple(picture_rows.tile_of(row, raised.get(row.id, ()), now) for row in rows)
    last = f"{int(rows[-1].well)}~{rows[-1].seen_at.replace(tzinfo=None).isoformat()}~{rows[-1].id}" if more else None
    return Page(tiles, last, total)


def _start(after: str | None) -> tuple[bool, datetime, str] | None:
    """Raises Invalid for what we never gave."""
    if after is None:
        return None
    place, camera = two(after)
    well, _, seen_at = place.partition("~")
    try:
        moment = datetime.fromisoformat(seen_at)
    except ValueError:
        raise Invalid(NO_PAGE) from None
    # Written without a zone: the plus of one would not outlive an address.
    if well not in {"0", "1"} or moment.tzinfo is not None:
        raise Invalid(NO_PAGE)
    return well == "1", moment.replace(tzinfo=UTC), camera


def _conditions(wanted: WallFilter) -> list[ColumnElement[bool]]:
    """`well` is asked for where it narrows nothing, so that the order is that of an index."""
    conditions: list[ColumnElement[bool]] = [PictureWatch.well == false()] if wanted.faults else []
    return conditions + ([PictureWatch.condition == wanted.condition] if wanted.condition else [])


async def _mentioning(connection: AsyncConnection, text: str) -> list[ColumnElement[bool]]:
    """In the name, or in the address with its port. Of the words that the list of cameras looks through, the port is
    none."""
    if not text:
        return []
    place = Camera.address + ":" + cast(Camera.port, String)
    said: ColumnElement[bool] = or_(*(part.icontains(text, autoescape=True) for part in (Camera.name, place)))
    few = [] if ":" in text else await mentioning(connection, words(text))
    return [*few, said]
