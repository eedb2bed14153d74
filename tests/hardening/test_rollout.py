"""The state machine of a rollout: every edge and every non-edge, thresholds, groups, limits, windows, soak."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hardening.rollout import (
    CAMPAIGN_TRANSITIONS,
    FINAL,
    IN_FLIGHT,
    NOT_BEGUN,
    TARGET_TRANSITIONS,
    CampaignEvent,
    CampaignState,
    NotAllowed,
    Target,
    TargetEvent,
    TargetState,
    after,
    campaign_after,
    decide,
)
from hardening.rollout_rules import Errors, RuleError, Rules, check, group_sizes, parse_errors, parse_percent
from hardening.windows import parse_window

NOW = datetime(2026, 6, 10, 12, 0, tzinfo=UTC)
C, S = CampaignState, TargetState
RULES = Rules(
    canary=2,
    growth=2,
    success_percent=80,
    errors=Errors(3, None),
    in_flight=4,
    in_flight_per_site=3,
    soak=timedelta(0),
    window=None,
    expected=timedelta(minutes=15),
    restart_most=timedelta(minutes=10),
    offline_most=timedelta(days=1),
    rollback_after=None,
    backup_required=False,
)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(TargetState, TargetEvent)))
def test_every_edge_and_every_other_pair_of_a_camera(state: TargetState, event: TargetEvent) -> None:
    if (state, event) in TARGET_TRANSITIONS:
        assert after(state, event) is TARGET_TRANSITIONS[state, event]
    else:
        with pytest.raises(NotAllowed, match=f"{state} cannot take {event}"):
            after(state, event)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(CampaignState, CampaignEvent)))
def test_every_edge_and_every_other_pair_of_a_rollout(state: CampaignState, event: CampaignEvent) -> None:
    if (state, event) in CAMPAIGN_TRANSITIONS:
        assert campaign_after(state, event) is CAMPAIGN_TRANSITIONS[state, event]
    else:
        with pytest.raises(NotAllowed):
            campaign_after(state, event)


def test_every_state_is_one_of_three_kinds_and_can_be_left_and_reached() -> None:
    assert set(TargetState) == FINAL | IN_FLIGHT | NOT_BEGUN
    assert not FINAL & IN_FLIGHT
    reached = set(TARGET_TRANSITIONS.values())
    assert reached == set(TargetState)
    assert {state for state, _ in TARGET_TRANSITIONS} == set(TargetState) - {S.KEPT}
    assert set(CAMPAIGN_TRANSITIONS.values()) == set(CampaignState) - {C.DRAFT}


def test_an_image_is_sent_from_one_state_only_and_only_a_person_leads_back_there() -> None:
    """Without RETRY no way leads from SENDING to SENDING again."""
    edges: dict[TargetState, set[TargetState]] = {}
    for (state, event), then in TARGET_TRANSITIONS.items():
        if event is not TargetEvent.RETRY:
            edges.setdefault(state, set()).add(then)
    assert [state for (state, event) in TARGET_TRANSITIONS if event is TargetEvent.SEND] == [S.BACKED_UP]
    seen, ahead = set[TargetState](), {S.SENDING}
    while ahead:
        ahead = set().union(*(edges.get(state, set()) for state in ahead)) - seen
        seen |= ahead
    assert S.SENDING not in seen
    assert S.BACKED_UP not in seen


@pytest.mark.parametrize("start", sorted(IN_FLIGHT))
def test_from_every_state_in_flight_an_end_can_be_reached(start: TargetState) -> None:
    seen, ahead = set[TargetState](), {start}
    while ahead - seen:
        seen |= ahead
        ahead = {then for (state, _), then in TARGET_TRANSITIONS.items() if state in ahead}
    assert seen & FINAL


def targets(
    *groups: Mapping[TargetState, int], site: str = "", zone: str = "UTC", ago: timedelta = timedelta(0)
) -> list[Target]:
    """So many cameras of each state in each group."""
    made = [
        (number, state) for number, group in enumerate(groups, start=1) for state, n in group.items() for _ in range(n)
    ]
    return [Target(str(i), group, site, zone, state, NOW - ago) for i, (group, state) in enumerate(made)]


def at_a_site(group: Mapping[TargetState, int], window: str) -> list[Target]:
    """As `targets`, where the site has a window of its own."""
    return [replace(target, window=parse_window(window)) for target in targets(group)]


# What there is; how many are begun, which event.
DECIDED: dict[str, tuple[Rules, list[Target], int, CampaignEvent | None]] = {
    "the first group begins": (RULES, targets({S.WAITING: 2}, {S.WAITING: 4}), 2, None),
    "the next one waits for it": (RULES, targets({S.PROVING: 1, S.SUCCEEDED: 1}, {S.WAITING: 4}), 0, None),
    "the next one begins when it is proved": (RULES, targets({S.SUCCEEDED: 2}, {S.WAITING: 4}), 3, None),
    "no more than the limit of a site": (
        replace(RULES, in_flight_per_site=1),
        targets({S.SUCCEEDED: 2}, {S.WAITING: 4}),
        1,
        None,
    ),
    "no more than the limit in all": (
        replace(RULES, in_flight=2, in_flight_per_site=9),
        targets({S.SUCCEEDED: 2}, {S.RESTARTING: 1, S.WAITING: 4}),
        1,
        None,
    ),
    "one that is taken back is in flight too": (
        replace(RULES, in_flight=2),
        targets({S.SUCCEEDED: 2}, {S.ROLLING_BACK: 2, S.WAITING: 4}),
        0,
        None,
    ),
    "an offline one does not hold up the others": (
        RULES,
        targets({S.SUCCEEDED: 1, S.OFFLINE_WAITING: 1}, {S.WAITING: 1}),
        2,
        None,
    ),
    "skipped ones prove nothing, so the next group is as careful as the first": (
        RULES,
        targets({S.SKIPPED: 2}, {S.WAITING: 4}),
        2,
        None,
    ),
    "too many failures in all": (
        RULES,
        targets({S.SUCCEEDED: 9, S.FAILED: 1}, {S.UNKNOWN: 1, S.ROLLED_BACK: 1, S.WAITING: 9}),
        0,
        CampaignEvent.STOP,
    ),
    "one failure less goes on": (
        RULES,
        targets({S.SUCCEEDED: 9}, {S.UNKNOWN: 1, S.FAILED: 1, S.WAITING: 9}),
        3,
        None,
    ),
    "an unknown one is a failure": (
        replace(RULES, errors=Errors(1, None)),
        targets({S.UNKNOWN: 1, S.WAITING: 1}),
        0,
        CampaignEvent.STOP,
    ),
    "a skipped one is none": (
        replace(RULES, errors=Errors(1, None)),
        targets({S.SUCCEEDED: 1}, {S.SKIPPED: 1, S.WAITING: 1}),
        1,
        None,
    ),
    "too many percent of one group": (
        replace(RULES, errors=Errors(None, 10)),
        targets({S.SUCCEEDED: 100}, {S.FAILED: 1, S.WAITING: 9}),
        0,
        CampaignEvent.STOP,
    ),
    "fewer percent go on": (
        replace(RULES, errors=Errors(None, 10)),
        targets({S.SUCCEEDED: 100}, {S.FAILED: 1, S.WAITING: 10}),
        3,
        None,
    ),
    "a group that is not proved enough": (
        RULES,
        targets({S.SUCCEEDED: 3, S.FAILED: 1}, {S.WAITING: 4}),
        0,
        CampaignEvent.STOP,
    ),
    "a group that is just proved enough": (
        RULES,
        targets({S.SUCCEEDED: 4, S.FAILED: 1}, {S.WAITING: 4}),
        3,
        None,
    ),
    "all at their end": (RULES, targets({S.SUCCEEDED: 2}, {S.SKIPPED: 1, S.SUCCEEDED: 4}), 0, CampaignEvent.FINISH),
    "all at their end, but not proved enough": (
        replace(RULES, errors=Errors(9, None)),
        targets({S.SUCCEEDED: 2}, {S.FAILED: 4}),
        0,
        CampaignEvent.STOP,
    ),
    "an hour of soaking": (
        replace(RULES, soak=timedelta(hours=1)),
        targets({S.SUCCEEDED: 2}, {S.WAITING: 4}, ago=timedelta(minutes=59)),
        0,
        None,
    ),
    "an hour of soaking is over": (
        replace(RULES, soak=timedelta(hours=1)),
        targets({S.SUCCEEDED: 2}, {S.WAITING: 4}, ago=timedelta(minutes=60)),
        3,
        None,
    ),
    "outside the window": (replace(RULES, window=parse_window("22:00-05:00")), targets({S.WAITING: 2}), 0, None),
    "inside the window": (replace(RULES, window=parse_window("12:00-13:00")), targets({S.WAITING: 2}), 2, None),
    "the end would be outside the window": (
        replace(RULES, window=parse_window("11:00-12:10")),
        targets({S.WAITING: 2}),
        0,
        None,
    ),
    "the window of a site that is further east": (
        replace(RULES, window=parse_window("15:00-16:00")),
        targets({S.WAITING: 2}, zone="Europe/Athens"),
        2,
        None,
    ),
    "outside the window of the site": (RULES, at_a_site({S.WAITING: 2}, "22:00-05:00"), 0, None),
    "inside the window of the site": (RULES, at_a_site({S.WAITING: 2}, "12:00-13:00"), 2, None),
    "inside the window of the site, outside that of the rollout": (
        replace(RULES, window=parse_window("22:00-05:00")),
        at_a_site({S.WAITING: 2}, "12:00-23:00"),
        0,
        None,
    ),
    "windows that do not meet": (
        replace(RULES, window=parse_window("22:00-05:00")),
        at_a_site({S.WAITING: 2}, "12:00-13:00"),
        0,
        None,
    ),
}


@pytest.mark.parametrize(("rules", "cameras", "begun", "event"), DECIDED.values(), ids=DECIDED)
def test_what_is_decided(rules: Rules, cameras: list[Target], begun: int, event: CampaignEvent | None) -> None:
    actions = decide(C.RUNNING, rules, cameras, NOW)
    assert (len(actions.begin), actions.event) == (begun, event)
    assert bool(actions.reason) is (event is CampaignEvent.STOP)
    if not begun and event is None and not any(camera.state.in_flight for camera in cameras):
        assert actions.wake_at is not None
        assert actions.wake_at > NOW


@pytest.mark.parametrize("state", [C.DRAFT, C.AWAITING_APPROVAL, C.APPROVED, C.DONE, C.UNDONE])
def test_nothing_is_done_to_a_rollout_that_does_not_run(state: CampaignState) -> None:
    assert decide(state, RULES, targets({S.WAITING: 3, S.FAILED: 9}), NOW) == decide(state, RULES, [], NOW)


def test_a_paused_rollout_begins_nobody_and_still_stops_by_itself() -> None:
    assert not decide(C.PAUSED, RULES, targets({S.WAITING: 3}), NOW).begin
    assert decide(C.PAUSED, RULES, targets({S.FAILED: 3}), NOW).event is CampaignEvent.STOP


def test_after_an_end_by_force_nobody_is_begun() -> None:
    actions = decide(C.STOPPED, RULES, targets({S.WAITING: 2, S.OFFLINE_WAITING: 1, S.PROVING: 1}), NOW)
    assert (len(actions.give_up), actions.begin) == (3, ())


def test_an_offline_camera_is_tried_again_and_given_up_at_its_deadline() -> None:
    def offline(later: timedelta, deadline: timedelta) -> list[Target]:
        return [Target("1", 1, "", "UTC", S.OFFLINE_WAITING, NOW, NOW + later, NOW + deadline)]

    hour = timedelta(hours=1)
    waits = decide(C.RUNNING, RULES, offline(hour, 2 * hour), NOW)
    assert (waits.begin, waits.give_up, waits.wake_at) == ((), (), NOW + hour)
    assert decide(C.RUNNING, RULES, offline(-hour, hour), NOW).begin == ("1",)
    assert decide(C.RUNNING, RULES, offline(hour, -hour), NOW).give_up == ("1",)


def test_undoing_takes_back_as_many_at_a_time_as_the_limits_allow() -> None:
    actions = decide(C.UNDOING, RULES, targets({S.SUCCEEDED: 5, S.UNDOING: 1, S.FAILED: 1}), NOW)
    assert len(actions.undo) == 2
    done = decide(C.UNDOING, RULES, targets({S.ROLLED_BACK: 5, S.KEPT: 1}), NOW)
    assert done.event is CampaignEvent.ALL_UNDONE


ERRORS: dict[str, Errors | None] = {
    "3": Errors(3, None),
    "5%": Errors(None, 5),
    "2.5%": Errors(None, 2.5),
    "3,5%": Errors(3, 5),
    "5 %, 3": Errors(3, 5),
    "": None,
    "0": None,
    "0%": None,
    "101%": None,
    "-1": None,
    "three": None,
    "3,3": None,
    "3,": None,
    "nan%": None,
    "1e3": None,
    "٣": None,
    "0x3": None,
}


@pytest.mark.parametrize("text", ERRORS)
def test_a_threshold_that_nobody_understands_is_refused(text: str) -> None:
    if (expected := ERRORS[text]) is not None:
        assert parse_errors(text) == expected
        return
    with pytest.raises(RuleError):
        parse_errors(text)


@pytest.mark.parametrize(("text", "percent"), [("95", 95), ("95%", 95), ("99.5 %", 99.5), ("100", 100)])
def test_a_percentage(text: str, percent: float) -> None:
    assert parse_percent(text) == percent


@pytest.mark.parametrize("text", ["", "0", "100.1", "-5", "many", "nan", "95%%"])
def test_no_percentage(text: str) -> None:
    with pytest.raises(RuleError):
        parse_percent(text)


UNKEEPABLE: dict[str, dict[str, object]] = {
    "no canary": {"canary": 0},
    "nobody at a time": {"in_flight": 0},
    "nobody at a site": {"in_flight_per_site": 0},
    "groups that shrink": {"growth": 0.5},
    "growth that is no number": {"growth": float("nan")},
    "no error threshold": {"errors": Errors(None, None)},
    "no success threshold": {"success_percent": 0},
    "nothing takes no time": {"expected": timedelta(0)},
    "a window that is shorter than one camera takes": {"window": parse_window("22:00-22:10")},
    "a way back before the restart is over": {"rollback_after": timedelta(minutes=5)},
    "negative soak": {"soak": timedelta(seconds=-1)},
}


@pytest.mark.parametrize("change", UNKEEPABLE.values(), ids=UNKEEPABLE)
def test_rules_that_cannot_be_kept_are_refused(change: dict[str, object]) -> None:
    check(RULES)
    with pytest.raises(RuleError):
        check(replace(RULES, **change))  # type: ignore[arg-type] # by name


@pytest.mark.parametrize(
    ("cameras", "canary", "growth", "sizes"),
    [(1, 3, 4, [1]), (12, 2, 4, [2, 8, 2]), (10, 3, 1, [3, 3, 3, 1]), (100, 5, 2.5, [5, 13, 32, 50])],
)
def test_how_cameras_are_divided(cameras: int, canary: int, growth: float, sizes: list[int]) -> None:
    assert group_sizes(cameras, canary, growth) == sizes


def test_too_many_groups_are_refused() -> None:
    with pytest.raises(RuleError, match="groups"):
        group_sizes(100_000, 1, 1)
