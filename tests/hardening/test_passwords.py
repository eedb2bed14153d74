"""The protocol of a password change: which state may follow which, and what is done next on which evidence."""

import json
from itertools import product

import pytest

from hardening.password_rules import ANY_FAMILY, CLASSES, RULES, PasswordRule, new_password, rule_for
from hardening.passwords import (
    LATE_WAITS,
    SILENT_WAITS,
    TRANSITIONS,
    Action,
    Answer,
    Evidence,
    Look,
    Move,
    PutBack,
    Seal,
    Send,
    Settle,
    State,
    Try,
    Wait,
    next_action,
)

W, R, U = Answer.WORKS, Answer.REFUSED, Answer.UNKNOWN
ONE, TWO = ("onvif",), ("onvif", "web")
EDGES = {
    ("planned", "sealed"),
    ("planned", "undone"),
    ("sealed", "sending"),
    ("sealed", "undone"),
    ("sending", "sent"),
    ("sending", "proving"),
    ("sent", "proving"),
    ("proving", "current"),
    ("proving", "undone"),
    ("proving", "undoing"),
    ("proving", "unclear"),
    ("undoing", "undone"),
    ("undoing", "unclear"),
    ("unclear", "proving"),
    ("unclear", "undone"),
}


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_only_these_states_follow_each_other(before: State, after: State) -> None:
    assert (after in TRANSITIONS[before]) is ((before.value, after.value) in EDGES)


def test_after_sending_a_password_is_never_simply_given_up() -> None:
    """Only a proof leads from "sending" to an end."""
    for state in (State.SENDING, State.SENT):
        assert not any(after.final for after in TRANSITIONS[state])


def known(stores: tuple[str, ...], **more: object) -> Evidence:
    """Evidence; answers are written as old_web=R."""
    answers = {name.replace("_", "@"): more.pop(name) for name in list(more) if "_" in name and name[:3] in "old new"}
    values = {"stores": stores, "said": "yes", "answers": answers, "waits": LATE_WAITS, **more}
    return Evidence(**values)  # type: ignore[arg-type] # by name


NEXT: dict[str, tuple[State, Evidence, Action | State]] = {
    "first it looks": (State.PLANNED, Evidence(), Look()),
    "then it seals": (State.PLANNED, Evidence(stores=("onvif",)), Seal()),
    "a camera that could not be looked at is left": (State.PLANNED, Evidence(trouble="silent"), State.UNDONE),
    "only what is sealed is sent": (State.SEALED, Evidence(stores=("onvif",)), Send()),
    "what could not be sent is undone": (State.SEALED, Evidence(stores=("onvif",), trouble="gone"), State.UNDONE),
    "what may have been sent is proved": (State.SENDING, Evidence(stores=("onvif",)), Move(State.PROVING)),
    "what was sent is proved": (State.SENT, Evidence(stores=("onvif",), said="yes"), Move(State.PROVING)),
    "the old one is tried first, at the store that was not written to": (State.PROVING, known(TWO), Try("old", "web")),
    "an old one that works may only be late": (
        *(State.PROVING, known(TWO, old_web=W, waits=0)),
        Wait("late", 0),
    ),
    "but not where the camera refused the change": (
        *(State.PROVING, known(TWO, old_web=W, waits=0, said="no")),
        Try("old", "onvif"),
    ),
    "after the last wait the other store is asked": (State.PROVING, known(TWO, old_web=W), Try("old", "onvif")),
    "but not after a wrong try": (State.PROVING, known(TWO, old_web=W, wrong=1), State.UNCLEAR),
    "the old one everywhere is undone": (State.PROVING, known(TWO, old_web=W, old_onvif=W), State.UNDONE),
    "the old one at the only store is undone": (State.PROVING, known(ONE, old_onvif=W), State.UNDONE),
    "stores that disagree: the new one is proved": (
        *(State.PROVING, known(TWO, old_web=W, old_onvif=R, wrong=1)),
        Try("new", "onvif"),
    ),
    "stores that disagree: the old one is put back": (
        *(State.PROVING, known(TWO, old_web=W, old_onvif=R, new_onvif=W, wrong=1)),
        Move(State.UNDOING),
    ),
    "the new one is tried when the old one is refused": (State.PROVING, known(TWO, old_web=R), Try("new", "web")),
    "and at every other store": (State.PROVING, known(TWO, old_web=R, new_web=W), Try("new", "onvif")),
    "then it is current": (State.PROVING, known(TWO, old_web=R, new_web=W, new_onvif=W), State.CURRENT),
    "current at the only store": (State.PROVING, known(ONE, old_onvif=R, new_onvif=W), State.CURRENT),
    "one store without the new one is unclear": (
        *(State.PROVING, known(TWO, old_web=R, new_web=W, new_onvif=R)),
        State.UNCLEAR,
    ),
    "one that refuses both is left alone": (State.PROVING, known(ONE, old_onvif=R, new_onvif=R), State.UNCLEAR),
    "an old one that was cut off may only be late": (State.PROVING, known(ONE, old_onvif=U, waits=0), Wait("late", 0)),
    "after that the new one is likely": (State.PROVING, known(ONE, old_onvif=U), Try("new", "onvif")),
    "and if it is refused the old one is right": (
        *(State.PROVING, known(ONE, old_onvif=U, new_onvif=R, unknown=1)),
        Try("old", "onvif"),
    ),
    "a new one that was cut off is right when the old one was refused": (
        *(State.PROVING, known(ONE, old_onvif=R, new_onvif=U, unknown=1)),
        Try("new", "onvif"),
    ),
    "but not for ever": (State.PROVING, known(ONE, old_onvif=R, new_onvif=U, unknown=3), State.UNCLEAR),
    "both cut off is unclear": (State.PROVING, known(ONE, old_onvif=U, new_onvif=U, unknown=2), State.UNCLEAR),
    "an old one that was not tried to its end does not hold up the new one": (
        *(State.PROVING, known(ONE, old_onvif=U, new_onvif=W)),
        State.CURRENT,
    ),
    "after silence it waits": (State.PROVING, known(ONE, silences=1, rest=True), Wait("silent", 0)),
    "each time longer": (State.PROVING, known(ONE, silences=6, rest=True), Wait("silent", 5)),
    "but not for ever, silent": (
        *(State.PROVING, known(ONE, silences=SILENT_WAITS + 1, rest=True)),
        State.UNCLEAR,
    ),
    "a hint at a lock-out ends all tries": (State.PROVING, known(ONE, trouble="locked"), State.UNCLEAR),
    "undoing puts back": (State.UNDOING, known(TWO), PutBack()),
    "what was put back is proved": (State.UNDOING, known(TWO, put_back="yes"), Try("old", "onvif")),
    "what was put back everywhere is undone": (
        *(State.UNDOING, known(TWO, put_back="yes", old_web=W, old_onvif=W)),
        State.UNDONE,
    ),
    "what did not come back is unclear": (State.UNDOING, known(TWO, put_back="yes", old_onvif=R), State.UNCLEAR),
    "a refusal to put back is unclear": (State.UNDOING, known(TWO, put_back="no"), State.UNCLEAR),
    "silence while it was put back is unclear": (State.UNDOING, known(TWO, put_back="silence"), State.UNCLEAR),
    "undoing waits for a silent camera": (State.UNDOING, known(TWO, silences=1, rest=True), Wait("silent", 0)),
}


@pytest.mark.parametrize(("state", "evidence", "action"), NEXT.values(), ids=NEXT)
def test_what_is_next(state: State, evidence: Evidence, action: Action | State) -> None:
    found = next_action(state, evidence)
    if isinstance(action, State):
        assert isinstance(found, Settle)
        assert found.to is action
        assert found.to in TRANSITIONS[state]
        assert found.reason
    else:
        assert found == action


@pytest.mark.parametrize("state", [state for state in State if state.resting])
def test_nothing_is_next_in_a_state_of_rest(state: State) -> None:
    with pytest.raises(ValueError, match="nothing is next"):
        next_action(state, Evidence())


def test_nothing_but_what_is_allowed_ever_follows() -> None:
    """On any answers whatsoever: it neither raises nor leaves the table, and it never tries beyond the bounds."""
    names = ("old@web", "old@onvif", "new@web", "new@onvif")
    for answers in product((None, W, R, U), repeat=4):
        held = {name: answer for name, answer in zip(names, answers, strict=True) if answer}
        for state, waits, wrong, unknown in product((State.PROVING, State.UNDOING), (0, LATE_WAITS), (0, 1), (0, 3)):
            evidence = known(TWO, waits=waits, wrong=wrong, unknown=unknown, answers=held)
            action = next_action(state, evidence)
            if isinstance(action, Settle | Move):
                assert action.to in TRANSITIONS[state]
            if isinstance(action, Settle) and action.to is State.CURRENT:
                assert evidence.answer("new", "web") is evidence.answer("new", "onvif") is W


def test_evidence_survives_the_store() -> None:
    evidence = known(TWO, old_web=R, new_web=U, begun="new@onvif", wrong=2, put_back="yes", trouble="x")
    assert Evidence.from_json(json.loads(json.dumps(evidence.as_json()))) == evidence
    assert Evidence.from_json(json.loads(json.dumps(Evidence().as_json()))) == Evidence()
    assert Evidence.from_json({**evidence.as_json(), "of an earlier version": 1}) == evidence


RESUMED: dict[str, tuple[Evidence, Evidence]] = {
    "nothing was begun": (known(ONE, old_onvif=R), known(ONE, old_onvif=R)),
    "a try may have been made": (known(ONE, begun="old@onvif"), known(ONE, old_onvif=U, wrong=1, unknown=1)),
    "the change may have been sent, and the driver have tried the old one": (
        known(TWO, said=None, begun="send"),
        known(TWO, said=None, old_web=U, wrong=1),
    ),
    "the same, where one door is known": (
        known(ONE, said=None, begun="send"),
        known(ONE, said=None, old_onvif=U, wrong=1),
    ),
}


@pytest.mark.parametrize(("left", "found"), RESUMED.values(), ids=RESUMED)
def test_another_process_does_not_know_what_became_of_the_last_step(left: Evidence, found: Evidence) -> None:
    assert left.resumed() == found


@pytest.mark.parametrize("begun", ["look", "put-back"])
def test_another_process_does_not_repeat_what_may_have_been_a_wrong_try(begun: str) -> None:
    found = known(ONE, begun=begun).resumed()
    assert found.begun is None
    assert "the process ended" in str(found.trouble)


AGAIN = {
    "everything is asked anew": (known(ONE, wrong=1, trouble="locked"), {}),
    "what refused both is asked for the new one only": (known(ONE, old_onvif=R, new_onvif=R), {"old@onvif": R}),
    "what may have refused the old one is asked for the new one": (known(ONE, old_onvif=U), {"old@onvif": U}),
    "what refused the old one is asked for the new one": (known(ONE, old_onvif=R), {"old@onvif": U}),
}


@pytest.mark.parametrize(("left", "answers"), AGAIN.values(), ids=AGAIN)
def test_a_reconcile_looks_again(left: Evidence, answers: dict[str, Answer]) -> None:
    again = left.again()
    assert again == Evidence(stores=left.stores, said="yes", answers=answers, waits=LATE_WAITS)


def test_a_wait_for_a_late_camera_forgets_what_worked_before() -> None:
    assert known(ONE, old_onvif=W, waits=0).waited() == known(ONE, waits=1)


@pytest.mark.parametrize(("said", "answer"), [("yes", R), ("no", U), ("silence", U)])
def test_a_login_that_the_driver_had_refused_while_it_sent_counts(said: str, answer: Answer) -> None:
    sent = known(TWO, said=said, waits=0)
    assert sent.spent_in_sending(0) == sent
    found = sent.spent_in_sending(1)
    assert (found.wrong, found.answer("old", "web")) == (1, answer)
    assert known(ONE, said=said).spent_in_sending(1).answer("old", "onvif") is U


# --- new passwords ---


@pytest.mark.parametrize("rule", [*RULES.values(), ANY_FAMILY, PasswordRule(8, 10)])
def test_a_new_password_has_all_classes_and_fits(rule: PasswordRule) -> None:
    for _ in range(200):
        text = new_password(rule, "camwarden").reveal()
        assert rule.shortest <= len(text) <= min(rule.longest, 12)
        assert all(set(text) & set(kind) for kind in CLASSES)
        assert text.isascii()
        assert text.isprintable()
        assert not set(text) & set("0O1Il \"'<>&%\\$")


def test_no_two_are_alike() -> None:
    drawn = {new_password(ANY_FAMILY, "admin").reveal() for _ in range(500)}
    assert len(drawn) == 500


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        *(("HIKVISION", RULES["hikvision"]), ("Hanwha Vision", RULES["hanwha"]), ("AXIS", RULES["axis"])),
        *(("Northlight", ANY_FAMILY), (None, ANY_FAMILY), ("", ANY_FAMILY)),
    ],
)
def test_the_rule_is_the_familys(said: str | None, rule: PasswordRule) -> None:
    assert rule_for(said) is rule
