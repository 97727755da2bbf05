"""How often a final status was written, and which runs had closed before all was in."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    writes = sa.Column("writes", sa.Integer, nullable=False, server_default="0")
    op.add_column("outbox", writes)
    op.add_column("runs", sa.Column("closed_early_at", sa.BigInteger))
