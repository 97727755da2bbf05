"""Results that are handed over whole, how far their runs are, and the files they name."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _create_pushes()
    _create_pushed_results()
    _index_pushed_results()
    _create_contents()
    _create_attachments()


def _create_pushes() -> None:
    op.create_table(
        "pushes",
        sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("configuration_id", sa.Text),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("accepted_at", sa.BigInteger, nullable=False),
        sa.Column("complete_asked_at", sa.BigInteger),
        sa.Column("completed_at", sa.BigInteger),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("planned", sa.Boolean),
        sa.Column("served_at", sa.BigInteger),
        sa.Column("ending_due_at", sa.BigInteger),
        sqlite_with_rowid=False,
    )


def _create_pushed_results() -> None:
    op.create_table(
        "pushed_results",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, sa.ForeignKey("pushes.run_id"), nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("accepted_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("target_id", sa.Text),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("claim", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("revived_at", sa.BigInteger),
    )


def _index_pushed_results() -> None:
    table = "pushed_results"
    op.create_index(
        "ix_pushed_results_run_id_state_due_at_id", table, ["run_id", "state", "due_at", "id"]
    )
    op.create_index("ix_pushed_results_run_id_external_id", table, ["run_id", "external_id"])
    _create_partial_index("ix_pushed_results_run_id_key", ["run_id", "key"], "key", unique=True)
    _create_partial_index("ix_pushed_results_run_id_claimed", ["run_id", "due_at"], "claim")
    _create_partial_index("ix_pushed_results_settled_at", ["settled_at"], "settled_at")


def _create_partial_index(
    name: str, columns: list[str], present: str, *, unique: bool = False
) -> None:
    where = sa.text(f"{present} IS NOT NULL")
    op.create_index(
        name, "pushed_results", columns, unique=unique, sqlite_where=where, postgresql_where=where
    )


def _create_contents() -> None:
    op.create_table(
        "attachment_contents",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "attachment_pieces",
        sa.Column("content_id", sa.Text, sa.ForeignKey("attachment_contents.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("piece", sa.LargeBinary, nullable=False),
    )


def _create_attachments() -> None:
    op.create_table(
        "attachments",
        sa.Column("run_id", sa.Text, sa.ForeignKey("pushes.run_id"), primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("attachment_id", sa.Text),
        sa.Column("content_id", sa.Text, sa.ForeignKey("attachment_contents.id")),
        sa.Column("kept_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_attachments_content_id", "attachments", ["content_id"])
    op.create_table(
        "result_attachments",
        sa.Column("result_id", sa.Text, sa.ForeignKey("pushed_results.id"), primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["run_id", "digest"], ["attachments.run_id", "attachments.digest"]),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_result_attachments_run_id_digest", "result_attachments", ["run_id", "digest"]
    )
