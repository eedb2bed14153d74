"""When a new model may stay on a camera: what counts is what was promised, and what chance does not explain."""

from datetime import date

import pytest

from analytics_qa.matching import Tally
from fleet.accuracy.model_gate import Measurement, too_little, unkept

DAY = date(2026, 11, 26)


def measured(found: int, there: int, false: int = 0, *, pictures: int = 50, condition: str = "day") -> Measurement:
    """So many of so many in every picture."""
    return Measurement(condition, DAY, (Tally(found, false, there - found),) * pictures)


def jumbled(hits: int, of: int) -> Measurement:
    """One object in each picture, found or not, evenly mixed."""
    found = (Tally(int(place * hits // of != (place + 1) * hits // of), 0, 0) for place in range(of))
    return Measurement("day", DAY, tuple(Tally(one.hits, 0, 1 - one.hits) for one in found))


GOOD = measured(9, 10)
CASES: dict[str, tuple[dict[str, float], Measurement | None, Measurement, str]] = {
    "the same": ({}, GOOD, GOOD, ""),
    "better": ({}, measured(5, 10), GOOD, ""),
    "far worse": ({}, GOOD, measured(3, 10), "recall 0.30"),
    "it makes things up": ({}, GOOD, measured(9, 10, 20), "precision 0.31"),
    "a fall that was allowed": ({"most_fall": 0.7}, GOOD, measured(3, 10), ""),
    "a fall that chance explains": ({}, jumbled(54, 60), jumbled(50, 60), ""),
    "the same fall, shown": ({}, jumbled(1800, 2000), jumbled(1650, 2000), "fell from 0.90"),
    "never measured before, nothing named": ({}, None, measured(3, 10), ""),
    "never measured before, a limit named": ({"least_recall": 0.8}, None, measured(3, 10), "below 0.80"),
    "a limit of precision": ({"least_precision": 0.5}, GOOD, measured(9, 10, 20), "below 0.50"),
    "too few objects": ({}, GOOD, measured(1, 1, pictures=20), "only 20 of at least 30"),
    "few are enough where that was said": ({"least_n": 10}, None, measured(1, 1, pictures=20), ""),
    "nothing could be compared": ({}, GOOD, Measurement("day", DAY, ()), "was not measured"),
    "so little that a collapse could have hidden": (
        {"least_n": 5},
        measured(1, 1, pictures=6),
        jumbled(5, 6),
        "rule out",
    ),
    "night has fallen meanwhile": ({}, GOOD, measured(9, 10, condition="night-ir"), "not comparable"),
}


@pytest.mark.parametrize(("promised", "before", "after", "words"), CASES.values(), ids=CASES)
def test_what_speaks_against_a_new_model(
    promised: dict[str, float], before: Measurement | None, after: Measurement, words: str
) -> None:
    found = unkept(promised, before, after)
    assert bool(found) is bool(words), found
    assert words in "; ".join(found)


@pytest.mark.parametrize(("there", "words"), [(30, None), (29, "29 of at least 30 objects in 120 s")])
def test_a_scene_that_is_too_empty_is_known_before(there: int, words: str | None) -> None:
    said = too_little({}, measured(0, 1, pictures=there))
    assert (said is None) if words is None else words in str(said)


def test_a_measurement_is_the_same_after_it_was_stored() -> None:
    assert Measurement.from_plain(GOOD.plain()) == GOOD
