"""Windows by the clock on the wall of the site, with the nights on which that clock is changed."""

from datetime import UTC, datetime, timedelta

import pytest

from hardening.windows import WindowError, may_start, next_opening, next_start, parse_window, zone

BERLIN, ATHENS, NEW_YORK, KOLKATA = "Europe/Berlin", "Europe/Athens", "America/New_York", "Asia/Kolkata"
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


# window, zone, now (UTC), how long it takes: whether it may start
STARTS: dict[str, tuple[str, str, str, timedelta, bool]] = {
    "inside": ("22:00-05:00", BERLIN, "06-10T21:00", HOUR, True),
    "the very minute that it opens": ("22:00-05:00", BERLIN, "06-10T20:00", HOUR, True),
    "a minute before": ("22:00-05:00", BERLIN, "06-10T19:59", HOUR, False),
    "after midnight it is still open": ("22:00-05:00", BERLIN, "06-10T23:30", HOUR, True),
    "the end just fits": ("22:00-05:00", BERLIN, "06-11T02:00", HOUR, True),
    "the end does not fit any more": ("22:00-05:00", BERLIN, "06-11T02:01", HOUR, False),
    "the end has come": ("22:00-05:00", BERLIN, "06-11T03:00", timedelta(0), False),
    "by the clock of the site and not by ours": ("22:00-05:00", ATHENS, "06-10T19:30", HOUR, True),
    "a zone of half an hour": ("22:00-23:00", KOLKATA, "06-10T16:30", HOUR, True),
    "a day that is not named": ("mon-fri 08:00-12:00", BERLIN, "06-13T07:00", HOUR, False),  # a Saturday
    "a day that is named": ("sat,sun 08:00-12:00", BERLIN, "06-13T07:00", HOUR, True),
    "a night belongs to the day on which it began": ("fri 22:00-05:00", BERLIN, "06-13T01:00", HOUR, True),
    "and not to the day on which it ends": ("sat 22:00-05:00", BERLIN, "06-13T01:00", HOUR, False),
    "days over the turn of the week": ("sat-mon 08:00-12:00", BERLIN, "06-15T07:00", HOUR, True),
    "the whole day": ("00:00-00:00", BERLIN, "06-10T12:00", HOUR, True),
    # 2026-03-29: at 02:00 it is 03:00 in Berlin (01:00 UTC).
    "in spring a night is an hour shorter": ("22:00-05:00", BERLIN, "03-29T02:01", HOUR, False),
    "and yet its last hour counts": ("22:00-05:00", BERLIN, "03-29T02:00", HOUR, True),
    "a window that the change swallows does not open": ("02:00-03:00", BERLIN, "03-29T01:00", timedelta(0), False),
    "an end that does not exist is the narrower one": ("01:00-02:30", BERLIN, "03-29T00:31", timedelta(0), False),
    # 2026-10-25: at 03:00 it is 02:00 again in Berlin (01:00 UTC).
    "in autumn a night is an hour longer": ("22:00-05:00", BERLIN, "10-25T03:00", HOUR, True),
    "an end that comes twice is the first": ("22:00-02:30", BERLIN, "10-25T00:31", timedelta(0), False),
    "a beginning that comes twice is the second": ("02:30-05:00", BERLIN, "10-25T00:45", HOUR, False),
    "and then it is open": ("02:30-05:00", BERLIN, "10-25T01:30", HOUR, True),
    "elsewhere clocks are changed on another day": ("22:00-05:00", NEW_YORK, "11-01T09:00", HOUR, True),
}


@pytest.mark.parametrize(("window", "place", "now", "takes", "may"), STARTS.values(), ids=STARTS)
def test_whether_work_may_start(window: str, place: str, now: str, takes: timedelta, may: bool) -> None:
    assert may_start([parse_window(window)], place, at(now), takes) is may


def test_the_next_start_is_one_at_which_work_may_start() -> None:
    window = parse_window("mon-fri 22:00-05:00")
    moment, ends = at("03-20T00:00"), at("04-05T00:00")
    while moment < ends:
        start = next_start([window], BERLIN, moment, HOUR)
        assert start is not None
        assert start >= moment
        assert may_start([window], BERLIN, start, HOUR)
        assert start == moment or not may_start([window], BERLIN, moment, HOUR)
        moment += timedelta(minutes=37)


def test_without_a_window_any_time_is_good() -> None:
    assert may_start([None], BERLIN, at("06-10T12:00"), HOUR)
    assert next_start([None, None], BERLIN, at("06-10T12:00"), HOUR) == at("06-10T12:00")


# Two windows by the clock of Berlin, asked on Wednesday, 10 June 2026, at 14:00 there.
TOGETHER = {
    "one is open, the other opens later": ("13:00-23:00", "22:00-05:00", "06-10T20:00"),
    "only on one day": ("sat 08:00-20:00", "06:00-10:00", "06-13T06:00"),
    "the common part is too short on most days": ("22:00-05:00", "mon-fri 04:30-08:00", None),
    "never on the same day": ("mon 08:00-12:00", "tue 08:00-12:00", None),
    "one and none": ("22:00-05:00", "", "06-10T20:00"),
}


@pytest.mark.parametrize(("first", "second", "expected"), TOGETHER.values(), ids=TOGETHER)
def test_several_windows_hold_together(first: str, second: str, expected: str | None) -> None:
    windows = [parse_window(text) if text else None for text in (first, second)]
    start = next_start(windows, BERLIN, at("06-10T12:00"), HOUR)
    assert start == (expected and at(expected))
    assert start is None or may_start(windows, BERLIN, start, HOUR)


def test_a_window_that_one_night_swallows_opens_on_the_next() -> None:
    opening = next_opening(parse_window("sun 02:00-03:00"), BERLIN, at("03-29T00:00"))
    assert (opening.start, opening.end) == (at("04-05T00:00"), at("04-05T01:00"))


WRONG = ["", "22:00", "22-05", "25:00-05:00", "22:00-05:60", "noon-22:00", "foo 22:00-05:00", "mon- 22:00-05:00"]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(WindowError):
        parse_window(text)


@pytest.mark.parametrize("name", ["", "Berlin", "Europe/Nowhere", "../../etc/passwd", "/etc/passwd", "\0"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(WindowError):
        zone(name)


@pytest.mark.parametrize("text", ["22:00-05:00", "mon-fri 22:00-05:00", "sat,sun 08:00-12:00"])
def test_a_window_is_written_as_it_is_read(text: str) -> None:
    assert parse_window(str(parse_window(text))) == parse_window(text)
