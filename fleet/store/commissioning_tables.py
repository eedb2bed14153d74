"""Tables of commissioning: a checklist for some cameras, an answer per row, and the signature."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base


class Commissioning(Base):
    """`template` is the whole template as it was when the work began: a newer version changes nothing under way.

    `record` is what was signed, `None` until then.
    """

    __tablename__ = "commissionings"

    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    template: Mapped[dict[str, Any]]
    state: Mapped[str]
    started_by: Mapped[str]
    started_at: Mapped[datetime]
    signed_by: Mapped[str | None]
    signed_at: Mapped[datetime | None]
    record: Mapped[dict[str, Any] | None]


class CommissionedCamera(Base):
    """A camera of a commissioning, in its order. `still` is the SHA-256 of the newest still, `still_at` when it was."""

    __tablename__ = "commissioned_cameras"
    __table_args__ = (Index(None, "camera"),)

    commissioning: Mapped[str] = mapped_column(ForeignKey("commissionings.id", ondelete="CASCADE"), primary_key=True)
    camera: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int]
    still: Mapped[str | None]
    still_at: Mapped[datetime | None]


class RowAnswer(Base):
    """History: what a person said of a row. The newest answer of a row counts."""

    __tablename__ = "commissioning_answers"
    __table_args__ = (Index(None, "commissioning", "camera", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    commissioning: Mapped[str]
    camera: Mapped[str]
    row: Mapped[str]
    state: Mapped[str]
    note: Mapped[str] = mapped_column(Text)
    value: Mapped[str]
    evidence: Mapped[list[str]]
    actor: Mapped[str]
    at: Mapped[datetime]
