"""Tables of how people prove who they are, beside their password."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base


class AppSecret(Base):
    """What an authenticator app and we share (RFC 6238), sealed. It counts once it is confirmed by a right code.

    `last_counter` is the half minute of the newest code that was taken: no older one is taken again.
    """

    __tablename__ = "app_secrets"

    person: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    record: Mapped[str]
    key_id: Mapped[str]
    wrapped_key: Mapped[bytes]
    sealed: Mapped[bytes]
    last_counter: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]


class SecurityKey(Base):
    """A WebAuthn credential. It works for `host` only: the browser binds it to that name."""

    __tablename__ = "security_keys"
    __table_args__ = (Index(None, "person"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    credential: Mapped[str] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    host: Mapped[str]
    name: Mapped[str]
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """Works once, where every other factor is lost. 80 random bits, so a plain hash is kept."""

    __tablename__ = "recovery_codes"
    __table_args__ = (Index(None, "person"),)

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    used_at: Mapped[datetime | None]


class PendingStep(Base):
    """Between two steps of a person who is not through yet: it is for one purpose, for minutes, and no session."""

    __tablename__ = "pending_steps"
    __table_args__ = (Index(None, "made_at"), Index(None, "person"))

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    person: Mapped[str | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    content: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]


class SingleSignOn(Base):
    """Who at which identity provider is whom here. Nothing else of theirs is kept."""

    __tablename__ = "single_sign_ons"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), unique=True)
    linked_at: Mapped[datetime]
