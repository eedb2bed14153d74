"""The wall of pictures as somebody wants to see it: filtered, in pages, with the age of each picture in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from fleet.pictures.views import Tile
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


def page_of(tiles: Sequence[Tile], wanted: WallFilter, after: str | None, limit: int = MOST_AT_ONCE) -> Page[Tile]:
    """`after` counts the cameras before; what is no number begins at the first."""
    found = [tile for tile in tiles if _fits(tile, wanted)]
    start = int(after) if after and after.isascii() and after.isdecimal() and len(after) < 8 else 0  # noqa: PLR2004
    end = start + limit
    return Page(tuple(found[start:end]), str(end) if end < len(found) else None, len(found))


def _fits(tile: Tile, wanted: WallFilter) -> bool:
    text = wanted.text.casefold()
    return (
        (not wanted.faults or bool(tile.open_faults))
        and wanted.condition in {None, tile.condition}
        and (text in tile.address.casefold() or text in (tile.name or "").casefold())
    )
