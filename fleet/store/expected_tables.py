"""The table of expected cameras."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from fleet.store.tables import Base


class ExpectedCamera(Base):
    """What a list said is at a place (`place`: address, or address:port where it named one).

    `site` is the name of the one whose network holds the address, `said_site` what the list called it. `source` says
    to people where it came from. Whether it is there is not stored: it is looked for among the cameras each time.
    """

    __tablename__ = "expected_cameras"
    __table_args__ = (Index(None, "address"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(unique=True)
    address: Mapped[str]
    port: Mapped[int | None]
    name: Mapped[str | None]
    said_site: Mapped[str | None]
    serial: Mapped[str | None]
    mac: Mapped[str | None]
    vendor: Mapped[str | None]
    model: Mapped[str | None]
    site: Mapped[str | None]
    source: Mapped[str]
    imported_by: Mapped[str]
    imported_at: Mapped[datetime]
