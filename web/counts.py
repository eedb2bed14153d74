"""Objects counted hour by hour, as bars of a drawing. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleet.accuracy.rows import Hour

SHOWN = timedelta(days=7)
WIDTH, HEIGHT = 168, 40
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour. `good`: all of it was watched under a good picture."""

    hour: datetime
    count: int
    watched_min: float
    good: bool
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Counts:
    """`bars` of the hours that were watched, oldest first, and the `most` that one of them counted."""

    bars: tuple[Bar, ...]
    most: int


def counts_of(hours: Sequence[Hour], now: datetime) -> Counts:
    """The last seven days; each hour is one unit wide, and the highest bar as high as the drawing."""
    first = now.replace(minute=0, second=0, microsecond=0) - SHOWN + _HOUR
    by_hour: dict[datetime, list[Hour]] = defaultdict(list)
    for one in hours:
        if one.hour >= first:
            by_hour[one.hour].append(one)
    most = max((sum(one.count for one in parts) for parts in by_hour.values()), default=0)
    return Counts(tuple(_bar(parts, first, most) for _, parts in sorted(by_hour.items())), most)


def _bar(parts: Sequence[Hour], first: datetime, most: int) -> Bar:
    count = sum(one.count for one in parts)
    height = max(1.0, round(HEIGHT * count / most, 2)) if most else 1.0
    return Bar(
        hour=parts[0].hour,
        count=count,
        watched_min=sum(one.watched_s for one in parts) / 60,
        good=all(one.picture == "good" for one in parts),
        x=(parts[0].hour - first) // _HOUR,
        y=round(HEIGHT - height, 2),
        height=height,
    )
