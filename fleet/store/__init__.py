"""The database of the controller: `open_store` gives a `Store` whose schema is up to date."""

from fleet.store import pictures_tables
from fleet.store.engine import Store, open_store

__all__ = ["Store", "open_store", "pictures_tables"]
