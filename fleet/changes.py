"""What changed since a moment, in numbers: cameras, findings, pictures, the cameras' own AI, work that ended.

One query for each kind, each by an index on time. What is behind a number is a list that somebody can open.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, distinct, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.camera_events import Happened
from fleet.errors import Invalid
from fleet.findings.lifecycle import Event
from fleet.people.scope import EVERYWHERE, Scope
from fleet.store import Store
from fleet.store import plans_tables as p
from fleet.store import rollouts_tables as r
from fleet.store import tables as t
from fleet.store.pictures_tables import PictureIncident
from scanners.model import Severity

A_DAY = timedelta(hours=24)
LONGEST = timedelta(days=31)


class What(StrEnum):
    """Kinds of change, in the order in which a reader wants them."""

    CAMERA_NEW = "camera-new"
    CAMERA_GONE = "camera-gone"
    CAMERA_MOVED = "camera-moved"
    CAMERA_UPDATED = "camera-updated"
    CAMERA_SWAPPED = "camera-swapped"
    FINDING_NEW = "finding-new"
    FINDING_REOPENED = "finding-reopened"
    FINDING_FIXED = "finding-fixed"
    PICTURE_BAD = "picture-bad"
    PICTURE_RECOVERED = "picture-recovered"
    AI_DRIFTED = "ai-drifted"
    AI_STEADY = "ai-steady"
    SCAN_ENDED = "scan-ended"
    PLAN_ENDED = "plan-ended"
    ROLLOUT_ENDED = "rollout-ended"


@dataclass(frozen=True, slots=True)
class Change:
    """`count` of them. `severity` is of findings, `state` is how work ended."""

    what: What
    count: int
    severity: Severity | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """`items` is empty where nothing changed."""

    since: datetime
    items: tuple[Change, ...]


async def changes(store: Store, since: datetime | None = None, scope: Scope = EVERYWHERE) -> Changes:
    """Since a day ago, or since another moment; only what belongs to cameras in `scope`.

    Raises Invalid for a moment that is to come, or so long ago that numbers say nothing any more.
    """
    now = store.now()
    since = since or now - A_DAY
    if not now - LONGEST <= since <= now:
        raise Invalid(f"say a moment of the last {LONGEST.days} days")
    async with store.read() as connection:
        found = [
            *await _cameras(connection, since, scope),
            *await _findings(connection, since, scope),
            *await _pictures(connection, since, scope),
            *await _work(connection, since, scope),
        ]
    order = list(What)
    return Changes(since, tuple(sorted((one for one in found if one.count), key=lambda one: order.index(one.what))))


async def lately(store: Store, days: int = 1, scope: Scope = EVERYWHERE) -> Changes:
    """The same of the last days. Of a large estate some seconds old, as `since` says."""
    back = timedelta(days=days)
    return await store.summaries.get(("changes", days, scope), lambda: changes(store, store.now() - back, scope))


_EVENTS = {
    Happened.FOUND: What.CAMERA_NEW,
    Happened.MOVED: What.CAMERA_MOVED,
    Happened.UPDATED: What.CAMERA_UPDATED,
    Happened.DISPLACED: What.CAMERA_SWAPPED,
    Happened.AI_DRIFTED: What.AI_DRIFTED,
    Happened.AI_STEADY: What.AI_STEADY,
}


async def _cameras(connection: AsyncConnection, since: datetime, scope: Scope) -> list[Change]:
    e = t.CameraEvent
    events = select(e.event, func.count(distinct(e.camera))).where(e.at >= since, scope.of(e.camera))
    counts = await _counts(connection, events.group_by(e.event))
    silent = t.ScanNotEvaluated
    gone = (
        select(func.count(distinct(t.Camera.id)))
        .join(silent, silent.address == t.Camera.address)
        .where(silent.current, silent.at >= since, t.Camera.last_seen < silent.at, scope.of(t.Camera.id))
    )
    return [
        Change(What.CAMERA_GONE, (await connection.execute(gone)).scalar_one()),
        *(Change(what, counts.get(event.value, 0)) for event, what in _EVENTS.items()),
    ]


_OF_FINDINGS = {
    Event.OPENED: What.FINDING_NEW,
    Event.REOPENED: What.FINDING_REOPENED,
    Event.FIXED: What.FINDING_FIXED,
}


async def _findings(connection: AsyncConnection, since: datetime, scope: Scope) -> list[Change]:
    """A finding that was fixed and came back counts as both."""
    e, f = t.FindingEvent, t.Finding
    kinds = [event.value for event in _OF_FINDINGS]
    query = (
        select(e.event, f.severity, func.count(distinct(f.id)))
        .join(f, f.id == e.finding)
        .where(e.event.in_(kinds), e.at >= since, scope.of(f.camera))
        .group_by(e.event, f.severity)
        .order_by(f.severity.desc())
    )
    rows = (await connection.execute(query)).all()
    return [Change(_OF_FINDINGS[Event(event)], count, severity) for event, severity, count in rows]


async def _pictures(connection: AsyncConnection, since: datetime, scope: Scope) -> list[Change]:
    """By cameras; an incident of a whole site is one."""
    i = PictureIncident
    here = true() if scope.everywhere else scope.of(i.camera) | (i.camera.is_(None) & scope.at(i.site))
    own = (i.part_of.is_(None), here)
    bad = select(func.count()).select_from(i).where(i.opened_at >= since, i.closed_at.is_(None), *own)
    recovered = select(func.count()).select_from(i).where(i.closed_at >= since, *own)
    return [
        Change(What.PICTURE_BAD, (await connection.execute(bad)).scalar_one()),
        Change(What.PICTURE_RECOVERED, (await connection.execute(recovered)).scalar_one()),
    ]


async def _work(connection: AsyncConnection, since: datetime, scope: Scope) -> list[Change]:
    """Scans look at networks, which belong to nobody: whoever sees only some sites is not told of them."""
    plan = p.Plan.id.in_(select(p.PlanCamera.plan).where(scope.of(p.PlanCamera.camera)))
    rollout = r.Rollout.id.in_(select(r.RolloutTarget.rollout).where(scope.of(r.RolloutTarget.camera)))
    kinds: list[tuple[What, Any, ColumnElement[bool]]] = [
        (What.PLAN_ENDED, p.Plan, true() if scope.everywhere else plan),
        (What.ROLLOUT_ENDED, r.Rollout, true() if scope.everywhere else rollout),
    ]
    if scope.everywhere:
        kinds.insert(0, (What.SCAN_ENDED, t.Scan, true()))
    found = []
    for what, table, here in kinds:
        query = select(table.state, func.count()).where(table.finished_at >= since, here).group_by(table.state)
        counts = await _counts(connection, query.order_by(table.state))
        found += [Change(what, count, state=state) for state, count in counts.items()]
    return found


async def _counts(connection: AsyncConnection, query: Any) -> dict[str, int]:  # noqa: ANN401 - any select of two columns
    return {name: count for name, count in (await connection.execute(query)).all()}  # noqa: C416 - rows are no pairs to mypy
