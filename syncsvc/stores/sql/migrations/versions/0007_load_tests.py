"""Load tests, their logs, and the cycles that watch them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

Columns = list[sa.Column[object]]
Kind = type[sa.Text] | type[sa.Boolean] | type[sa.Integer]


def upgrade() -> None:
    _create_tests()
    _create_steps()
    _index_steps()
    _create_logs()
    _create_summaries()
    _create_cycles()
    _create_job()


def _create_tests() -> None:
    _table(
        "loadtests",
        sa.Column("id", sa.Text, primary_key=True),
        *_required(sa.Text, "name", "found_by", "labels"),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        *_nullable(sa.BigInteger, "started_at", "completed_at"),
    )
    _index("loadtests", "created_at_id", "created_at", "id")
    _index("loadtests", "completed_at", "completed_at")


def _create_steps() -> None:
    _table(
        "loadtest_steps",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("test_id", sa.Text, sa.ForeignKey("loadtests.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        *_required(sa.Text, "cluster", "namespace", "test_run", "found_by"),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("uid", sa.Text),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("phase_since", sa.BigInteger, nullable=False),
        *_nullable(sa.Text, "result", "reason", "detail"),
        sa.Column("status", sa.Text, nullable=False),
        *_required(sa.Boolean, "is_over", "is_watched"),
        sa.Column("runners", sa.Text, nullable=False),
        sa.Column("expected", sa.Integer),
        sa.Column("last_stage", sa.Text),
        sa.Column("run_created_at", sa.BigInteger),
        *_required(sa.Boolean, "cleans_up", "deleted_early"),
        sa.Column("initializer_exit", sa.Integer),
        *_required(sa.Integer, "absences", "waits"),
        *_nullable(sa.BigInteger, "started_at", "completed_at", "checked_at", "stale_since"),
        sa.Column("stale_errors", sa.Integer),
        *_nullable(sa.Text, "stale_error", "stalled"),
        sa.Column("logs", sa.Text, nullable=False),
        sa.Column("logs_detail", sa.Text),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        rowid=True,
    )


def _index_steps() -> None:
    _index("loadtest_steps", "test_id", "test_id")
    _index("loadtest_steps", "registered_at_id", "registered_at", "id")
    _index("loadtest_steps", "uid", "uid")
    _index(
        "loadtest_steps",
        "under_way",
        "cluster",
        "namespace",
        "test_run",
        unique=True,
        where="NOT is_over",
    )
    _index("loadtest_steps", "watched", "cluster", "namespace", where="is_watched")


def _create_logs() -> None:
    _table(
        "loadtest_logs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("step_id", sa.Text, sa.ForeignKey("loadtest_steps.id"), nullable=False),
        *_required(sa.Text, "pod_uid", "pod", "container", "kind", "role"),
        sa.Column("runner", sa.Integer),
        *_required(sa.Text, "cursor", "state"),
        sa.Column("detail", sa.Text),
        *_required(sa.Integer, "first", "last"),
        *_required(sa.BigInteger, "size", "packed_size"),
        sa.Column("left_after", sa.Integer),
        *_nullable(sa.BigInteger, "left_lines", "left_size"),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    _index("loadtest_logs", "step_id", "step_id")
    _table(
        "loadtest_chunks",
        sa.Column("log_id", sa.Text, sa.ForeignKey("loadtest_logs.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        *_required(sa.Integer, "lines", "size", "packed_size"),
        *_nullable(sa.BigInteger, "first_moment", "last_moment"),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        rowid=True,
    )


def _create_summaries() -> None:
    _table(
        "loadtest_summaries",
        sa.Column("step_id", sa.Text, sa.ForeignKey("loadtest_steps.id"), primary_key=True),
        sa.Column("runner", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        *_required(sa.Text, "metric", "stat"),
        sa.Column("value", sa.Double),
        *_required(sa.Text, "unit", "scope"),
        sa.Column("threshold", sa.Text),
        sa.Column("ok", sa.Boolean),
    )


def _create_cycles() -> None:
    _table(
        "loadtest_cycles",
        sa.Column("fence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        *_nullable(sa.Integer, "total", "updated", "errors", "logs_updated", "calls"),
        *_nullable(sa.BigInteger, "size", "duration"),
    )
    _index("loadtest_cycles", "began_at", "began_at")
    _table(
        "loadtest_cycle_errors",
        sa.Column("fence", sa.BigInteger, sa.ForeignKey("loadtest_cycles.fence"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        *_required(sa.Text, "step_id", "name", "error"),
    )


def _create_job() -> None:
    _table(
        "loadtest_job",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("enabled", sa.Boolean),
        sa.Column("interval", sa.BigInteger),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.BigInteger),
        sa.Column("updated_by", sa.Text),
        *_nullable(sa.BigInteger, "last_begun_at", "next_due_at", "busy_until"),
        sa.Column("busy_by", sa.Text),
    )


def _table(name: str, *columns: sa.Column[object], rowid: bool = False) -> None:
    op.create_table(name, *columns, sqlite_with_rowid=rowid)


def _index(
    table: str, name: str, *columns: str, unique: bool = False, where: str | None = None
) -> None:
    name = f"ix_{table}_{name}"
    some = None if where is None else sa.text(where)
    op.create_index(
        name, table, list(columns), unique=unique, sqlite_where=some, postgresql_where=some
    )


def _required(kind: Kind, *names: str) -> Columns:
    return [sa.Column(name, kind, nullable=False) for name in names]


def _nullable(kind: Kind, *names: str) -> Columns:
    return [sa.Column(name, kind) for name in names]
