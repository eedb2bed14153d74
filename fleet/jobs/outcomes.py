"""What a step's end means for its job: judged here, written elsewhere. Pure but for chance."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cameras.untrusted import clean_text
from fleet.jobs import rows
from fleet.jobs.model import MOST_NOTE, Again, Asked, Done, Failed, Kind, Next, Progress
from fleet.jobs.states import JobState, Move, after

FIRST_WAIT = timedelta(seconds=10)
MOST_WAIT = timedelta(hours=1)
MOST_LOSSES = 5


@dataclass(frozen=True, slots=True)
class Change:
    """`move` is `None` where only the progress moved."""

    job: str
    move: Move | None
    values: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def state(self) -> JobState:
        """The one after; a job that only moved on runs still."""
        found = after(JobState.RUNNING, self.move) if self.move else JobState.RUNNING
        if found is None:
            raise ValueError(f"a running job does not {self.move}")
        return found


def became(row: rows.AnyRow, kind: Kind, said: Next | Progress, now: datetime, chance: random.Random) -> Change:
    """What is asked of a job happens now, unless it came to its end by itself."""
    match said:
        case Progress():
            return Change(row.id, None, _told(said))
        case Done() if row.asked != Asked.HURRY:
            ended = {"finished_at": now, "result": clean_text(said.result, MOST_NOTE), "reason": ""}
            return Change(row.id, Move.FINISH, ended, said.result)
        case Failed():
            return _failed(row, kind, said, now, chance)
    asked = _asked(row, now)
    if asked:
        return asked
    if isinstance(said, Done):  # it does not know of what it was hurried for
        said = Again()
    if isinstance(said, Again):
        told = said.progress or Progress(row.done, row.total, row.note)
        at = now if row.asked == Asked.HURRY else said.at or now
        values = {"not_before": at, "tries": 0, "losses": 0, **_told(told)}
        return Change(row.id, Move.AGAIN, values, told.note)
    return Change(row.id, Move.PUT_BACK, {"not_before": now}, said.reason)


def _asked(row: rows.AnyRow, now: datetime) -> Change | None:
    if row.asked == Asked.CANCEL:
        return Change(row.id, Move.CANCEL, {"finished_at": now, "reason": "cancelled between two steps"})
    return Change(row.id, Move.PAUSE) if row.asked == Asked.PAUSE else None


def _failed(row: rows.AnyRow, kind: Kind, said: Failed, now: datetime, chance: random.Random) -> Change:
    reason, tries = clean_text(said.reason, MOST_NOTE), row.tries + 1
    if said.final or tries >= kind.most_tries:
        return Change(row.id, Move.FAIL, {"finished_at": now, "reason": reason, "tries": tries}, reason)
    if asked := _asked(row, now):
        return asked
    values = {"reason": reason, "tries": tries, "not_before": now + wait_after(tries, chance)}
    return Change(row.id, Move.RETRY, values, reason)


def wait_after(tries: int, chance: random.Random) -> timedelta:
    """Twice as long after each failure, up to a limit, and never in step with others."""
    longest: timedelta = min(MOST_WAIT, FIRST_WAIT * (1 << min(tries - 1, 20)))
    return longest * chance.uniform(0.5, 1.0)


def lost(row: rows.AnyRow, now: datetime) -> Change:
    """Its process ended. A job that ends every process that has it is given up."""
    losses = row.losses + 1
    if losses >= MOST_LOSSES:
        reason = f"{losses} processes ended while they were at it"
        return Change(row.id, Move.FAIL, {"finished_at": now, "reason": reason, "losses": losses}, reason)
    if asked := _asked(row, now):
        return asked
    values = {"losses": losses, "not_before": now}
    return Change(row.id, Move.PUT_BACK, values, "its process ended, or was not heard of any more")


def _told(progress: Progress) -> dict[str, Any]:
    note = clean_text(progress.note, MOST_NOTE)
    return {"done": max(0, progress.done), "total": max(0, progress.total), "note": note}
