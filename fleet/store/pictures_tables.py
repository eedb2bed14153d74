"""Tables of picture checks: what is watched, what was seen, reference views, incidents, and notices on their way."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base, only

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class PictureWatch(Base):
    """One row per camera, made with it: the last check, and what its alarms remember (`health.series`).

    `well` and `seen_at` are its place on the wall: no fault of it is open, and when it gave its newest picture (`NEVER`
    before the first). They are kept with what they follow from, so that an index has the order of the wall.
    """

    __tablename__ = "picture_watches"
    __table_args__ = (Index(None, "well", "seen_at", "camera"), Index(None, "condition", "well", "seen_at", "camera"))

    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    series: Mapped[dict[str, Any]]
    checked_at: Mapped[datetime | None]
    verdict: Mapped[str | None]
    faults: Mapped[list[str]]
    condition: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(Text)
    picture: Mapped[str | None]
    picture_at: Mapped[datetime | None]
    muted_until: Mapped[datetime | None]
    mute_reason: Mapped[str | None] = mapped_column(Text)
    well: Mapped[bool]
    seen_at: Mapped[datetime]


class PictureCheck(Base):
    """History: one check. `picture` is the digest of its evidence while that is kept."""

    __tablename__ = "picture_checks"
    __table_args__ = (Index(None, "camera", "id"), Index(None, "at"), Index(None, "picture"))

    id: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str]
    at: Mapped[datetime]
    verdict: Mapped[str]
    condition: Mapped[str | None]
    faults: Mapped[dict[str, Any]]
    reason: Mapped[str | None] = mapped_column(Text)
    picture: Mapped[str | None]
    stream: Mapped[dict[str, Any]]


class ReferenceView(Base):
    """An approved view of a camera in one light; the newest of each light counts, older ones stay as history."""

    __tablename__ = "reference_views"
    __table_args__ = (Index(None, "camera", "condition", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    condition: Mapped[str]
    evidence: Mapped[str]
    picture: Mapped[str]
    approved_by: Mapped[str]
    approved_at: Mapped[datetime]


class Evidence(Base):
    """A file in the evidence folder, by the SHA-256 of its content."""

    __tablename__ = "evidence"
    __table_args__ = (Index(None, "kind", "at"),)

    digest: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    size_bytes: Mapped[int]


class PictureIncident(Base):
    """A fault with a life: of one camera, or (`camera` is `None`) of a site, which its cameras' name in `part_of`."""

    __tablename__ = "picture_incidents"
    __table_args__ = (
        Index(None, "closed_at", "site", "fault"),
        Index(None, "camera", "id"),
        Index("ix_picture_incidents_open", "camera", **only("closed_at IS NULL")),
        Index(None, "part_of", "id"),
        Index(None, "opened_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str | None]
    site: Mapped[str]
    fault: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    part_of: Mapped[str | None]


class Notice(Base):
    """The outbox: a message to somebody, written down before it is sent."""

    __tablename__ = "notices"
    __table_args__ = (Index(None, "state", "next_at"), Index(None, "about"))

    id: Mapped[str] = mapped_column(primary_key=True)
    about: Mapped[str]
    kind: Mapped[str]
    channel: Mapped[str]
    state: Mapped[str]
    tries: Mapped[int]
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    content: Mapped[dict[str, Any]]
    error: Mapped[str | None] = mapped_column(Text)
