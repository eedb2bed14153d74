"""Every edge of the table of states, and every edge that is not there."""

from itertools import product

import pytest

from hardening.lifecycle import (
    TRANSITIONS,
    CameraEvent,
    CameraState,
    Event,
    Impossible,
    State,
    StepEvent,
    StepState,
    after,
    camera_after,
    step_after,
)

PAIRS: list[tuple[State, Event]] = list(product([*StepState, *CameraState], [*StepEvent, *CameraEvent]))
ENDS = {
    StepState.IN_ORDER,
    StepState.UNKNOWN,
    StepState.NOT_APPLICABLE,
    StepState.STALE,
    StepState.REFUSED,
    StepState.UNDONE,
    StepState.FAILED,
    StepState.SKIPPED,
}


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=lambda one: f"{type(one).__name__}.{one.name}")
def test_what_is_not_in_the_table_does_not_happen(state: State, event: Event) -> None:
    if (state, event) in TRANSITIONS:
        if isinstance(state, StepState) and isinstance(event, StepEvent):
            assert step_after(state, event) is after(state, event)
        if isinstance(state, CameraState) and isinstance(event, CameraEvent):
            assert camera_after(state, event) is after(state, event)
    else:
        with pytest.raises(Impossible, match=event.value):
            after(state, event)


def test_the_table_mixes_no_steps_with_cameras_and_uses_every_event() -> None:
    for (state, event), then in TRANSITIONS.items():
        assert type(state) is type(then)
        assert isinstance(event, StepEvent) is isinstance(state, StepState)
    assert {event for _, event in TRANSITIONS} == {*StepEvent, *CameraEvent}


def test_every_state_can_be_reached_and_left_but_the_ends() -> None:
    settled_by_planning = {StepState.WAITING, StepState.UNKNOWN, StepState.NOT_APPLICABLE, CameraState.WAITING}
    assert {*StepState, *CameraState} - set(TRANSITIONS.values()) == settled_by_planning
    assert {*StepState, *CameraState} - {state for state, _ in TRANSITIONS} == {*ENDS, CameraState.UNDONE}
