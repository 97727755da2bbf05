"""What Alembic runs: the migrations, on the connection that `migrate` hands over."""

from alembic import context

from syncsvc.stores.sql.catalogue_tables import sync_runs
from syncsvc.stores.sql.loadtest_tables import loadtests

ROOMS = sync_runs, loadtests  # whose modules put their tables beside all others
metadata = loadtests.metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
