"""The database of the controller: `open_store` gives a `Store` whose schema is up to date."""

from fleet.store import accuracy_tables  # noqa: F401 - its tables belong to the metadata
from fleet.store.engine import Store, open_store

__all__ = ["Store", "open_store"]
