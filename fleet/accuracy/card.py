"""What is said of one camera's own AI: figures with their intervals, the drift, and its named cause. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analytics_qa.accuracy import Accuracy, Measured, accuracy
from analytics_qa.drift import Agreement, Drift, Evidence, Picture, Trend, drift, trend
from analytics_qa.expectation import HourCount, learned
from analytics_qa.intervals import share_of_clusters
from analytics_qa.matching import Tally
from analytics_qa.spot_checks import Answer, Question, answer
from fleet.accuracy.rows import Golden, History, Hour, Label, WatchState, WatchView

LEARNED_FOR = timedelta(days=28)
COMPARED_OVER = timedelta(days=7)
_LEAST_WATCHED_S = 30.0
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class AccuracyCard:
    """`accuracies`: one for each condition in which this version was labelled; none where it never was.

    `labels`: whether more labels are wanted ("go on") for the recall of this version. `picture` is the verdict that
    gates all of it. `golden` counts only for the version that it was shown to.
    """

    camera: str
    version: str | None
    picture: Picture
    accuracies: tuple[Accuracy, ...]
    labels: Answer
    drift: Drift
    trend: Trend | None
    agreement: Agreement | None
    golden: Golden | None
    since: datetime | None
    last: WatchView | None


def card(camera: str, history: History, picture: Picture, now: datetime) -> AccuracyCard:
    done = [one for one in history.watches if one.state is WatchState.DONE]
    last = done[-1] if done else None
    version = last.version if last else None
    since = history.baseline.since if history.baseline else _first(history.hours)
    labels = [one for one in history.labels if one.version == version]
    golden = history.golden if history.golden and history.golden.version == version else None
    counts = None if since is None else _trend(history.hours, since)
    # Beside another reference detector everything is another number.
    beside = [one for one in done if last and one.reference == last.reference]
    agreement = None if since is None else _agreement(beside, since, now)
    said = drift(
        Evidence(
            picture=picture,
            trend=counts,
            agreement=agreement,
            version_changed=_version_changed(history, done, since, version),
            reference_ratio=None if since is None else _reference_ratio(beside, since, now),
            golden_failed=None if golden is None else not golden.ok,
        )
    )
    return AccuracyCard(
        camera=camera,
        version=version,
        picture=picture,
        accuracies=accuracy(_measured(one) for one in labels),
        labels=answer(Question(), sum(one.hits for one in labels), sum(one.missed for one in labels)),
        drift=said,
        trend=counts,
        agreement=agreement,
        golden=golden,
        since=since,
        last=history.watches[-1] if history.watches else None,
    )


def _measured(label: Label) -> Measured:
    """Pictures of one minute are one cluster."""
    minute = label.at.replace(second=0, microsecond=0).isoformat()
    return Measured(label.condition, minute, label.at.date(), Tally(label.hits, label.false, label.missed))


def _first(hours: Sequence[Hour]) -> datetime | None:
    return hours[0].hour if hours else None


def _trend(hours: Sequence[Hour], since: datetime) -> Trend | None:
    """Learned from four weeks under a good picture; `None` before they are there."""
    good = [
        HourCount(one.hour, one.count, one.watched_s / _HOUR_S)
        for one in hours
        if one.picture == "good" and one.hour >= since and one.watched_s >= _LEAST_WATCHED_S
    ]
    until = since + LEARNED_FOR
    expectation = learned([one for one in good if one.hour < until])
    return None if expectation is None else trend([one for one in good if one.hour >= until], expectation)


def _halves(done: Sequence[WatchView], since: datetime, now: datetime) -> tuple[list[WatchView], list[WatchView]]:
    """Watches under a good picture: those of the baseline, and those of the last week after it."""
    good = [one for one in done if one.picture == "good" and one.pictures]
    until = min(since + LEARNED_FOR, now - COMPARED_OVER)
    before = [one for one in good if since <= one.queued_at < until]
    return before, [one for one in good if one.queued_at >= max(until, now - COMPARED_OVER)]


def _agreement(done: Sequence[WatchView], since: datetime, now: datetime) -> Agreement | None:
    """The recall side only; each watch is a cluster."""
    before, lately = _halves(done, since, now)
    if not before or not lately:
        return None
    return Agreement(
        *(share_of_clusters([(one.agreed, one.reference_seen) for one in half]) for half in (before, lately))
    )


def _reference_ratio(done: Sequence[WatchView], since: datetime, now: datetime) -> float | None:
    rates = []
    for half in _halves(done, since, now):
        pictures = sum(one.pictures for one in half)
        rates.append(sum(one.reference_seen for one in half) / pictures if pictures else 0.0)
    return rates[1] / rates[0] if rates[0] else None


def _version_changed(history: History, done: Sequence[WatchView], since: datetime | None, version: str | None) -> bool:
    if history.baseline and history.baseline.version:
        return version != history.baseline.version
    first = next((one.version for one in done if since is None or one.queued_at >= since), version)
    return version != first
