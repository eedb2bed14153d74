"""By the REST API: cameras that lists say are there."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from pydantic import Field

from fleet.expected import rows, sheet
from fleet.expected.rows import ExpectedRow, Import, Known
from fleet.people.permissions import Permission
from fleet.views import Page
from web.api_words import MOST_TEXT, After, Body, Limit
from web.visit import Visited

_MOST_FORGOTTEN = 500


class CameraList(Body):
    """`csv` is the text of the file, its first line the names of the columns. A `trial` keeps nothing.

    Where a line cannot be read nothing is imported, unless `partial` wants the rest. `source` is told to people.
    """

    csv: Annotated[str, Field(max_length=1024 * 1024)]
    source: Annotated[str, Field(max_length=MOST_TEXT)] = "the API"
    trial: bool = False
    partial: bool = False


class Places(Body):
    """As the list of expected cameras names them."""

    places: Annotated[
        list[Annotated[str, Field(max_length=MOST_TEXT)]], Field(min_length=1, max_length=_MOST_FORGOTTEN)
    ]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many were expected until then."""

    forgotten: int


async def listed(
    visit: Visited,
    *,
    every: Annotated[bool, Query(description="those that were found, too")] = False,
    after: After = None,
    limit: Limit = 50,
) -> Page[ExpectedRow]:
    """Expected cameras that were not found, by their places."""
    known = tuple(Known) if every else rows.NOT_FOUND
    return await rows.expected(visit.store, known=known, after=after, limit=limit, scope=visit.reading)


async def bring_in(visit: Visited, new: CameraList) -> Import:
    """Expect the cameras of a list; what was expected at the same places is as this list says."""
    return await rows.bring_in(
        visit.store,
        sheet.read(new.csv.encode("utf-8", "replace")),
        visit.name,
        source=new.source,
        trial=new.trial,
        partial=new.partial,
        scope=visit.scope(Permission.SCAN),
    )


async def forget(visit: Visited, word: Places) -> Forgotten:
    """Expect no camera there any more; what scans found stays."""
    return Forgotten(await rows.forget(visit.store, word.places, visit.name, visit.scope(Permission.SCAN)))
