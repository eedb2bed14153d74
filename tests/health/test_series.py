"""When a fault is raised, when it is over, and what becomes usual."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from health.incidents import Raised, gather
from health.series import Change, Reading, Series, follow, from_plain, threshold, to_plain, wants_a_second_look

START = datetime(2026, 5, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


def run(levels: Sequence[float | None], series: Series | None = None, *, start: int = 0) -> tuple[Series, list[Change]]:
    """One check an hour; `None` is one that could not be judged."""
    series, changes = series or Series(), list[Change]()
    for i, level in enumerate(levels):
        if level is not None:
            shown = frozenset({"defocus"}) if level >= 0 else frozenset[str]()
            series, more = follow(series, Reading(START + (start + i) * HOUR, "day", {"defocus": level}, shown))
            changes += more
    return series, changes


CALM, BAD = -0.8, 0.9
TELLS: dict[str, tuple[Sequence[float | None], list[str]]] = {
    "nothing of one bad check": ([CALM, BAD, CALM, CALM], []),
    "nothing of two bad checks": ([BAD, BAD, CALM, CALM, CALM], []),
    "of three bad checks": ([BAD, BAD, BAD], ["raised"]),
    "of three bad checks in four": ([BAD, CALM, BAD, BAD], ["raised"]),
    "nothing of every other check": ([BAD, CALM, BAD, CALM, BAD, CALM], []),
    "once of a long fault": ([BAD] * 20, ["raised"]),
    "of a fault, not of the silence in it": ([BAD, None, BAD, None, None, BAD], ["raised"]),
    "that it is not over after one good check": ([BAD] * 4 + [CALM, BAD], ["raised"]),
    "that it is over after two": ([BAD] * 4 + [CALM, CALM], ["raised", "cleared"]),
    "that it is not over while it lingers": ([BAD] * 4 + [0.0, 0.0, 0.0], ["raised"]),
    "the same again within a day as the same": ([BAD] * 3 + [CALM] * 6 + [BAD] * 3, ["raised", "cleared", "reopened"]),
    "the same again after two days anew": ([BAD] * 3 + [CALM] * 50 + [BAD] * 3, ["raised", "cleared", "raised"]),
}


@pytest.mark.parametrize(("levels", "expected"), TELLS.values(), ids=TELLS)
def test_tells(levels: Sequence[float | None], expected: list[str]) -> None:
    assert [change.kind for change in run(levels)[1]] == expected


def test_what_is_usual_for_a_camera_raises_nothing() -> None:
    """A busy view whose blocks are often hidden: noticeable by the fixed limit, and usual here."""
    nearly = [-0.05, -0.02, -0.08, -0.04] * 6
    series, changes = run([*nearly, 0.3, 0.3, 0.3, 0.3])
    assert changes == []
    assert [change.kind for change in run([BAD] * 3, series, start=40)[1]] == ["raised"]


def test_what_is_only_just_covered_counts_for_nothing() -> None:
    series, changes = Series(), list[Change]()
    for i in range(12):
        series, more = follow(
            series, Reading(START + i * HOUR, "day", {"obstruction": 0.2}, frozenset({"obstruction"}))
        )
        changes += more
    assert changes == []


def test_a_fault_never_becomes_usual() -> None:
    series, _ = run([CALM] * 20)
    worse, _ = run([BAD] * 60, series, start=20)
    assert worse.usual == series.usual


def test_each_light_has_its_own_usual_values() -> None:
    series, _ = run([CALM] * 20)
    assert set(series.usual) == {"day/defocus"}
    night = Reading(START, "night-ir", {"defocus": -0.1}, frozenset())
    assert set(follow(series, night)[0].usual) == {"day/defocus", "night-ir/defocus"}


THRESHOLDS = {
    "nothing is known": ("defocus", (), 0.0),
    "nothing is known of covers": ("obstruction", (), 0.35),
    "it is calm": ("defocus", (-0.9,) * 20, 0.0),
    "it is calm, and covers are looked for": ("obstruction", (-0.9,) * 20, 0.35),
    "it is nearly noticeable": ("defocus", (-0.05,) * 20, 0.35),
    "it swings": ("defocus", (-0.5, 0.1) * 10, 1.579),
}


@pytest.mark.parametrize(("fault", "usual", "expected"), THRESHOLDS.values(), ids=THRESHOLDS)
def test_what_counts_where(fault: str, usual: tuple[float, ...], expected: float) -> None:
    assert threshold(fault, usual) == pytest.approx(expected, abs=0.01)


def test_a_first_bad_check_wants_a_second_look() -> None:
    assert not wants_a_second_look(run([CALM])[0])
    assert wants_a_second_look(run([CALM, BAD])[0])
    assert not wants_a_second_look(run([BAD] * 3)[0])


def test_comes_back_from_the_store_as_it_was() -> None:
    series, _ = run([*[CALM] * 5, *[BAD] * 3, CALM, CALM, BAD])
    assert from_plain(json.loads(json.dumps(to_plain(series)))) == series


def test_false_alarms_are_rare_with_heavy_tails_that_last() -> None:
    """Hourly checks of 40 cameras over 100 days: t5 noise, each hour half like the one before."""
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(40):
        noise = rng.standard_t(5, 2400)
        values = np.zeros(2400)
        for i in range(1, 2400):
            values[i] = 0.5 * values[i - 1] + 0.866 * noise[i]
        alarms += len([change for change in run((-0.4 + 0.1 * values).tolist())[1] if change.kind == "raised"])
    assert alarms / (40 * 2400 / 8766) < 1


SITES: dict[str, tuple[list[tuple[str, str, float]], list[tuple[int, bool]]]] = {
    "one camera": ([("a", "defocus", 0)], [(1, False)]),
    "two cameras at once": ([("a", "dark", 0), ("b", "dark", 0)], [(1, False), (1, False)]),
    "three of nine at once": ([("a", "dark", 0), ("b", "dark", 1), ("c", "dark", 1.5)], [(3, True)]),
    "three in three days": ([("a", "dark", 0), ("b", "dark", 24), ("c", "dark", 48)], [(1, False)] * 3),
    "three with different faults": ([("a", "dark", 0), ("b", "moved", 0), ("c", "noise", 0)], [(1, False)] * 3),
    "a storm, and a sticker": (
        [("a", "dark", 0), ("b", "dark", 0), ("c", "dark", 0), ("d", "obstruction", 0)],
        [(3, True), (1, False)],
    ),
}


@pytest.mark.parametrize(("raised", "expected"), SITES.values(), ids=SITES)
def test_a_site_of_nine_cameras_has_as_incidents_of(
    raised: list[tuple[str, str, float]], expected: list[tuple[int, bool]]
) -> None:
    events = [Raised(camera, "north", fault, START + hours * HOUR) for camera, fault, hours in raised]
    found = gather(events, {"north": 9})
    assert [(len(one.cameras), one.shared) for one in found] == expected


def test_a_large_site_needs_more_of_its_cameras() -> None:
    events = [Raised(str(i), "north", "dark", START) for i in range(5)]
    assert [one.shared for one in gather(events, {"north": 100})] == [False] * 5
