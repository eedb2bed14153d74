"""Templates, what the machine makes of a row, what a person may say, and pixel density."""

import pytest

from fleet.commissioning import density
from fleet.commissioning.checklist import ANSWERS, Answer, Seen, State, automatic, label_matches, refuse
from fleet.commissioning.template import Row, bundled, read_template, template
from fleet.errors import Invalid
from scanners.model import Outcome

DOORS = Row(id="doors", title="Doors", kind="checks", checks=("telnet-open", "ftp-open"))
MOUNTING = Row(id="mounting", title="Mounting", kind="person", how="Pull.", evidence=("photo",))
VIEW = Row(id="view", title="View", kind="still", how="Look.", evidence=("still",))


def test_the_small_site_has_twelve_rows_of_every_kind() -> None:
    rows = template("small-site").rows
    assert len(rows) == 12
    assert {row.kind for row in rows} == {"checks", "person", "still", "label", "density"}


def test_every_bundled_template_can_be_read() -> None:
    assert [one.id for one in bundled()] == ["small-site"]


HEAD = "id: mine\nversion: 1\ntitle: Mine\nrows:\n"
MISTAKES = {
    "not YAML": ("id: [", "line 1"),
    "no rows": ("id: mine\nversion: 1\ntitle: Mine\nrows: []", "at least 1"),
    "an unknown key": (HEAD + "- {id: a, title: A, kind: person, how: Look., colour: red}", "colour"),
    "a check that is none": (HEAD + "- {id: a, title: A, kind: checks, checks: [telnet]}", "no check is called telnet"),
    "checks without checks": (HEAD + "- {id: a, title: A, kind: checks}", "at least one"),
    "a person who is not told how": (HEAD + "- {id: a, title: A, kind: person}", "say how"),
    "a density without a target": (HEAD + "- {id: a, title: A, kind: density, how: Mark.}", "has a target"),
    "a level that is none": (HEAD + "- {id: a, title: A, kind: density, how: Mark., target: see}", "called see"),
    "the same row twice": (HEAD + "- {id: a, title: A, kind: person, how: x}\n" * 2, "same id"),
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_template_that_is_wrong_says_where(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        read_template(text, "mine.yaml")
    assert str(caught.value).startswith("mine.yaml")


def _seen(**outcomes: Outcome) -> list[Seen]:
    return [Seen(check.replace("_", "-"), outcome, f"{check}: {outcome}") for check, outcome in outcomes.items()]


AUTOMATIC = {
    "all passed": (_seen(telnet_open=Outcome.PASS, ftp_open=Outcome.NOT_APPLICABLE), State.AUTO_PASS, "2 verdicts"),
    "one failed": (_seen(telnet_open=Outcome.FAIL, ftp_open=Outcome.PASS), State.AUTO_FAIL, "telnet_open"),
    "one failed, one unknown": (_seen(telnet_open=Outcome.FAIL, ftp_open=Outcome.UNKNOWN), State.AUTO_FAIL, "telnet"),
    "one unknown": (_seen(telnet_open=Outcome.UNKNOWN, ftp_open=Outcome.PASS), State.NEEDS_PERSON, "could not be told"),
    "an error of ours": (_seen(telnet_open=Outcome.ERROR, ftp_open=Outcome.PASS), State.NEEDS_PERSON, "could not"),
    "one never asked": (_seen(telnet_open=Outcome.PASS), State.NEEDS_PERSON, "not looked at yet: ftp-open"),
    "nothing at all": ([], State.NEEDS_PERSON, "ftp-open, telnet-open"),
    "others do not count": (
        _seen(telnet_open=Outcome.PASS, ftp_open=Outcome.PASS, clock_skew=Outcome.FAIL),
        State.AUTO_PASS,
        "2 verdicts",
    ),
}


@pytest.mark.parametrize(("verdicts", "state", "said"), AUTOMATIC.values(), ids=AUTOMATIC)
def test_the_machine_closes_what_it_saw(verdicts: list[Seen], state: State, said: str) -> None:
    found = automatic(DOORS, verdicts)
    assert (found.state, said in found.reason) == (state, True)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("row", [DOORS, MOUNTING, VIEW], ids=lambda row: row.kind)
def test_a_row_takes_only_its_own_answers(row: Row, state: State) -> None:
    said = Answer(state, "because", evidence=("a" * 64,))
    if state in ANSWERS[row.kind]:
        refuse(row, said, still=True)
    else:
        with pytest.raises(Invalid, match="takes only"):
            refuse(row, said, still=True)


REFUSED = {
    "a waiver without a word": (DOORS, Answer(State.WAIVED, " "), "say why"),
    "a failure without a word": (MOUNTING, Answer(State.FAILED), "say why"),
    "a photo row without a photo": (MOUNTING, Answer(State.PASSED), "take one first"),
    "a still row without a still": (VIEW, Answer(State.PASSED), "no still"),
}


@pytest.mark.parametrize(("row", "said", "words"), REFUSED.values(), ids=REFUSED)
def test_an_answer_carries_what_its_row_wants(row: Row, said: Answer, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        refuse(row, said, still=False)


LABELS = {
    "the serial number": ("ACCC8E123456", True),
    "with separators and in small letters": ("ac:cc:8e:12:34:56", True),
    "scanned with words around it": ("S/N: ACCC8E123456", True),
    "another camera's": ("ACCC8E999999", False),
    "too short to tell": ("3456", False),
    "nothing": ("", False),
}


@pytest.mark.parametrize(("typed", "right"), LABELS.values(), ids=LABELS)
def test_a_label_is_the_cameras_own_or_not(typed: str, right: bool) -> None:
    assert label_matches(typed, ("ACCC8E123456", None)) is right


MEASURED = {
    "a person of 1.7 m over 425 rows": (100, 525, 1.7, 250.0, "identify", "characterise"),
    "marked from below": (525, 100, 1.7, 250.0, "identify", "characterise"),
    "far away": (100, 134, 1.7, 20.0, "monitor", "overview"),
    "too far for anything": (100, 110, 1.7, 5.9, None, None),
    "a chart close up": (0, 1080, 0.5, 2160.0, "inspect", "scrutinise"),
}


@pytest.mark.parametrize(("top", "bottom", "height", "px", "old", "new"), MEASURED.values(), ids=MEASURED)
def test_pixels_per_metre(
    top: float, bottom: float, height: float, px: float, old: str | None, new: str | None
) -> None:
    assert density.measure(top, bottom, height) == density.Density(px, old, new)


@pytest.mark.parametrize(
    ("top", "bottom", "height"), [(5, 5, 1.7), (0, 400, 0), (0, 400, 1000), (0, 400, float("nan"))]
)
def test_what_cannot_be_measured_is_said_so(top: float, bottom: float, height: float) -> None:
    with pytest.raises(Invalid):
        density.measure(top, bottom, height)
