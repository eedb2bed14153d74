"""When something begins by itself: by real clocks, also on the days on which they are changed."""

from datetime import UTC, datetime, timedelta

import pytest

from fleet.errors import Invalid
from fleet.schedules import cadences

SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)

# (cadence, zone, window, from when, what the clocks there show)
TIMES: dict[str, tuple[str, str, str, datetime, list[str]]] = {
    "every night, in autumn once": (
        "30 2 * * *",
        "Europe/Berlin",
        "",
        AUTUMN,
        ["10-25 02:30 +0200", "10-26 02:30 +0100", "10-27 02:30 +0100"],
    ),
    "every night, in spring once, when the clocks go on": (
        "30 2 * * *",
        "Europe/Berlin",
        "",
        SPRING,
        ["03-29 03:00 +0200", "03-30 02:30 +0200", "03-31 02:30 +0200"],
    ),
    "several times in the hour that is left out are one": (
        "0,30 2 * * *",
        "Europe/Berlin",
        "",
        SPRING,
        ["03-29 03:00 +0200", "03-30 02:00 +0200", "03-30 02:30 +0200"],
    ),
    "several times in the hour that comes twice": (
        "0,30 2 * * *",
        "Europe/Berlin",
        "",
        AUTUMN,
        ["10-25 02:00 +0200", "10-25 02:30 +0200", "10-26 02:00 +0100"],
    ),
    "where a clock is changed by half an hour": (
        "15 2 * * *",
        "Australia/Lord_Howe",
        "",
        datetime(2026, 10, 3, 0, tzinfo=UTC),
        ["10-04 02:30 +1100", "10-05 02:15 +1100", "10-06 02:15 +1100"],
    ),
    "each hour, also the one that comes twice": (
        "0 * * * *",
        "Europe/Berlin",
        "",
        datetime(2026, 10, 25, 0, 0, tzinfo=UTC),
        ["10-25 02:00 +0200", "10-25 02:00 +0100", "10-25 03:00 +0100"],
    ),
    "a window, by the clock of its site": (
        "window",
        "America/New_York",
        "sat,sun 22:00-05:00",
        datetime(2026, 10, 31, 0, tzinfo=UTC),
        ["10-31 22:00 -0400", "11-01 22:00 -0500", "11-07 22:00 -0500"],
    ),
    "a window that begins in the hour that is left out": (
        "window",
        "Europe/Berlin",
        "02:30-04:00",
        SPRING,
        ["03-29 03:30 +0200", "03-30 02:30 +0200", "03-31 02:30 +0200"],
    ),
    "an interval knows no clock": (
        "every 12 hours",
        "Europe/Berlin",
        "",
        AUTUMN,
        ["10-24 14:00 +0200", "10-25 02:00 +0200", "10-25 13:00 +0100"],
    ),
}


@pytest.mark.parametrize(("text", "zone", "window", "since", "shown"), TIMES.values(), ids=TIMES)
def test_it_begins_when_the_clocks_there_say_so(
    text: str, zone: str, window: str, since: datetime, shown: list[str]
) -> None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    trigger = cadences.trigger(cadences.parse(text), zone, window, anchor=AUTUMN)
    found = cadences.upcoming(trigger, since)
    assert [f"{at.astimezone(ZoneInfo(zone)):%m-%d %H:%M %z}" for at in found] == shown
    assert [trigger.get_next_fire_time(before, found[-1]) for before in found[:-1]] == list(found[1:])


@pytest.mark.parametrize("since", [SPRING, AUTUMN], ids=["spring", "autumn"])
@pytest.mark.parametrize("minute", range(0, 60, 7))
def test_whenever_one_asks_each_day_has_its_time_once(since: datetime, minute: int) -> None:
    trigger = cadences.trigger(cadences.parse("30 2 * * *"), "Europe/Berlin")
    asked = [since + timedelta(hours=hour, minutes=minute) for hour in range(36)]
    found = {trigger.get_next_fire_time(None, moment) for moment in asked}
    assert len(found) == 2 or len(found) == 3
    assert all(at >= moment for moment in asked if (at := trigger.get_next_fire_time(None, moment)))


REFUSED = {
    "nothing": "",
    "words": "every now and then",
    "never": "every 0 minutes",
    "once in a lifetime": "every 99999 hours",
    "no such minute": "77 2 * * *",
    "four fields": "0 2 * *",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_no_cadence_is_said_so(text: str) -> None:
    with pytest.raises(Invalid):
        cadences.parse(text)


def test_a_window_needs_a_site_that_has_one() -> None:
    with pytest.raises(Invalid, match="no maintenance window"):
        cadences.trigger(cadences.parse("window"), "UTC", "")


NOW = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)
MISSED: dict[str, tuple[str, timedelta | None, bool]] = {
    "half an hour ago": ("30 11 * * *", timedelta(minutes=30), True),
    "half an hour ago, and days of it before": ("30 11 * * *", timedelta(days=9), True),
    "longer than an hour ago": ("30 10 * * *", timedelta(minutes=90), False),
    "never planned": ("30 11 * * *", None, False),
    "still to come": ("30 12 * * *", timedelta(minutes=-30), False),
    "an interval, however long ago": ("every 5 minutes", timedelta(days=3), True),
    "a window that is still open": ("window", timedelta(hours=2), True),
    "a window that has closed": ("window", timedelta(hours=9), False),
}


@pytest.mark.parametrize(("text", "ago", "expected"), MISSED.values(), ids=MISSED)
def test_what_was_missed_is_made_up_for_where_it_still_makes_sense(
    text: str, ago: timedelta | None, *, expected: bool
) -> None:
    window = "10:00-13:00" if ago == timedelta(hours=2) else "03:00-05:00"
    due = NOW - ago if ago is not None else None
    trigger = cadences.trigger(cadences.parse(text), "UTC", window, anchor=due)
    assert cadences.missed(trigger, due, NOW) is expected
