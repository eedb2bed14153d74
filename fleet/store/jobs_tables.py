"""The queue of jobs, what happened to each, schedules, and when a camera is due for what."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base

# Written as they stand in the partial indexes: SQLite uses one only where it can read the condition.
_QUEUED = text("state = 'queued'")
_WAITING = text("state = 'waiting'")
_RUNNING = text("state = 'running'")
_OPEN = text("state IN ('queued', 'waiting', 'running', 'paused')")
_FINAL = text("state IN ('done', 'failed', 'cancelled')")


class Job(Base):
    """One unit of work (`fleet.jobs.model.Job`). `beat` changes with every renewal of its lease."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_queued", "priority", "id", sqlite_where=_QUEUED, postgresql_where=_QUEUED),
        Index("ix_jobs_waiting", "not_before", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_jobs_running", "holder", "kind", "site", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
        Index("ix_jobs_running_camera", "camera", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
        Index("uq_jobs_key", "key", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_jobs_finished", "kind", "finished_at", sqlite_where=_FINAL, postgresql_where=_FINAL),
        Index(None, "kind", "id"),
        Index(None, "state", "id"),
        Index(None, "camera", "id"),
        Index(None, "work"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    camera: Mapped[str | None]
    site: Mapped[str | None]
    work: Mapped[str]
    key: Mapped[str | None]
    state: Mapped[str]
    priority: Mapped[int]
    not_before: Mapped[datetime]
    tries: Mapped[int]
    losses: Mapped[int]
    holder: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    beat: Mapped[int]
    asked: Mapped[str]
    actor: Mapped[str]
    payload: Mapped[dict[str, Any]]
    done: Mapped[int]
    total: Mapped[int]
    note: Mapped[str] = mapped_column(Text)
    result: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    queued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


# Conditions that meet the partial indexes above.
IS_QUEUED = Job.state == literal_column("'queued'", String)
IS_WAITING = Job.state == literal_column("'waiting'", String)
IS_RUNNING = Job.state == literal_column("'running'", String)
IS_OPEN = Job.state.in_([literal_column(f"'{state}'", String) for state in ("queued", "waiting", "running", "paused")])
IS_FINAL = Job.state.in_([literal_column(f"'{state}'", String) for state in ("done", "failed", "cancelled")])


class JobEvent(Base):
    """History: what happened to a job, and who or what did it."""

    __tablename__ = "job_events"
    __table_args__ = (Index(None, "job", "id"), Index(None, "at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    job: Mapped[str]
    at: Mapped[datetime]
    event: Mapped[str]
    actor: Mapped[str]
    note: Mapped[str] = mapped_column(Text)


class Schedule(Base):
    """What begins by itself, of which site (`None`: the whole estate), and when.

    `setting` names the setting that says so, "" where people do. `due_at` is the next time, in UTC, as it was written
    down; what is in the past then was missed.
    """

    __tablename__ = "schedules"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    what: Mapped[str]
    site: Mapped[str | None]
    cadence: Mapped[str]
    zone: Mapped[str]
    enabled: Mapped[bool]
    setting: Mapped[str]
    last_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(Text)
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class Due(Base):
    """When a camera is due for one kind of look; taken out when it becomes a job."""

    __tablename__ = "due"
    __table_args__ = (Index(None, "what", "next_at"),)

    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    what: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
