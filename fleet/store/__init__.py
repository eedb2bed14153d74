"""The database of the controller: `open_store` gives a `Store` whose schema is up to date."""

from fleet.store import plans_tables  # so that the metadata is whole
from fleet.store.engine import Store, open_store

__all__ = ["Store", "open_store", "plans_tables"]
