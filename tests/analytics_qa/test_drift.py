"""Drift, and why: stories with the ending that must be told."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from analytics_qa.drift import Agreement, Cause, Evidence, Picture, State, Trend, drift, site_factors, trend
from analytics_qa.expectation import HourCount, hour_of_week, learned
from analytics_qa.intervals import share

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAY = MONDAY.date()


def hours(first: int, days: int, factor: float = 1.0, seed: int = 1) -> list[HourCount]:
    """Busy at noon, quiet at weekends."""
    chance = np.random.default_rng(seed)
    counts = []
    for day in range(first, first + days):
        for hour in range(24):
            mean = factor * (0.4 if day % 7 >= 5 else 1.0) * (2 + 10 * np.exp(-((hour - 12) ** 2) / 18))
            counts.append(HourCount(MONDAY + timedelta(days=day, hours=hour), int(chance.poisson(mean))))
    return counts


EXPECTATION = learned(hours(0, 28))
assert EXPECTATION is not None


def test_nothing_is_expected_before_two_weeks() -> None:
    assert learned(hours(0, 13)) is None
    assert learned(hours(0, 14)) is not None


def test_the_rhythm_of_the_week_is_learned() -> None:
    assert EXPECTATION is not None
    noon, night, sunday = (MONDAY + timedelta(hours=12), MONDAY + timedelta(hours=3), MONDAY + timedelta(days=6.5))
    assert EXPECTATION.of(noon) == pytest.approx(12, rel=0.3)
    assert EXPECTATION.of(night) == pytest.approx(2, rel=0.5)
    assert EXPECTATION.of(sunday) == pytest.approx(4.8, rel=0.4)
    assert hour_of_week(MONDAY + timedelta(days=6, hours=23)) == 167


TRENDS = {
    "as it was": (hours(28, 21, seed=2), None),
    "a third fewer": (hours(28, 21, 0.66, seed=2), "fewer"),
    "half as many again": (hours(28, 21, 1.5, seed=2), "more"),
    "one day without anybody": ([*hours(28, 10, seed=2), *hours(38, 1, 0.0), *hours(39, 10, seed=3)], None),
    "fewer, and well again for weeks": ([*hours(28, 14, 0.5, seed=2), *hours(42, 60, seed=3)], None),
    "not watched at all": ([], None),
}


@pytest.mark.parametrize(("after", "alarm"), TRENDS.values(), ids=TRENDS)
def test_notices_lasting_changes_only(after: list[HourCount], alarm: str | None) -> None:
    assert EXPECTATION is not None
    assert trend(after, EXPECTATION).alarm == alarm


def test_says_since_when() -> None:
    assert EXPECTATION is not None
    found = trend([*hours(28, 14, seed=2), *hours(42, 10, 0.5, seed=3)], EXPECTATION)
    assert found.since is not None
    assert abs((found.since - (DAY + timedelta(days=42))).days) <= 3
    assert found.raised == 1


def test_half_an_hour_watched_is_half_expected() -> None:
    assert EXPECTATION is not None
    half = [HourCount(one.hour, one.count // 2, 0.5) for one in hours(28, 21, seed=2)]
    assert trend(half, EXPECTATION).alarm is None


def test_a_holiday_of_the_whole_site_is_no_drift() -> None:
    assert EXPECTATION is not None
    quiet = hours(28, 14, 0.4, seed=2)
    alone = trend(quiet, EXPECTATION)
    days = {one.day: (one.count, one.expected) for one in alone.days}
    factors = site_factors([days, days, days])
    assert alone.alarm == "fewer"
    assert trend(quiet, EXPECTATION, factors).alarm is None
    assert site_factors([days, days]) == {}, "two cameras are no site"


CALM = Trend((), 0, 0, None, None, 0)
STEADY, FEWER, MORE = (
    trend(hours(28, 21, factor, seed=2), EXPECTATION) for factor in (1.0, 0.5, 1.6)
)  # fmt: skip
HELD = Agreement(share(172, 200), share(128, 150))
FELL = Agreement(share(172, 200), share(85, 150))
ROSE = Agreement(share(172, 200), share(140, 150))
FEW = Agreement(share(172, 200), share(5, 20))


def evidence(
    counts: Trend | None,
    agreement: Agreement | None = None,
    picture: Picture = "good",
    *,
    version_changed: bool = False,
    reference: float | None = None,
    golden_failed: bool | None = None,
) -> Evidence:
    return Evidence(picture, counts, agreement, version_changed, reference, golden_failed)


STORIES = {
    "nothing happened": (evidence(STEADY, HELD), State.STEADY, None),
    "not counted for long enough": (evidence(None), State.LEARNING, None),
    "next to nobody comes": (evidence(CALM), State.NOT_ASSESSABLE, None),
    "nobody has judged the picture": (evidence(FEWER, FELL, "unknown"), State.NOT_ASSESSABLE, None),
    "a bad picture, counts as ever": (evidence(STEADY, HELD, "bad"), State.NOT_ASSESSABLE, None),
    "a bad picture, fewer counts": (evidence(FEWER, HELD, "bad"), State.DRIFTED, Cause.PICTURE),
    "the trap: under a bad picture agreement rises while both miss more": (
        evidence(FEWER, ROSE, "bad", reference=0.6), State.DRIFTED, Cause.PICTURE,
    ),
    "a bad picture explains before a new version does": (
        evidence(FEWER, FELL, "bad", version_changed=True), State.DRIFTED, Cause.PICTURE,
    ),
    "a new version, fewer counts": (evidence(FEWER, version_changed=True), State.DRIFTED, Cause.MODEL),
    "it misses what the reference sees": (evidence(STEADY, FELL), State.DRIFTED, Cause.MODEL),
    "agreement fell, on a handful of objects": (evidence(STEADY, FEW), State.STEADY, None),
    "agreement rose": (evidence(STEADY, ROSE), State.STEADY, None),
    "a new version that is as good": (evidence(STEADY, HELD, version_changed=True), State.STEADY, None),
    "the golden clip failed": (evidence(STEADY, HELD, golden_failed=True), State.DRIFTED, Cause.MODEL),
    "fewer counts, nothing else known": (evidence(FEWER), State.DRIFTED, Cause.SCENE_OR_MODEL),
    "fewer counts, the reference sees fewer too": (
        evidence(FEWER, HELD, reference=0.5), State.DRIFTED, Cause.SCENE,
    ),
    "more counts, the reference sees more too": (evidence(MORE, HELD, reference=1.6), State.DRIFTED, Cause.SCENE),
    "fewer counts, the reference sees as many as ever": (
        evidence(FEWER, HELD, reference=1.0), State.DRIFTED, Cause.SCENE_OR_MODEL,
    ),
    "a new version while a shop closed": (
        evidence(FEWER, HELD, reference=0.5, version_changed=True), State.DRIFTED, Cause.SCENE,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("known", "state", "cause"), STORIES.values(), ids=STORIES)
def test_names_the_cause(known: Evidence, state: State, cause: Cause | None) -> None:
    said = drift(known)
    assert (said.state, said.cause) == (state, cause)
    assert said.reason


def test_days_are_those_of_the_calendar() -> None:
    assert [one.day for one in STEADY.days][:2] == [date(2026, 3, 30), date(2026, 3, 31)]
