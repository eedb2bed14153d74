"""Crontab lines, read strictly and as cron reads them. Pure."""

import re
from datetime import UTC, datetime, tzinfo

from apscheduler.triggers.cron import CronTrigger

EXAMPLE = '"0 2 * * *" (every night at two) or "30 6 * * mon-fri"'

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_FIELDS = 5
# CronTrigger takes "jan-mar/2" for "jan-mar" and "last5" for "last": what it would pass over is refused before.
_NUMBER = r"(?:\*|\d{1,2}(?:-\d{1,2})?)(?:/\d{1,2})?"
_NUMBERS = re.compile(rf"{_NUMBER}(?:,{_NUMBER})*", re.ASCII)
_MONTHS = re.compile(
    rf"(?:{_NUMBER}|(?:{_MONTH})(?:-(?:{_MONTH}))?)(?:,(?:{_NUMBER}|(?:{_MONTH})(?:-(?:{_MONTH}))?))*", re.ASCII
)
_DAY = "|".join(("[0-7]", *_DAYS))
_DAY_RANGE = re.compile(rf"(?:\*|(?P<first>{_DAY})(?:-(?P<last>{_DAY}))?)(?:/(?P<step>[1-7]))?", re.ASCII)


class CrontabError(ValueError):
    """This is no line of a crontab. The text says what to write, and nothing of what was written."""


def trigger_of(line: str, zone: tzinfo = UTC) -> CronTrigger:
    """When "0 2 * * *" (minute, hour, day, month, day of the week) is due by the clock of `zone`. Raises CrontabError.

    Where cron would take either of a day of the month and a day of the week, only one may be named.
    """
    fields = line.lower().split()
    if len(fields) != _FIELDS:
        raise CrontabError(f"write five fields (minute, hour, day, month, day of the week), such as {EXAMPLE}")
    *numbers, month, days = fields
    if not (all(map(_NUMBERS.fullmatch, numbers)) and _MONTHS.fullmatch(month)):
        raise CrontabError(f"no line of a crontab; write one such as {EXAMPLE}")
    if numbers[2] != "*" and days != "*":
        raise CrontabError(f"name days of the month or days of the week, not both, such as {EXAMPLE}")
    understood = " ".join((*numbers, month, _by_name(days)))
    try:
        trigger = CronTrigger.from_crontab(understood, timezone=zone)
    except ValueError:  # its own text would quote what was written
        raise CrontabError(f"a number is too small or too large; write a line such as {EXAMPLE}") from None
    if trigger.get_next_fire_time(None, datetime.now(UTC)) is None:
        raise CrontabError(f"there is no such day in any year; write a line such as {EXAMPLE}")
    return trigger


def _by_name(field: str) -> str:
    """Days of the week by their names: cron counts them from Sunday, APScheduler 3 from Monday."""
    days: set[int] = set()
    for part in field.split(","):
        found = _DAY_RANGE.fullmatch(part)
        if found is None:
            raise CrontabError(f"days of the week are 0-7 or {', '.join(_DAYS)}; write a line such as {EXAMPLE}")
        first, last = _day(found["first"] or "0"), _day(found["last"] or found["first"] or "6")
        days.update(day % 7 for day in range(first, (last if last >= first else last + 7) + 1, int(found["step"] or 1)))
    return ",".join(_DAYS[day] for day in sorted(days))


def _day(word: str) -> int:
    return int(word) if word.isdigit() else _DAYS.index(word)
