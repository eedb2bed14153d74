"""What changed, as lines that a person reads and follows: each leads to the list behind its number."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from fleet import changes as fleet_changes
from fleet.camera_events import Happened
from fleet.changes import Change, What
from fleet.estate import GONE
from fleet.findings.lifecycle import Event
from web.rendering import plural
from web.words import JOB_STATES, Word


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """`word` is what it is, `text` how many of what, `href` the list of them."""

    word: Word
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class _Kind:
    word: Word
    one: str
    many: str
    # The filter of the list; "" is a list without one for it.
    event: str = ""
    path: str = ""


_KINDS: Mapping[What, _Kind] = {
    What.CAMERA_NEW: _Kind(Word("New cameras", "camera", "accent"), "camera", "cameras", Happened.FOUND),
    What.CAMERA_GONE: _Kind(Word("Silent", "plug", "unknown"), "known camera", "known cameras", GONE),
    What.CAMERA_MOVED: _Kind(Word("Moved", "arrow", "low"), "camera", "cameras", Happened.MOVED),
    What.CAMERA_UPDATED: _Kind(Word("Other firmware", "box", "low"), "camera", "cameras", Happened.UPDATED),
    What.CAMERA_SWAPPED: _Kind(
        Word("Another unit in its place", "triangle", "fail"), "camera", "cameras", Happened.DISPLACED
    ),
    What.FINDING_NEW: _Kind(Word("New", "circle-dot", "fail"), "finding", "findings", Event.OPENED),
    What.FINDING_REOPENED: _Kind(Word("Came back", "return", "fail"), "finding", "findings", Event.REOPENED),
    What.FINDING_FIXED: _Kind(Word("Fixed", "check", "pass"), "finding", "findings", Event.FIXED),
    What.PICTURE_BAD: _Kind(
        Word("Picture went bad", "picture", "fail"), "incident", "incidents", path="/images?faults=1"
    ),
    What.PICTURE_RECOVERED: _Kind(
        Word("Picture is back", "picture", "pass"), "incident", "incidents", path="/images#incidents"
    ),
    What.AI_DRIFTED: _Kind(Word("Its AI drifted", "eye", "fail"), "camera", "cameras", Happened.AI_DRIFTED),
    What.AI_STEADY: _Kind(Word("Its AI is steady again", "eye", "pass"), "camera", "cameras", Happened.AI_STEADY),
    What.SCAN_ENDED: _Kind(Word("Scan", "radar", "quiet"), "scan", "scans", path="/jobs?kind=scan"),
    What.PLAN_ENDED: _Kind(Word("Plan", "plan", "quiet"), "plan", "plans", path="/jobs?kind=plan"),
    What.ROLLOUT_ENDED: _Kind(Word("Rollout", "box", "quiet"), "rollout", "rollouts", path="/jobs?kind=rollout"),
}
_JOBS = {What.SCAN_ENDED: "scan", What.PLAN_ENDED: "plan", What.ROLLOUT_ENDED: "rollout"}


def lines(changed: fleet_changes.Changes) -> tuple[ChangeLine, ...]:
    return tuple(_line(one, changed.since) for one in changed.items)


def _line(change: Change, since: datetime) -> ChangeLine:
    kind = _KINDS[change.what]
    text = plural(change.count, f"{change.severity} {kind.one}", f"{change.severity} {kind.many}")
    if change.severity is None:
        text = plural(change.count, kind.one, kind.many)
    if change.state:
        state = JOB_STATES[_JOBS[change.what]].get(change.state)
        text = f"{change.count:,} {(state.text if state else change.state).lower()}"
    return ChangeLine(kind.word, text, kind.path or _href(change, kind, since))


def _href(change: Change, kind: _Kind, since: datetime) -> str:
    query = {"event": str(kind.event), "since": since.isoformat(timespec="seconds")}
    if not change.what.startswith("finding"):
        return f"/devices?{urlencode(query)}"
    severity = {"severity": str(change.severity)} if change.severity else {}
    return f"/findings?{urlencode({'state': 'any', **severity, **query})}"
