"""Runs, the results held back for them, and the promises to finalise those."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_runs()
    _create_results()
    _create_outbox()


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("base_url", sa.Text, nullable=False),
        sa.Column("token", sa.LargeBinary),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("result_count", sa.Integer),
        sa.Column("counted_at", sa.BigInteger),
        sqlite_with_rowid=False,
    )


def _create_results() -> None:
    op.create_table(
        "results",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text),
        sa.Column("status_code", sa.Text, nullable=False),
        sa.Column("status_type", sa.Text, nullable=False),
        sa.Column("started_on", sa.Text),
        sa.Column("held_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Text, sa.ForeignKey("results.id"), primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("forced", sa.Boolean, nullable=False),
        sa.Column("target_id", sa.Text),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("released_at", sa.BigInteger),
        sa.Column("claim", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("settled_at", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_outbox_state_due_at", "outbox", ["state", "due_at"])
    op.create_index("ix_outbox_run_id_state", "outbox", ["run_id", "state"])
