"""Crontab lines: what they mean, beside what cron means by them, and what is refused rather than misread."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fleet.schedules.crontab import EXAMPLE, CrontabError, trigger_of

SUNDAY_NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

LINES = {
    "every night": ("0 2 * * *", "2026-03-02 02:00"),
    "on the first of a month": ("0 2 1 * *", "2026-04-01 02:00"),
    "every six hours": ("15 */6 * * *", "2026-03-01 12:15"),
    "in some months": ("0 0 * apr-jun,dec *", "2026-04-01 00:00"),
    "0 is Sunday": ("0 2 * * 0", "2026-03-08 02:00"),
    "7 is Sunday too": ("0 2 * * 7", "2026-03-08 02:00"),
    "1 is Monday": ("0 2 * * 1", "2026-03-02 02:00"),
    "6 is Saturday": ("0 2 * * 6", "2026-03-07 02:00"),
    "weekends in numbers": ("0 2 * * 6-7", "2026-03-07 02:00"),
    "working days by name": ("0 13 * * mon-fri", "2026-03-02 13:00"),
    "across the end of a week": ("0 2 * * fri-sun", "2026-03-06 02:00"),
    "a list in capitals": ("0 2 * * TUE,4", "2026-03-03 02:00"),
    "every second day counts from Sunday": ("0 2 * * */2", "2026-03-03 02:00"),
    "every second working day": ("0 2 * * 2-6/2", "2026-03-03 02:00"),
}


@pytest.mark.parametrize(("line", "due"), LINES.values(), ids=LINES)
def test_a_line_is_due_when_cron_says_so(line: str, due: str) -> None:
    assert f"{trigger_of(line).get_next_fire_time(None, SUNDAY_NOON):%Y-%m-%d %H:%M}" == due


def test_a_line_counts_by_the_clock_of_its_zone() -> None:
    winter = trigger_of("0 2 * * *", ZoneInfo("Europe/Berlin")).get_next_fire_time(None, SUNDAY_NOON)
    assert winter.astimezone(UTC) == datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


NO_LINES = {
    "words": "each night",
    "four fields": "0 2 * *",
    "seconds": "0 0 2 * * *",
    "a nickname": "@daily",
    "a secret": "hunter2 2 * * *",
    "a minute too many": "60 2 * * *",
    "a day too many": "0 2 32 * *",
    "a range that runs backwards": "0 5-2 * * *",
    "no step at all": "*/0 * * * *",
    "an eighth day of the week": "0 2 * * 8",
    "a day that is spelled out": "0 2 * * monday",
    "months in steps": "0 2 * jan-mar/2 *",
    "months by name and number": "0 2 * jan-3 *",
    "a word that only begins well": "0 2 last5 * *",
    "digits of another script": "\N{ARABIC-INDIC DIGIT THREE} 2 * * *",
    "a day that no year has": "0 2 30 2 *",
    "both kinds of days": "0 2 1 * mon",
}


@pytest.mark.parametrize("line", NO_LINES.values(), ids=NO_LINES)
def test_what_is_no_line_is_refused_with_an_example_and_not_quoted(line: str) -> None:
    with pytest.raises(CrontabError) as caught:
        trigger_of(line)
    assert EXAMPLE in str(caught.value)
    assert line not in str(caught.value).replace(EXAMPLE, "")
    assert caught.value.__cause__ is None
