"""Tables of watches of the cameras' own AI: what was seen, counted, labelled, and since when an AI is accepted."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base


class AccuracyWatch(Base):
    """One bounded look at what a camera's analytics say, beside what the reference detector sees.

    `reference_seen`: objects that the reference saw; `agreed`: of these, seen by the camera too; `claimed`: by the
    camera alone or with it. `starts` counts processes that began it: one that dies leaves it to the next.
    """

    __tablename__ = "accuracy_watches"
    __table_args__ = (Index(None, "camera", "id"), Index(None, "state"))

    id: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    state: Mapped[str]
    actor: Mapped[str]
    seconds: Mapped[int]
    queued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    starts: Mapped[int]
    version: Mapped[str | None]
    condition: Mapped[str | None]
    picture: Mapped[str]
    frames: Mapped[int]
    unreadable: Mapped[int]
    lost: Mapped[int]
    counted: Mapped[int]
    pictures: Mapped[int]
    reference: Mapped[str | None]
    reference_seen: Mapped[int]
    agreed: Mapped[int]
    claimed: Mapped[int]
    error: Mapped[str | None] = mapped_column(Text)


class AccuracyHour(Base):
    """Objects counted in one hour (UTC) while it was watched, by the camera's version and the picture's verdict."""

    __tablename__ = "accuracy_hours"

    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    picture: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    watched_s: Mapped[float] = mapped_column(Float)


class AccuracyLabel(Base):
    """What a person said of one picture: objects that the camera found, imagined and missed."""

    __tablename__ = "accuracy_labels"
    __table_args__ = (Index(None, "camera", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    condition: Mapped[str]
    version: Mapped[str]
    hits: Mapped[int]
    false: Mapped[int]
    missed: Mapped[int]
    actor: Mapped[str]
    labelled_at: Mapped[datetime]


class AccuracyBaseline(Base):
    """From when on, and with which version, a person accepted a camera's AI as it is; the newest counts."""

    __tablename__ = "accuracy_baselines"
    __table_args__ = (Index(None, "camera", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    since: Mapped[datetime]
    version: Mapped[str | None]
    actor: Mapped[str]


class AccuracyGolden(Base):
    """How a golden clip came out on a camera or its model; `digest` names the clip, `result` holds the figures."""

    __tablename__ = "accuracy_goldens"
    __table_args__ = (Index(None, "camera", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    version: Mapped[str | None]
    digest: Mapped[str]
    ok: Mapped[bool]
    result: Mapped[dict[str, Any]]
