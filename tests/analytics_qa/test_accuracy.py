"""Who is who, how right, how sure."""

from datetime import date

import numpy as np
import pytest

from analytics_qa.accuracy import Measured, accuracy, average_precision
from analytics_qa.detections import Detections, named
from analytics_qa.intervals import share, share_of_clusters, student, wilson
from analytics_qa.matching import Tally, tally
from analytics_qa.poisson import at_most, poisson_interval, surprise
from analytics_qa.spot_checks import Question, answer, fixed_labels

A, B, FAR = [0, 0, 10, 10], [5, 0, 15, 10], [50, 50, 60, 60]


def found(*rows: tuple[str, float, list[int]]) -> Detections:
    return named(rows)


def true(*boxes: list[int], name: str = "person") -> Detections:
    return named((name, 1.0, box) for box in boxes)


TALLIES = {
    "found": (found(("person", 0.9, A)), true(A), Tally(1, 0, 0)),
    "missed": (found(), true(A), Tally(0, 0, 1)),
    "imagined": (found(("person", 0.9, A)), true(), Tally(0, 1, 0)),
    "one object found twice counts once": (found(("person", 0.9, A), ("person", 0.8, A)), true(A), Tally(1, 1, 0)),
    "another class is another object": (found(("vehicle", 0.9, A)), true(A), Tally(0, 1, 1)),
    "too little overlap": (found(("person", 0.9, B)), true(A), Tally(0, 1, 1)),
    "the surer one chooses first": (
        found(("person", 0.5, [1, 0, 11, 10]), ("person", 0.9, A)),
        true(A, [2, 0, 12, 10]),
        Tally(2, 0, 0),
    ),
    "nobody there, nobody seen": (found(), true(), Tally(0, 0, 0)),
}


@pytest.mark.parametrize(("seen", "there", "expected"), TALLIES.values(), ids=TALLIES)
def test_matches(seen: Detections, there: Detections, expected: Tally) -> None:
    assert tally(seen, there) == expected


PRECISIONS: dict[str, tuple[list[Detections], list[Detections], float | None]] = {
    "perfect": ([found(("person", 0.9, A))], [true(A)], 1.0),
    "nothing found": ([found()], [true(A)], 0.0),
    "nothing there": ([found(("person", 0.9, A))], [true()], None),
    "half of them, none wrong": ([found(("person", 0.9, A))], [true(A, FAR)], 51 / 101),
    "a false one that is surer": ([found(("person", 0.9, FAR), ("person", 0.5, A))], [true(A)], 0.5),
    "a false one that is less sure costs nothing": (
        [found(("person", 0.9, A), ("person", 0.5, FAR))],
        [true(A)],
        1.0,
    ),
    "over several pictures": ([found(("person", 0.9, A)), found(("person", 0.8, FAR))], [true(A), true(A)], 51 / 101),
}


@pytest.mark.parametrize(("seen", "there", "expected"), PRECISIONS.values(), ids=PRECISIONS)
def test_average_precision_by_101_points(
    seen: list[Detections], there: list[Detections], expected: float | None
) -> None:
    assert average_precision(seen, there, "person") == (None if expected is None else pytest.approx(expected))


# Values from Brown, Cai and DasGupta (2001) and from the findings this project started with.
INTERVALS = {
    "nothing tried": (0, 0, 0.0, 1.0),
    "20 of 20": (20, 20, 0.839, 1.0),
    "45 of 50": (45, 50, 0.786, 0.957),
    "180 of 200": (180, 200, 0.851, 0.934),
    "0 of 10": (0, 10, 0.0, 0.278),
}


@pytest.mark.parametrize(("hits", "n", "low", "high"), INTERVALS.values(), ids=INTERVALS)
def test_wilson(hits: int, n: int, low: float, high: float) -> None:
    assert list(wilson(hits, n)) == pytest.approx([low, high], abs=1e-3)


def test_student_meets_the_tables() -> None:
    assert [student(0.95, freedom) for freedom in (3, 5, 10, 30)] == pytest.approx(
        [3.182, 2.571, 2.228, 2.042], rel=0.01
    )


def width(clusters: list[tuple[int, int]]) -> float:
    one = share_of_clusters(clusters)
    return one.high - one.low


def test_minutes_that_are_alike_within_prove_less() -> None:
    mixed = [(8, 10)] * 20
    alike = [(10, 10)] * 16 + [(0, 10)] * 4
    plain = share(160, 200)
    assert width(mixed) == pytest.approx(plain.high - plain.low)
    assert width(alike) > 2.5 * width(mixed)


def test_one_minute_proves_next_to_nothing() -> None:
    assert width([(50, 50)]) > 0.7
    assert width([]) == 1.0


def test_all_hit_is_not_all_certain() -> None:
    assert share_of_clusters([(10, 10)] * 20).low < share(200, 200).low - 0.05


def test_accuracy_says_for_each_condition_how_many_and_when() -> None:
    first, last = date(2026, 3, 1), date(2026, 3, 9)
    rows = [
        Measured("night-ir", "a", last, Tally(3, 1, 1)),
        Measured("day", "a", first, Tally(8, 0, 2)),
        Measured("day", "b", last, Tally(9, 1, 1)),
    ]
    day, night = accuracy(rows)
    assert (day.condition, day.recall.value, day.recall.n, day.pictures) == ("day", 0.85, 20, 2)
    assert (day.precision.n, day.first, day.last) == (18, first, last)
    assert (night.recall.value, night.precision.value) == (0.75, 0.75)
    assert accuracy([]) == ()


# --- counts ---

POISSON = {"0 in a week": (0, 0.0, 3.689), "5 in a week": (5, 1.623, 11.668), "100": (100, 81.36, 121.63)}


@pytest.mark.parametrize(("count", "low", "high"), POISSON.values(), ids=POISSON)
def test_exact_intervals_of_counts(count: int, low: float, high: float) -> None:
    assert list(poisson_interval(count)) == pytest.approx([low, high], abs=0.01)


SURPRISES = {
    "as expected": (20, 20.0, 0.0, 0.0),
    "far too few": (0, 30.0, 0.0, -4.0),
    "too few is less strange where days differ": (10, 20.0, 0.25, -0.9),
    "nothing where nothing is expected": (0, 0.0, 0.0, 0.0),
    "something where nothing is expected": (3, 0.0, 0.0, 4.0),
    "large counts go the short way": (900, 1000.0, 0.0, -3.16),
    "an hour gone mad": (10**9, 20.0, 0.0, 4.0),
}


@pytest.mark.parametrize(("count", "mean", "spread", "z"), SURPRISES.values(), ids=SURPRISES)
def test_surprise(count: int, mean: float, spread: float, z: float) -> None:
    assert surprise(count, mean, spread) == pytest.approx(z, abs=0.12)


def test_the_two_distributions_meet_without_overdispersion() -> None:
    assert at_most(7, 5.0, 1e-9) == pytest.approx(at_most(7, 5.0), abs=1e-4)
    assert at_most(7, 5.0, 0.5) < at_most(7, 5.0)


# --- how many labels ---

ANSWERS = {
    "no label yet": (0, 0, "go on"),
    "all right": (16, 0, "good"),
    "most wrong": (0, 3, "poor"),
    "between the two": (10, 2, "go on"),
    "enough is enough": (101, 20, "undecided"),
}


@pytest.mark.parametrize(("hits", "misses", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_labels_end_as_soon_as_it_is_clear(hits: int, misses: int, expected: str) -> None:
    assert answer(Question(), hits, misses) == expected


def test_it_takes_fewer_labels_than_a_number_fixed_before() -> None:
    chance, question = np.random.default_rng(1), Question()
    spent = []
    for _ in range(300):
        hits = misses = 0
        while answer(question, hits, misses) == "go on":
            right = chance.random() < 0.95
            hits, misses = hits + right, misses + (not right)
        spent.append(hits + misses)
    assert np.mean(spent) < fixed_labels(question) / 2
