"""The database of the controller: `open_store` gives a `Store` whose schema is up to date."""

from fleet.store import access_tables, commissioning_tables, plans_tables
from fleet.store.engine import Store, open_store

__all__ = ["Store", "access_tables", "commissioning_tables", "open_store", "plans_tables"]
