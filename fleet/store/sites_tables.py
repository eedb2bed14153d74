"""The tables of sites, and of the jump hosts that lead to them."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base


class Site(Base):
    """A place. Its name stands in `cameras.site` and with every change of sites is written there anew."""

    __tablename__ = "sites"

    name: Mapped[str] = mapped_column(primary_key=True)
    networks: Mapped[list[str]]
    zone: Mapped[str]
    window: Mapped[str]
    note: Mapped[str] = mapped_column(Text)
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class JumpHost(Base):
    """The SSH server through which a site is reached, and our private key for it, sealed.

    `host_key` is what the server must show, a public key or its fingerprint; `public_key` is the half of ours that
    stands in its authorized_keys.
    """

    __tablename__ = "jump_hosts"

    site: Mapped[str] = mapped_column(primary_key=True)
    login: Mapped[str]
    host: Mapped[str]
    port: Mapped[int]
    host_key: Mapped[str] = mapped_column(Text)
    public_key: Mapped[str] = mapped_column(Text)
    record: Mapped[str]
    key_id: Mapped[str]
    wrapped_key: Mapped[bytes]
    sealed: Mapped[bytes]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]
