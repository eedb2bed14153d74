"""What the pages of pictures and of the cameras' own AI show: see `web/contexts.py`."""

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.accuracy.card import AccuracyCard
from fleet.accuracy.rows import WatchView
from fleet.pictures.rollups import Rollup
from fleet.pictures.views import CheckView, IncidentView, PictureSummary, ReferenceView, Tile
from fleet.pictures.wall import Age, WallFilter
from fleet.views import DeviceRow, Page
from web.counts import Counts


@dataclass(frozen=True, slots=True)
class Images:
    """The wall: a `page` of newest pictures that fit what is `wanted`, those with faults first, with their `ages`.

    `summary` has the numbers of all cameras. `query` is the filter as a query string without a cursor, and `first`
    says that this is the first page. `incidents` are what happened to pictures, open ones first, and `names` what
    their cameras are called. `queued` cameras were just asked for.
    """

    page: Page[Tile]
    ages: Mapping[str, Age]
    wanted: WallFilter
    query: str
    first: bool
    summary: PictureSummary
    incidents: tuple[IncidentView, ...]
    names: Mapping[str, str]
    queued: int


@dataclass(frozen=True, slots=True)
class Image:
    """One camera (`row`): its newest picture (`tile`, as old as `age` says) beside the `shown` reference view.

    `references` are all of its approved views, `history` its looks, newest first, and `older` the id after which it
    goes on; after the last of them come sums of `earlier` ones, by the hour or by the day. `card` is how right its own
    AI is. `mutes` are the choices for planned work. `mistake` says why nothing changed.
    """

    row: DeviceRow
    tile: Tile
    age: Age
    shown: ReferenceView | None
    references: tuple[ReferenceView, ...]
    history: tuple[CheckView, ...]
    older: str
    earlier: tuple[Rollup, ...]
    card: AccuracyCard
    mutes: tuple[str, ...]
    mistake: str


@dataclass(frozen=True, slots=True)
class ImageAccuracy:
    """The accuracy `card` of a camera (`row`), its last `watches`, and what it counted (`counts`).

    `tile` is its newest picture, whose verdict gates what is said. `mistake` says why nothing was begun.
    """

    row: DeviceRow
    tile: Tile
    card: AccuracyCard
    watches: tuple[WatchView, ...]
    counts: Counts
    mistake: str


PAGES: Mapping[type, str] = {Images: "images.html", Image: "image.html", ImageAccuracy: "image_accuracy.html"}
