"""What is left of history when its rows are gone: sums by the hour, then by the day."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, Index
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base


class PictureRollup(Base):
    """History: looks at a camera in one light ("" is none known) during one hour or day, which begins at `at` (UTC).

    `picture` is the evidence of the worst look while that is kept. `rated` looks measured a stream; `rate_sum` adds
    their frame rates up.
    """

    __tablename__ = "picture_rollups"
    __table_args__ = (Index(None, "span", "at"), Index(None, "picture"))

    camera: Mapped[str] = mapped_column(primary_key=True)
    span: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    condition: Mapped[str] = mapped_column(primary_key=True)
    ok: Mapped[int]
    degraded: Mapped[int]
    failed: Mapped[int]
    unknown: Mapped[int]
    worst: Mapped[str]
    faults: Mapped[dict[str, Any]]
    picture: Mapped[str | None]
    rated: Mapped[int]
    rate_sum: Mapped[float] = mapped_column(Float)
    longest_gap_s: Mapped[float | None] = mapped_column(Float)


class AccuracyDay(Base):
    """History: objects counted on one day (UTC), by the camera's version and the picture's verdict."""

    __tablename__ = "accuracy_days"
    __table_args__ = (Index(None, "day"),)

    camera: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[datetime] = mapped_column(primary_key=True)
    picture: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    watched_s: Mapped[float] = mapped_column(Float)
