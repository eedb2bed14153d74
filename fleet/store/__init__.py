"""The database of the controller: `open_store` gives a `Store` whose schema is up to date.

The modules of tables are named here so that the metadata is whole wherever the store is.
"""

from fleet.store import (
    access_tables,
    accuracy_tables,
    audit_tables,
    commissioning_tables,
    expected_tables,
    factor_tables,
    grants_tables,
    jobs_tables,
    pictures_tables,
    plans_tables,
    retention_tables,
    rollouts_tables,
    sites_tables,
    vault_tables,
)
from fleet.store.bulk import bulk_insert
from fleet.store.engine import Store, is_made, open_store, where

__all__ = [
    "Store",
    "access_tables",
    "accuracy_tables",
    "audit_tables",
    "bulk_insert",
    "commissioning_tables",
    "expected_tables",
    "factor_tables",
    "grants_tables",
    "is_made",
    "jobs_tables",
    "open_store",
    "pictures_tables",
    "plans_tables",
    "retention_tables",
    "rollouts_tables",
    "sites_tables",
    "vault_tables",
    "where",
]
