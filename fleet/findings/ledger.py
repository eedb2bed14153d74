"""Rows of findings, their history and the counts that follow from them. For use inside a transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.findings.lifecycle import TRANSITIONS, Event, FindingState, Seen
from fleet.store import tables as t
from fleet.store.ids import new_id
from fleet.store.parts import parts
from scanners.model import Severity

_CLOCK = "clock"
_CHANGE = update(t.Finding).where(t.Finding.id == bindparam("finding"))
_APPEND = insert(t.FindingEvent)
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Word:
    """Who changes findings, when, and what they say to it."""

    actor: str
    at: datetime
    reason: str | None = None
    until: datetime | None = None


def event_row(finding: str, event: Event, word: Word) -> Values:
    said: Values = {"actor": word.actor, "at": word.at, "reason": word.reason, "until": word.until}
    return {"id": new_id(), "finding": finding, "event": event.value, **said}


def run_out(until: datetime | None, now: datetime) -> Word:
    """What the clock says of an acceptance that has ended."""
    return Word(_CLOCK, now, f"it was accepted until {until:%Y-%m-%d %H:%M} UTC")


async def change(connection: AsyncConnection, rows: Sequence[Values]) -> None:
    """Set the named columns of each finding that a row names in "finding"; all rows name the same columns."""
    if rows:
        await connection.execute(_CHANGE, rows)


async def append(connection: AsyncConnection, events: Sequence[Values]) -> None:
    if events:
        await connection.execute(_APPEND, events)


def expired(now: datetime) -> Select[str, str, datetime | None]:
    """Findings whose acceptance has run out."""
    run_out = (t.IS_ACCEPTED, t.Finding.accepted_until <= now)
    return select(t.Finding.id, t.Finding.camera, t.Finding.accepted_until).where(*run_out)


async def reopen_expired(connection: AsyncConnection, now: datetime) -> int:
    rows = (await connection.execute(expired(now))).all()
    if not rows:
        return 0
    state, event = TRANSITIONS[FindingState.RISK_ACCEPTED, Seen.EXPIRED]
    words = [run_out(row.accepted_until, now) for row in rows]
    reopened = {"state": state.value, "accepted_until": None, "reason": None}
    await change(connection, [{"finding": row.id, **reopened} for row in rows])
    await append(connection, [event_row(row.id, event, word) for row, word in zip(rows, words, strict=True)])
    await count_live(connection, {row.camera for row in rows})
    return len(rows)


async def count_live(connection: AsyncConnection, cameras: Iterable[str]) -> None:
    """Bring the counts on the cameras' rows in line with their live findings."""
    counts = {camera: dict.fromkeys(Severity, 0) for camera in cameras}
    for some in parts(counts):
        counted = await connection.execute(
            select(t.Finding.camera, t.Finding.severity, func.count())
            .where(t.Finding.camera.in_(some), t.IS_LIVE)
            .group_by(t.Finding.camera, t.Finding.severity)
        )
        for camera, severity, number in counted.all():
            counts[camera][severity] = number
    rows: list[Values] = [
        {"camera": camera, "worst": next((severity for severity in Severity if live[severity]), None)}
        | {severity.value: live[severity] for severity in Severity}
        for camera, live in counts.items()
    ]
    if rows:
        await connection.execute(update(t.Camera).where(t.Camera.id == bindparam("camera")), rows)
