"""Tables of who may do what, where, and of where a scan looked."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base


class Grant(Base):
    """A role for a person, at `sites` (names, written anew when a site is renamed) or `everywhere`. Never deleted."""

    __tablename__ = "grants"
    __table_args__ = (Index(None, "person"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str]
    everywhere: Mapped[bool]
    sites: Mapped[list[str]]
    until: Mapped[datetime | None]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class ScanSite(Base):
    """A site that addresses of a scan belong to; "" where one of them belongs to none."""

    __tablename__ = "scan_sites"
    __table_args__ = (Index(None, "site"),)

    scan: Mapped[str] = mapped_column(ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
