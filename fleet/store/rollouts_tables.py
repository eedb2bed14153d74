"""Bundles, and rollouts with their cameras: what is true now, beside what happened (append-only)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base


class StoredBundle(Base):
    """A bundle that was verified when it came in. `id` is the SHA-256 of its payload: the file's name in the store."""

    __tablename__ = "bundles"
    __table_args__ = (Index(None, "kind", "vendor", "version"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    vendor: Mapped[str]
    version: Mapped[str]
    app: Mapped[str | None]
    manifest: Mapped[str] = mapped_column(Text)
    signed_by: Mapped[str]
    imported_at: Mapped[datetime]
    imported_by: Mapped[str]


class Rollout(Base):
    """`revision` counts what people did to it, so that whoever runs it notices. `finished_at`: nothing is in flight."""

    __tablename__ = "rollouts"
    __table_args__ = (Index(None, "state"), Index(None, "finished_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    bundle: Mapped[str] = mapped_column(ForeignKey("bundles.id"))
    state: Mapped[str]
    revision: Mapped[int]
    rules: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text)


class RolloutTarget(Base):
    """One camera of a rollout. `before` is what it said before anything was sent: what the proof compares with.

    `window` is the site's own, "" where it has none.
    """

    __tablename__ = "rollout_targets"
    __table_args__ = (
        UniqueConstraint("rollout", "camera"),
        Index(None, "rollout", "state"),
        Index(None, "camera"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    rollout: Mapped[str] = mapped_column(ForeignKey("rollouts.id", ondelete="CASCADE"))
    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    address: Mapped[str]
    group: Mapped[int]
    site: Mapped[str]
    zone: Mapped[str]
    window: Mapped[str]
    state: Mapped[str]
    since: Mapped[datetime]
    not_before: Mapped[datetime | None]
    give_up_at: Mapped[datetime | None]
    before: Mapped[dict[str, Any]]
    backup: Mapped[str | None]
    sent: Mapped[int]
    detail: Mapped[str] = mapped_column(Text)


class RolloutEvent(Base):
    """History: what happened to a rollout (`target` is `None`) or to one of its cameras, and by whom."""

    __tablename__ = "rollout_events"
    __table_args__ = (Index(None, "rollout", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    rollout: Mapped[str]
    target: Mapped[str | None]
    at: Mapped[datetime]
    event: Mapped[str]
    state: Mapped[str]
    actor: Mapped[str]
    detail: Mapped[str] = mapped_column(Text)
