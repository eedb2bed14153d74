"""Schema changes (Alembic), shipped with the package and run by `fleet.store.open_store`."""
