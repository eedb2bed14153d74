"""Sealed passwords of cameras, who saw one, and how each of them is changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base, only

OPEN = "state NOT IN ('current', 'undone')"


class SealedPassword(Base):
    """One password of an account of a camera, sealed. No foreign key: a password outlives the row of its camera.

    `key_id` tells which master key wrapped the data key, so that a wrong key is known from a damaged row.
    """

    __tablename__ = "vault_passwords"
    __table_args__ = (
        UniqueConstraint("camera", "account", "version"),
        Index("uq_vault_passwords_current", "camera", "account", unique=True, **only("state = 'current'")),
        Index("uq_vault_passwords_sealed", "camera", "account", unique=True, **only("state = 'sealed'")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str]
    account: Mapped[str]
    version: Mapped[int]
    state: Mapped[str]
    key_id: Mapped[str]
    wrapped_key: Mapped[bytes]
    sealed: Mapped[bytes]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    since: Mapped[datetime]


class CameraLogin(Base):
    """The account that we log in to a camera with."""

    __tablename__ = "vault_logins"

    camera: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str]


class VaultReveal(Base):
    """History: somebody was shown a password. Written before it is shown."""

    __tablename__ = "vault_reveals"
    __table_args__ = (Index(None, "camera", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    camera: Mapped[str]
    account: Mapped[str]
    version: Mapped[int]
    actor: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)


class Rotation(Base):
    """New passwords that somebody asked for, of one account on each of some cameras."""

    __tablename__ = "rotations"

    id: Mapped[str] = mapped_column(primary_key=True)
    actor: Mapped[str]
    started_at: Mapped[datetime]


class CameraRotation(Base):
    """One camera of a rotation. `evidence` is all that was learned, so that another process can go on.

    Only one row per account of a camera is open: neither current nor undone.
    """

    __tablename__ = "rotation_cameras"
    __table_args__ = (
        Index(None, "rotation"),
        Index(None, "camera", "account", "id"),
        Index("uq_rotation_cameras_open", "camera", "account", unique=True, **only(OPEN)),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    rotation: Mapped[str] = mapped_column(ForeignKey("rotations.id", ondelete="CASCADE"))
    camera: Mapped[str]
    account: Mapped[str]
    state: Mapped[str]
    old_version: Mapped[int | None]
    new_version: Mapped[int | None]
    evidence: Mapped[dict[str, Any]]
    wrong_tries: Mapped[int]
    detail: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]


class RotationEvent(Base):
    """History: what became of a camera's rotation, step by step."""

    __tablename__ = "rotation_events"
    __table_args__ = (Index(None, "rotation", "id"), Index(None, "camera", "id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    rotation: Mapped[str]
    camera: Mapped[str]
    at: Mapped[datetime]
    state: Mapped[str]
    detail: Mapped[str] = mapped_column(Text)
