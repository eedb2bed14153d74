"""Plans: what is to be changed on which cameras, how far that is, and everything that happened on the way."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base


class Plan(Base):
    """One plan. `baseline` is frozen at its making; `digest` is of everything that was approved."""

    __tablename__ = "plans"
    __table_args__ = (Index(None, "state"), Index(None, "finished_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    baseline: Mapped[dict[str, Any]]
    digest: Mapped[str | None]
    actor: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)


class PlanCamera(Base):
    """One camera of a plan. `body` is what was observed and planned, with its evidence; `place` is where it is now.

    `place` is `None` until the camera was spoken to through another door than the plan's.
    """

    __tablename__ = "plan_cameras"
    __table_args__ = (Index(None, "camera"),)

    plan: Mapped[str] = mapped_column(ForeignKey("plans.id", ondelete="CASCADE"), primary_key=True)
    camera: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    body: Mapped[dict[str, Any] | None]
    place: Mapped[dict[str, Any] | None]
    proof: Mapped[str | None] = mapped_column(Text)


class PlanStep(Base):
    """Where one step is now."""

    __tablename__ = "plan_steps"

    plan: Mapped[str] = mapped_column(ForeignKey("plans.id", ondelete="CASCADE"), primary_key=True)
    camera: Mapped[str] = mapped_column(primary_key=True)
    setting: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)


class PlanEvent(Base):
    """History: what happened to a plan, to a camera of it, or to a step, in order."""

    __tablename__ = "plan_events"
    __table_args__ = (Index(None, "plan", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    plan: Mapped[str]
    camera: Mapped[str | None]
    setting: Mapped[str | None]
    at: Mapped[datetime]
    event: Mapped[str]
    state: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
