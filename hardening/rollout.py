"""A rollout: a bundle on its way over many cameras, in groups, the first one small. Pure: states in, actions out.

What may follow what stands in two tables. `decide` looks at a campaign and at all of its cameras and says which of
them go next, and whether the campaign goes on at all. A camera that we know nothing of counts as a failure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from hardening.rollout_rules import Rules
from hardening.windows import Window, may_start, next_start


class CampaignState(StrEnum):
    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting-approval"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped-by-itself"
    ABORTED = "aborted"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class CampaignEvent(StrEnum):
    SUBMIT = "submit"
    APPROVE = "approve"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    ABORT = "abort"
    FINISH = "finish"
    UNDO = "undo"
    ALL_UNDONE = "all-undone"


class TargetState(StrEnum):
    """Where one camera is. `SENDING`, `ROLLING_BACK` and `UNDOING` are written down before anything is sent."""

    WAITING = "waiting"
    OFFLINE_WAITING = "offline-waiting"
    PREFLIGHT = "preflight"
    BACKED_UP = "backed-up"
    SENDING = "sending"
    SENT = "sent"
    RESTARTING = "restarting"
    PROVING = "proving"
    ROLLING_BACK = "rolling-back"
    UNDOING = "undoing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled-back"
    KEPT = "kept"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        return self in FINAL

    @property
    def in_flight(self) -> bool:
        return self in IN_FLIGHT


class TargetEvent(StrEnum):
    BEGIN = "begin"
    UNREACHABLE = "unreachable"
    GIVE_UP = "give-up"
    UNFIT = "unfit"
    FAIL = "fail"
    BACKED_UP = "backed-up"
    PUT_BACK = "put-back"
    SEND = "send"
    ACCEPTED = "accepted"
    INTERRUPTED = "interrupted"
    RESTARTS = "restarts"
    BACK = "back"
    LOST = "lost"
    PROVED = "proved"
    NOT_PROVED = "not-proved"
    WENT_BACK = "went-back"
    UNDO = "undo"
    STAYS = "stays"
    RETRY = "retry"
    FAULT = "fault"


_C, _CE = CampaignState, CampaignEvent
CAMPAIGN_TRANSITIONS: Mapping[tuple[CampaignState, CampaignEvent], CampaignState] = MappingProxyType(
    {
        (_C.DRAFT, _CE.SUBMIT): _C.AWAITING_APPROVAL,
        (_C.DRAFT, _CE.ABORT): _C.ABORTED,
        (_C.AWAITING_APPROVAL, _CE.APPROVE): _C.APPROVED,
        (_C.AWAITING_APPROVAL, _CE.ABORT): _C.ABORTED,
        (_C.APPROVED, _CE.START): _C.RUNNING,
        (_C.APPROVED, _CE.ABORT): _C.ABORTED,
        (_C.RUNNING, _CE.PAUSE): _C.PAUSED,
        (_C.RUNNING, _CE.STOP): _C.STOPPED,
        (_C.RUNNING, _CE.ABORT): _C.ABORTED,
        (_C.RUNNING, _CE.FINISH): _C.DONE,
        (_C.PAUSED, _CE.RESUME): _C.RUNNING,
        (_C.PAUSED, _CE.STOP): _C.STOPPED,
        (_C.PAUSED, _CE.ABORT): _C.ABORTED,
        (_C.STOPPED, _CE.ABORT): _C.ABORTED,
        (_C.STOPPED, _CE.UNDO): _C.UNDOING,
        (_C.ABORTED, _CE.UNDO): _C.UNDOING,
        (_C.DONE, _CE.UNDO): _C.UNDOING,
        (_C.UNDOING, _CE.ALL_UNDONE): _C.UNDONE,
    }
)

_T, _TE = TargetState, TargetEvent
FINAL = frozenset({_T.SUCCEEDED, _T.FAILED, _T.ROLLED_BACK, _T.KEPT, _T.SKIPPED, _T.UNKNOWN})
NOT_BEGUN = frozenset({_T.WAITING, _T.OFFLINE_WAITING})
IN_FLIGHT = frozenset(TargetState) - FINAL - NOT_BEGUN
FAILURES = frozenset({_T.FAILED, _T.ROLLED_BACK, _T.UNKNOWN})

TARGET_TRANSITIONS: Mapping[tuple[TargetState, TargetEvent], TargetState] = MappingProxyType(
    {
        (_T.WAITING, _TE.BEGIN): _T.PREFLIGHT,
        (_T.WAITING, _TE.GIVE_UP): _T.SKIPPED,
        (_T.OFFLINE_WAITING, _TE.BEGIN): _T.PREFLIGHT,
        (_T.OFFLINE_WAITING, _TE.GIVE_UP): _T.SKIPPED,
        (_T.PREFLIGHT, _TE.UNREACHABLE): _T.OFFLINE_WAITING,
        (_T.PREFLIGHT, _TE.PUT_BACK): _T.WAITING,
        (_T.PREFLIGHT, _TE.UNFIT): _T.SKIPPED,
        (_T.PREFLIGHT, _TE.FAIL): _T.FAILED,
        (_T.PREFLIGHT, _TE.BACKED_UP): _T.BACKED_UP,
        (_T.BACKED_UP, _TE.PUT_BACK): _T.WAITING,
        (_T.BACKED_UP, _TE.GIVE_UP): _T.SKIPPED,
        (_T.BACKED_UP, _TE.SEND): _T.SENDING,
        (_T.SENDING, _TE.FAIL): _T.FAILED,
        (_T.SENDING, _TE.ACCEPTED): _T.SENT,
        (_T.SENDING, _TE.INTERRUPTED): _T.RESTARTING,
        (_T.SENT, _TE.RESTARTS): _T.RESTARTING,
        (_T.SENT, _TE.BACK): _T.PROVING,
        (_T.RESTARTING, _TE.BACK): _T.PROVING,
        (_T.RESTARTING, _TE.FAIL): _T.FAILED,
        (_T.RESTARTING, _TE.NOT_PROVED): _T.ROLLING_BACK,
        (_T.RESTARTING, _TE.LOST): _T.UNKNOWN,
        (_T.PROVING, _TE.PROVED): _T.SUCCEEDED,
        (_T.PROVING, _TE.NOT_PROVED): _T.ROLLING_BACK,
        (_T.ROLLING_BACK, _TE.WENT_BACK): _T.ROLLED_BACK,
        (_T.ROLLING_BACK, _TE.FAIL): _T.FAILED,
        (_T.ROLLING_BACK, _TE.LOST): _T.UNKNOWN,
        (_T.SUCCEEDED, _TE.UNDO): _T.UNDOING,
        (_T.UNDOING, _TE.WENT_BACK): _T.ROLLED_BACK,
        (_T.UNDOING, _TE.STAYS): _T.KEPT,
        (_T.UNDOING, _TE.LOST): _T.UNKNOWN,
        # Only a person asks for these: the camera is looked at anew, and an image that arrived is not sent again.
        (_T.FAILED, _TE.RETRY): _T.WAITING,
        (_T.ROLLED_BACK, _TE.RETRY): _T.WAITING,
        (_T.UNKNOWN, _TE.RETRY): _T.WAITING,
        (_T.SKIPPED, _TE.RETRY): _T.WAITING,
        # A fault of ours while a camera is in flight: nobody knows what it has now.
        **{(state, _TE.FAULT): _T.UNKNOWN for state in IN_FLIGHT},
    }
)

# The image goes to nobody any more; what is in flight comes to its end.
_ASKED_AGAIN = timedelta(days=1)  # of windows that do not meet: a site's may be another one by then
WINDING_UP = frozenset({_C.STOPPED, _C.ABORTED})


class NotAllowed(Exception):
    """This cannot follow on that."""


def after(state: TargetState, event: TargetEvent) -> TargetState:
    """Raises NotAllowed."""
    try:
        return TARGET_TRANSITIONS[state, event]
    except KeyError:
        raise NotAllowed(f"a camera that is {state} cannot take {event}") from None


def campaign_after(state: CampaignState, event: CampaignEvent) -> CampaignState:
    """Raises NotAllowed."""
    try:
        return CAMPAIGN_TRANSITIONS[state, event]
    except KeyError:
        raise NotAllowed(f"a rollout that is {state} cannot take {event}") from None


@dataclass(frozen=True, slots=True)
class Target:
    """One camera of a campaign, as far as deciding needs it. `since` is when it came into its state.

    `not_before` holds it back: after a camera was offline, or busy with other work. `give_up_at` is when an offline
    camera is no longer waited for. `window` is its site's own, which holds beside that of the campaign.
    """

    id: str
    group: int
    site: str
    zone: str
    state: TargetState
    since: datetime
    not_before: datetime | None = None
    give_up_at: datetime | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Actions:
    """What to do now. `wake_at` is when to decide again although nothing has happened by then."""

    begin: tuple[str, ...] = ()
    give_up: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    event: CampaignEvent | None = None
    reason: str = ""
    wake_at: datetime | None = None


def decide(state: CampaignState, rules: Rules, targets: Sequence[Target], now: datetime) -> Actions:
    """Pure. One pass over the cameras, however many of them changed."""
    tally = Tally(targets)
    if state in WINDING_UP:
        return Actions(give_up=tuple(target.id for target in targets if target.state in NOT_BEGUN))
    if state is CampaignState.UNDOING:
        return _undo(rules, targets, tally)
    if state not in (CampaignState.RUNNING, CampaignState.PAUSED):
        return Actions()
    if reason := too_many_failures(rules, tally):
        return Actions(event=CampaignEvent.STOP, reason=reason)
    if state is CampaignState.PAUSED:
        return Actions()
    late = tuple(target.id for target in targets if _is_given_up(target, now))
    if late:
        return Actions(give_up=late)
    if tally.finals == len(targets):
        reason = next((why for group in tally.groups if (why := _falls_short(rules, tally, group))), "")
        return Actions(event=CampaignEvent.STOP if reason else CampaignEvent.FINISH, reason=reason)
    return _next(rules, targets, tally, now)


class Tally:
    """How many cameras of each group are in which state, and when the last one of a group came to its end."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self.by_group: dict[int, Counter[TargetState]] = {}
        self.last_end: dict[int, datetime] = {}
        self.in_flight: Counter[str] = Counter()
        for target in targets:
            state, group = target.state, target.group
            counts = self.by_group.get(group)
            if counts is None:
                counts = self.by_group[group] = Counter()
            counts[state] += 1
            if state in FINAL:
                if group not in self.last_end or target.since > self.last_end[group]:
                    self.last_end[group] = target.since
            elif state in IN_FLIGHT:
                self.in_flight[target.site] += 1
        self.groups = sorted(self.by_group)
        self.all: Counter[TargetState] = sum(self.by_group.values(), Counter())
        self.finals = sum(self.all[state] for state in FINAL)
        self.failures = sum(self.all[state] for state in FAILURES)

    def of(self, group: int, states: Iterable[TargetState]) -> int:
        counts = self.by_group[group]
        return sum(counts[state] for state in states)


def too_many_failures(rules: Rules, tally: Tally) -> str:
    """Why the campaign has to stop, "" where it may go on."""
    if rules.errors.count is not None and tally.failures >= rules.errors.count:
        return f"{tally.failures} cameras failed; the rollout stops at {rules.errors.count}"
    if rules.errors.percent is None:
        return ""
    for group in tally.groups:
        failed, size = tally.of(group, FAILURES), tally.by_group[group].total()
        if failed and failed * 100 >= rules.errors.percent * size:
            return (
                f"{failed} of {size} cameras of group {group} failed; the rollout stops at {rules.errors.percent:g} %"
            )
    return ""


def _falls_short(rules: Rules, tally: Tally, group: int) -> str:
    """Why this group, come to its end, is not proof enough for the next; "" where it is.

    Cameras that were left alone prove nothing for or against.
    """
    proved, failed = tally.of(group, (_T.SUCCEEDED,)), tally.of(group, FAILURES)
    tried = proved + failed
    if not tried or proved * 100 >= rules.success_percent * tried:
        return ""
    return f"only {proved} of {tried} cameras of group {group} were proved; {rules.success_percent:g} % are asked for"


def _next(rules: Rules, targets: Sequence[Target], tally: Tally, now: datetime) -> Actions:
    group, wake = tally.groups[0], []
    for group in tally.groups:
        if tally.of(group, IN_FLIGHT | {_T.WAITING}):
            break
        if reason := _falls_short(rules, tally, group):
            return Actions(event=CampaignEvent.STOP, reason=reason)
        soaked = tally.last_end.get(group, now) + rules.soak if tally.of(group, (_T.SUCCEEDED,)) else now
        if soaked > now:
            wake.append(soaked)
            break
    room = Room(rules, tally)
    begin = []
    for target in targets:
        if target.group > group or target.state not in NOT_BEGUN:
            continue
        if target.give_up_at:
            wake.append(target.give_up_at)
        if target.not_before and target.not_before > now:
            wake.append(target.not_before)
        elif not may_start((rules.window, target.window), target.zone, now, rules.expected):
            opening = next_start((rules.window, target.window), target.zone, now, rules.expected)
            wake.append(opening or now + _ASKED_AGAIN)
        elif room.take(target.site):
            begin.append(target.id)
    return Actions(begin=tuple(begin), wake_at=min(wake, default=None))


class Room:
    """How many more cameras may be in flight, in all and at each site.

    Until one camera is proved, no more are risked at a time than the first group has.
    """

    def __init__(self, rules: Rules, tally: Tally) -> None:
        most = rules.in_flight if tally.all[_T.SUCCEEDED] else min(rules.in_flight, rules.canary)
        self._left = most - tally.in_flight.total()
        self._per_site = rules.in_flight_per_site
        self._sites = Counter(tally.in_flight)

    def take(self, site: str) -> bool:
        if self._left <= 0 or self._sites[site] >= self._per_site:
            return False
        self._left -= 1
        self._sites[site] += 1
        return True


def _undo(rules: Rules, targets: Sequence[Target], tally: Tally) -> Actions:
    """The succeeded ones, as many at a time as the rules allow; no window holds a way back up."""
    if tally.finals == len(targets) and not tally.all[_T.SUCCEEDED]:
        return Actions(event=CampaignEvent.ALL_UNDONE)
    room = Room(rules, tally)
    return Actions(
        undo=tuple(one.id for one in targets if one.state is _T.SUCCEEDED and room.take(one.site)),
        give_up=tuple(one.id for one in targets if one.state in NOT_BEGUN),
    )


def _is_given_up(target: Target, now: datetime) -> bool:
    return target.state in NOT_BEGUN and target.give_up_at is not None and target.give_up_at <= now
