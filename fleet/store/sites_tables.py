"""The table of sites."""

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
