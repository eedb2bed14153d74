"""Tables of machines that use the REST API."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base


class ApiToken(Base):
    """A key to the REST API. Only the SHA-256 of its secret part is kept.

    `person` is who it is worth no more than, `None` where it was made at the command line for nobody. It holds at
    `sites` (names, written anew when a site is renamed) or `everywhere`, and from `addresses` (networks), or any.
    """

    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[str]
    name: Mapped[str]
    scopes: Mapped[list[str]]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    person: Mapped[str | None]
    everywhere: Mapped[bool]
    sites: Mapped[list[str]]
    addresses: Mapped[list[str]]


class IdempotencyKey(Base):
    """What a request with that key has started; `made` is `None` while it is being done."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "at"),)

    actor: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    made: Mapped[str | None]
    at: Mapped[datetime]
