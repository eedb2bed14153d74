"""Has the camera's own AI drifted, and why.

Two things are watched, because one alone is blind. Counts against the expectation of the hour of the week notice
everything, but not why. Agreement with a reference detector says whether the *camera* misses what is there: only its
recall side is used. The F1 of the two is a trap: a spoilt picture or a deaf model loses its false objects first and the
hard ones in both, so agreement rises while recall falls.

Nothing is judged under a bad picture: that is health's finding, and the drift then has a name, "picture".
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import Literal

from analytics_qa.expectation import Expectation, HourCount
from analytics_qa.intervals import Share
from analytics_qa.poisson import surprise

# One value a day, capped, and slack for days that resemble their neighbours: weather lasts.
SLACK = 0.9
ALARM = 8.0
CALM = ALARM / 2
LEAST_EXPECTED_A_DAY = 20.0
# How far the recall side of the agreement may fall, beyond what the two intervals leave open.
MOST_FALL = 0.10
LEAST_COMPARED = 30

Picture = Literal["good", "bad", "unknown"]


class State(StrEnum):
    STEADY = "steady"
    DRIFTED = "drifted"
    LEARNING = "learning"
    NOT_ASSESSABLE = "not assessable"


class Cause(StrEnum):
    """What the operator looks at first."""

    PICTURE = "picture"
    MODEL = "model"
    SCENE = "scene"
    SCENE_OR_MODEL = "scene or model"


@dataclass(frozen=True, slots=True)
class DayCount:
    """One day beside its expectation, over the hours that were watched under a good picture."""

    day: date
    count: int
    expected: float
    z: float


@dataclass(frozen=True, slots=True)
class Trend:
    """Where the two sums stand after the last day. `since`: the first day of the run that raised the alarm.

    `raised`: how often one of them raised an alarm until now, those that are over included.
    """

    days: tuple[DayCount, ...]
    fewer: float
    more: float
    alarm: Literal["fewer", "more"] | None
    since: date | None
    raised: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of the objects that the reference saw, those that the camera saw too; then against now."""

    before: Share
    now: Share


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one camera. `version_changed` is of firmware or model since the expectation was learned.

    `reference_ratio`: objects that the reference sees now, for each that it saw then; `None` where it did not look.
    """

    picture: Picture
    trend: Trend | None
    agreement: Agreement | None
    version_changed: bool
    reference_ratio: float | None = None
    golden_failed: bool | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """`cause` is `None` unless it drifted; `reason` is one sentence for the operator."""

    state: State
    cause: Cause | None
    reason: str


def trend(hours: Iterable[HourCount], expectation: Expectation, site: Mapping[date, float] | None = None) -> Trend:
    """Day by day. `site`: what the site's other cameras counted beside their own expectations (`site_factors`)."""
    days = _days(hours, expectation, site or {})
    fewer, more = _sums([-one.z for one in days]), _sums([one.z for one in days])
    down, up = _alarms(fewer), _alarms(more)
    alarm: Literal["fewer", "more"] | None = None
    if down and down[-1]:
        alarm = "fewer"
    elif up and up[-1]:
        alarm = "more"
    since = _began(days, fewer if alarm == "fewer" else more) if alarm else None
    raised = sum(not before and now for alarms in (down, up) for before, now in pairwise([False, *alarms]))
    return Trend(tuple(days), fewer[-1] if fewer else 0.0, more[-1] if more else 0.0, alarm, since, raised)


def site_factors(cameras: Sequence[Mapping[date, tuple[int, float]]]) -> dict[date, float]:
    """What a whole site saw on a day for each object expected there, the median of its cameras: weather and holidays.

    Needs three cameras that day; fewer would let one broken camera explain itself.
    """
    ratios: dict[date, list[float]] = defaultdict(list)
    for days in cameras:
        for day, (count, expected) in days.items():
            if expected >= LEAST_EXPECTED_A_DAY:
                ratios[day].append(count / expected)
    return {day: median(found) for day, found in ratios.items() if len(found) >= 3}  # noqa: PLR2004 - see above


def drift(evidence: Evidence) -> Drift:
    """The picture first: under a bad one nothing else means anything."""
    alarmed = evidence.trend is not None and evidence.trend.alarm is not None
    fell = agreement_fell(evidence.agreement)
    if evidence.picture == "unknown":
        return Drift(State.NOT_ASSESSABLE, None, "nobody has judged this picture yet, so nothing is said about its AI")
    if evidence.picture == "bad":
        if alarmed or fell:
            return Drift(State.DRIFTED, Cause.PICTURE, "its counts changed, and its picture is bad: see to that first")
        return Drift(State.NOT_ASSESSABLE, None, "its picture is bad: see to that first")
    if alarmed or fell or evidence.golden_failed:
        cause = named_cause(evidence)
        return Drift(State.DRIFTED, cause, _REASONS[cause])
    if evidence.trend is None:
        return Drift(State.LEARNING, None, "it has not been counted for two weeks yet")
    if not evidence.trend.days and not _agreement_known(evidence.agreement):
        return Drift(State.NOT_ASSESSABLE, None, f"it sees fewer than {LEAST_EXPECTED_A_DAY:g} objects a day")
    return Drift(State.STEADY, None, "it counts what is expected of it")


def named_cause(evidence: Evidence) -> Cause:
    """Under a good picture: what is the likeliest cause. Unsure is an answer."""
    if evidence.golden_failed or agreement_fell(evidence.agreement):
        return Cause.MODEL
    if _scene_went_along(evidence):
        return Cause.SCENE
    return Cause.MODEL if evidence.version_changed else Cause.SCENE_OR_MODEL


def _scene_went_along(evidence: Evidence) -> bool:
    """The camera still sees what the reference sees, and the reference sees fewer (or more) as well."""
    alarm = evidence.trend.alarm if evidence.trend else None
    if alarm is None or evidence.reference_ratio is None or not _agreement_known(evidence.agreement):
        return False
    return evidence.reference_ratio < 1 - MOST_FALL if alarm == "fewer" else evidence.reference_ratio > 1 + MOST_FALL


_REASONS: Mapping[Cause, str] = {
    Cause.PICTURE: "its picture is bad: see to that first",
    Cause.MODEL: "it misses what the reference sees or what it used to see: model, firmware or settings changed",
    Cause.SCENE: "the reference sees a different number of objects too: the scene has changed, not the model",
    Cause.SCENE_OR_MODEL: "its picture is good and its counts changed: label some pictures to tell scene from model",
}


def agreement_fell(agreement: Agreement | None) -> bool:
    """Recall side only, and only where both intervals are apart or the fall is large and well measured."""
    if agreement is None or not _agreement_known(agreement):
        return False
    before, now = agreement.before, agreement.now
    if before.value is None or now.value is None:
        return False
    return now.high < before.low and now.value < before.value - MOST_FALL / 2


def _agreement_known(agreement: Agreement | None) -> bool:
    return agreement is not None and min(agreement.before.n, agreement.now.n) >= LEAST_COMPARED


def _days(hours: Iterable[HourCount], expectation: Expectation, site: Mapping[date, float]) -> list[DayCount]:
    sums: dict[date, tuple[int, float]] = {}
    for one in hours:
        count, expected = sums.get(one.hour.date(), (0, 0.0))
        sums[one.hour.date()] = count + one.count, expected + expectation.of(one.hour) * one.share
    days = []
    for day in sorted(sums):
        count, expected = sums[day]
        expected *= site.get(day, 1.0)
        if expected >= LEAST_EXPECTED_A_DAY:
            days.append(DayCount(day, count, expected, surprise(count, expected, expectation.day_spread)))
    return days


def _sums(values: Sequence[float]) -> list[float]:
    """CUSUM over capped values; it need not climb beyond what raises the alarm."""
    sums, reached = [], 0.0
    for value in values:
        reached = min(2 * ALARM, max(0.0, reached + value - SLACK))
        sums.append(reached)
    return sums


def _alarms(sums: Sequence[float]) -> list[bool]:
    """After each day: raised at the limit, and over only when the sum has come half-way down again."""
    alarms, alarmed = [], False
    for reached in sums:
        alarmed = reached >= (CALM if alarmed else ALARM)
        alarms.append(alarmed)
    return alarms


def _began(days: Sequence[DayCount], sums: Sequence[float]) -> date:
    """The day after the sum was last at nothing."""
    began = days[0].day
    for (_, earlier), (day, _) in pairwise(zip((one.day for one in days), sums, strict=True)):
        if earlier == 0:
            began = day
    return began
