"""How often something begins by itself, as people write it, and when that is. Pure.

A time of the day that the clocks show twice in autumn counts once, the first time; one that they leave out in spring
counts as the moment when they go on.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger

from fleet.errors import Invalid
from fleet.schedules.crontab import CrontabError, trigger_of
from hardening.windows import WindowError, next_opening, parse_window, zone

EXAMPLES = '"every 60 minutes", "every 12 hours", "0 2 * * *" (every night at two) or "window"'
IN_WINDOW = "window"
MOST_MINUTES = 44_640  # a month
# A service that was down when work was due makes up for it, once, where that is not longer ago.
GRACE = timedelta(hours=1)
_EVERY = re.compile(r"every (?P<number>\d{1,5}) ?(?P<unit>minutes?|hours?)", re.ASCII)
_MOST_STEPS = 400
_A_MOMENT = timedelta(microseconds=1)


class Manner(StrEnum):
    EVERY = "every"
    CRONTAB = "crontab"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Cadence:
    """`every` is `None` but for intervals. `text` is how it is written, cleaned."""

    manner: Manner
    text: str
    every: timedelta | None = None


def parse(text: str) -> Cadence:
    """Raises Invalid, which says what to write and nothing of what was written."""
    words = " ".join(text.lower().split())
    if words == IN_WINDOW:
        return Cadence(Manner.WINDOW, IN_WINDOW)
    if found := _EVERY.fullmatch(words):
        number = int(found["number"]) * (60 if found["unit"].startswith("hour") else 1)
        if not 1 <= number <= MOST_MINUTES:
            raise Invalid(f"an interval is 1 to {MOST_MINUTES} minutes")
        return Cadence(Manner.EVERY, f"every {number} minute{'' if number == 1 else 's'}", timedelta(minutes=number))
    try:
        trigger_of(words)
    except CrontabError as error:
        raise Invalid(f"no such cadence; write {EXAMPLES}: {error}") from None
    return Cadence(Manner.CRONTAB, words)


def trigger(cadence: Cadence, zone_name: str, window: str = "", anchor: datetime | None = None) -> BaseTrigger:
    """`window` is of the site, by its clock; `anchor` is a moment that intervals are counted from. Raises Invalid."""
    try:
        here = zone(zone_name)
        if cadence.every is not None:
            return Interval(cadence.every, anchor or datetime.now(UTC))
        if cadence.manner is Manner.CRONTAB:
            return WallClock(cadence.text, here)
        if not window:
            raise Invalid("this site has no maintenance window: give it one, or write another cadence")
        parse_window(window)
    except WindowError as error:
        raise Invalid(str(error)) from error
    return Openings(window, zone_name)


class _Trigger(BaseTrigger):  # type: ignore[misc] # APScheduler has no types
    """The first time that is not before `now`, or right after the one before."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        if previous_fire_time is None:
            return self.first_from(now)
        return self.first_from(min(now, previous_fire_time + _A_MOMENT))

    def first_from(self, moment: datetime) -> datetime | None:
        raise NotImplementedError


class Interval(_Trigger):
    def __init__(self, every: timedelta, anchor: datetime) -> None:
        self.every, self.anchor = every, anchor

    def first_from(self, moment: datetime) -> datetime:
        steps = -((self.anchor - moment) // self.every) if moment > self.anchor else 0
        found = self.anchor + steps * self.every
        return found if found >= moment else found + self.every


class WallClock(_Trigger):
    """A line of a crontab by the clock on the wall."""

    def __init__(self, line: str, here: ZoneInfo) -> None:
        self.here = here
        self._each_hour = line.split()[1] == "*"
        self._line = line
        self._cron = trigger_of(line)

    def first_from(self, moment: datetime) -> datetime | None:
        if self._each_hour:  # an hour that comes twice is two hours to such a line
            offset = moment.astimezone(self.here).utcoffset() or timedelta(0)
            by_hour: datetime | None = trigger_of(self._line, timezone(offset)).get_next_fire_time(None, moment)
            return by_hour and by_hour.astimezone(UTC)
        wall = moment.astimezone(self.here).replace(tzinfo=UTC)
        for _ in range(_MOST_STEPS):
            shown = self._cron.get_next_fire_time(None, wall)
            if shown is None:
                return None
            if (found := self._moment(shown)) >= moment:
                return found
            wall = shown + timedelta(seconds=1)
        return None

    def _moment(self, shown: datetime) -> datetime:
        """When the clocks here first show that, or go beyond it."""
        first = shown.replace(tzinfo=self.here, fold=0).astimezone(UTC)
        if first.astimezone(self.here).replace(tzinfo=None) == shown.replace(tzinfo=None):
            return first
        # Left out: between the two readings lies the moment of the change.
        early, late = sorted((first, shown.replace(tzinfo=self.here, fold=1).astimezone(UTC)))
        before = early.astimezone(self.here).utcoffset()
        while late - early > timedelta(seconds=1):
            middle = early + (late - early) / 2
            early, late = (middle, late) if middle.astimezone(self.here).utcoffset() == before else (early, middle)
        return late.replace(microsecond=0)


class Openings(_Trigger):
    """The beginning of every opening of a window."""

    def __init__(self, window: str, zone_name: str) -> None:
        self.window, self.zone_name = parse_window(window), zone_name

    def first_from(self, moment: datetime) -> datetime:
        opening = next_opening(self.window, self.zone_name, moment)
        return (
            opening.start if opening.start >= moment else next_opening(self.window, self.zone_name, opening.end).start
        )

    def is_open(self, moment: datetime) -> bool:
        return next_opening(self.window, self.zone_name, moment).start <= moment


def missed(trigger: BaseTrigger, due: datetime | None, now: datetime) -> bool:
    """Whether a time that was planned passed without us, and is still to be made up for: once, however many did."""
    if due is None or due > now:
        return False
    if isinstance(trigger, Interval):
        return True
    if isinstance(trigger, Openings):
        return trigger.is_open(now)
    last: datetime | None = trigger.get_next_fire_time(None, max(due, now - GRACE))
    return last is not None and last <= now


def upcoming(trigger: BaseTrigger, now: datetime, count: int = 3) -> tuple[datetime, ...]:
    """The next times, in UTC."""
    found: list[datetime] = []
    moment = now
    for _ in range(count):
        due: datetime | None = trigger.get_next_fire_time(None, moment)
        if due is None:
            break
        found.append(due.astimezone(UTC))
        moment = due + _A_MOMENT
    return tuple(found)
