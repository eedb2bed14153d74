"""The audit trail: who did what. Triggers refuse to change or delete a row; `fleet.audit.trail` is the only writer."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base


class AuditRow(Base):
    """One thing that somebody did. `detail` is JSON as text: the very bytes that `mac` is taken over.

    `previous` is the mac of the row before; `key_id` tells which key both were made with.
    """

    __tablename__ = "audit"
    __table_args__ = (Index(None, "about", "seq"), Index(None, "actor", "seq"), Index(None, "action", "seq"))

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    about: Mapped[str]
    detail: Mapped[str] = mapped_column(Text)
    source: Mapped[str]
    request: Mapped[str]
    key_id: Mapped[str]
    previous: Mapped[str]
    mac: Mapped[str]


class AuditKey(Base):
    """A key that earlier rows were made with, wrapped under the present master key: rows outlive a new master key."""

    __tablename__ = "audit_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    master: Mapped[str]
    wrapped: Mapped[bytes]
