"""How Alembic runs here: on the connection that `fleet.store.engine.migrate` gives, inside its transaction."""

from alembic import context

from fleet.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
