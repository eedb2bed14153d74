"""Picture checks, as they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from health.conditions import Condition


@dataclass(frozen=True, slots=True)
class Tile:
    """A camera on the wall. `picture` is a digest for `Pictures.picture`; `age_s` is how old that picture is.

    `verdict` is "" before the first check; `faults` are those of the last check, `open_faults` the raised ones.
    """

    camera: str
    name: str | None
    address: str
    verdict: str
    faults: tuple[str, ...]
    open_faults: tuple[str, ...]
    condition: str | None
    reason: str | None
    picture: str | None
    age_s: float | None
    checked_at: datetime | None
    muted_until: datetime | None
    mute_reason: str | None


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check. `faults`: name to `{"confidence": …, "evidence": …}`; `stream`: what was measured of the stream."""

    id: str
    camera: str
    at: datetime
    verdict: str
    condition: str | None
    faults: Mapping[str, Any]
    reason: str | None
    picture: str | None
    stream: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReferenceView:
    """An approved view: `picture` is a digest."""

    condition: Condition
    picture: str
    approved_by: str
    approved_at: datetime


@dataclass(frozen=True, slots=True)
class Comparison:
    """A camera now beside its approved views, that of the present light first."""

    tile: Tile
    references: tuple[ReferenceView, ...]


@dataclass(frozen=True, slots=True)
class PictureSummary:
    """Numbers of cameras: watched at all, with an open fault, and never looked at; `shared` counts open incidents of
    whole sites.
    """

    cameras: int
    with_faults: int
    never: int
    shared: int


@dataclass(frozen=True, slots=True)
class IncidentView:
    """A fault with a life. `cameras` has one entry, or all cameras of a site that showed it together (`shared`)."""

    id: str
    site: str
    fault: str
    opened_at: datetime
    closed_at: datetime | None
    cameras: tuple[str, ...]
    shared: bool
