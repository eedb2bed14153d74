"""Maintenance windows: when a site may be changed, by its own clock on the wall. Pure.

Where a wall time happens twice or not at all, because the clocks are changed, the narrower reading counts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))
_SHAPE = re.compile(r"(?:(?P<days>[a-z,-]+) )?(?P<start>\d{2}:\d{2})-(?P<end>\d{2}:\d{2})", re.ASCII)
_A_WEEK = 8
_A_MONTH = timedelta(days=31)


class WindowError(ValueError):
    """This is no window or no time zone. The text says what to write."""


@dataclass(frozen=True, slots=True)
class Window:
    """Opens on these days (0 is Monday) at `start`; an `end` that is not later is one of the next day."""

    days: frozenset[int]
    start: time
    end: time

    @property
    def length(self) -> timedelta:
        """On a day on which no clock is changed."""
        day = datetime(2000, 1, 1, tzinfo=UTC)
        length = datetime.combine(day, self.end) - datetime.combine(day, self.start)
        return length if length > timedelta(0) else length + timedelta(days=1)

    def __str__(self) -> str:
        days = ",".join(DAYS[day] for day in sorted(self.days))
        return f"{days} {self.start:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True, slots=True)
class Opening:
    """One time that a window is open, in UTC."""

    start: datetime
    end: datetime


@lru_cache(maxsize=256)
def parse_window(text: str) -> Window:
    """Of "22:00-05:00" or "mon-fri 22:00-05:00" or "sat,sun 08:00-12:00". Raises WindowError."""
    found = _SHAPE.fullmatch(text.strip().lower())
    if found is None:
        raise WindowError(f'{text!r} is no window; write "22:00-05:00" or "mon-fri 22:00-05:00"')
    try:
        start, end = time.fromisoformat(found["start"]), time.fromisoformat(found["end"])
    except ValueError:
        raise WindowError(f"{text!r}: there is no such time of day") from None
    return Window(_days(found["days"]) if found["days"] else EVERY_DAY, start, end)


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        try:
            one, other = DAYS.index(first), DAYS.index(last if dash else first)
        except ValueError:
            raise WindowError(f"{part!r} is no day; write {', '.join(DAYS)}, or mon-fri") from None
        days |= {day % 7 for day in range(one, other + 1 if other >= one else other + 8)}
    return frozenset(days)


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """Raises WindowError."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise WindowError(f"{name!r} is no time zone; write one such as Europe/Berlin") from None


def next_opening(window: Window, zone_name: str, now: datetime) -> Opening:
    """The opening that is on at `now`, else the next one."""
    here = zone(zone_name)
    today = now.astimezone(here).date()
    for ahead in range(-1, _A_WEEK + 1):
        day = today + timedelta(days=ahead)
        if day.weekday() not in window.days:
            continue
        last = day if window.end > window.start else day + timedelta(days=1)
        start = max(_readings(datetime.combine(day, window.start), here))
        end = min(_readings(datetime.combine(last, window.end), here))
        if now < end and start < end:
            return Opening(start, end)
    # Only a window that the clock change swallows whole, on its one day of the week, comes here.
    return next_opening(window, zone_name, now + timedelta(days=7))


def may_start(windows: Iterable[Window | None], zone_name: str, now: datetime, expected: timedelta) -> bool:
    """Whether work of that length that starts now also ends inside every window."""
    return all(_may_start(window, zone_name, now, expected) for window in windows if window is not None)


def _may_start(window: Window, zone_name: str, now: datetime, expected: timedelta) -> bool:
    opening = next_opening(window, zone_name, now)
    return opening.start <= now and now + expected <= opening.end


def next_start(windows: Iterable[Window | None], zone_name: str, now: datetime, expected: timedelta) -> datetime | None:
    """The first moment from `now` on at which such work may start; `None` where the windows do not meet in a month."""
    known, moment = [window for window in windows if window is not None], now
    while moment <= now + _A_MONTH:
        closed = [window for window in known if not _may_start(window, zone_name, moment, expected)]
        if not closed:
            return moment
        moment = max(_reopens(window, zone_name, moment) for window in closed)
    return None


def _reopens(window: Window, zone_name: str, moment: datetime) -> datetime:
    """After `moment`, where it is closed then, or too late for the work."""
    opening = next_opening(window, zone_name, moment)
    return opening.start if opening.start > moment else next_opening(window, zone_name, opening.end).start


def _readings(wall: datetime, here: ZoneInfo) -> tuple[datetime, datetime]:
    return (
        wall.replace(tzinfo=here, fold=0).astimezone(UTC),
        wall.replace(tzinfo=here, fold=1).astimezone(UTC),
    )
