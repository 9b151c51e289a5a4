"""What Alembic runs: the migrations, on the connection that `Database.open` passes in, in one transaction."""

from __future__ import annotations

from alembic import context

from carrel.storage.schema import metadata

__all__: list[str] = []

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    # The caller's connection has begun a real transaction, in which SQLite's DDL can be taken back.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
