"""The catalogue of a foreign server, and the record of its syncs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ROWS = ("created", "updated", "unchanged", "deleted", "quarantined")
COUNTS = (*ROWS, "calls", "retries", "throttled_ms")

Columns = list[sa.Column[object]]
Kind = type[sa.Text] | type[sa.Boolean] | type[sa.Integer]


def upgrade() -> None:
    _create_runs()
    _create_units()
    _create_notes()
    _create_products()
    _create_tests()
    _create_covered()


def _create_runs() -> None:
    _table(
        "sync_customers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("slot_at", sa.BigInteger),
    )
    _table(
        "sync_runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("customer", sa.Text, sa.ForeignKey("sync_customers.name"), nullable=False),
        *_required(sa.Text, "trigger", "asked", "status"),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("lease_token", sa.BigInteger),
        sa.Column("holder", sa.Text),
        *_required(sa.BigInteger, "started_at", "heartbeat_at"),
        *_nullable(sa.BigInteger, "served_at", "ended_at"),
        *_nullable(sa.Text, "resumed_from", "error", "error_class"),
    )
    _index("sync_runs", "customer_id", "customer", "id")
    _index("sync_runs", "running", "customer", unique=True, where="status = 'running'")
    _table(
        "sync_phases",
        sa.Column("run_id", sa.Text, sa.ForeignKey("sync_runs.id"), primary_key=True),
        sa.Column("phase", sa.Text, primary_key=True),
        *_nullable(sa.BigInteger, "started_at", "ended_at"),
    )


def _create_units() -> None:
    _table(
        "sync_units",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, sa.ForeignKey("sync_runs.id"), nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("product_id", sa.BigInteger),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("claim", sa.Text),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("cursor", sa.Text),
        *_counts(),
        *_nullable(sa.Text, "error_class", "error"),
        *_nullable(sa.BigInteger, "started_at", "ended_at"),
    )
    _index("sync_units", "claim", "claim", unique=True, where="claim IS NOT NULL")
    _index("sync_units", "run_id_phase_product_id", "run_id", "phase", "product_id", unique=True)
    _index("sync_units", "run_id_state_due_at", "run_id", "state", "due_at")
    _index("sync_units", "unfinished", "run_id", "phase", where="ended_at IS NULL")


def _create_notes() -> None:
    _table(
        "sync_events",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("phase", sa.Text),
        sa.Column("product_id", sa.BigInteger),
        sa.Column("message", sa.Text, nullable=False),
    )
    _index("sync_events", "run_id_id", "run_id", "id")
    _table(
        "sync_state",
        *_entity(),
        sa.Column("product_id", sa.BigInteger, primary_key=True),
        sa.Column("coverage", sa.Text, nullable=False),
        sa.Column("is_whole", sa.Boolean, nullable=False),
    )
    _table(
        "sync_quarantine",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("product_id", sa.BigInteger, nullable=False),
        *_required(sa.Integer, "page", "per_page"),
        *_nullable(sa.BigInteger, "above", "below", "test_id"),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        *_required(sa.BigInteger, "found_at", "next_try_at"),
        sa.Column("healed_at", sa.BigInteger),
    )
    _index(
        "sync_quarantine",
        "customer_product_id",
        "customer",
        "product_id",
        where="healed_at IS NULL",
    )


def _create_products() -> None:
    _table(
        "catalogue_products",
        *_entity(),
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        *_nullable(sa.Text, "type", "description"),
        sa.Column("sections", sa.Text, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        *_seen(),
    )
    _table(
        "catalogue_features",
        *_entity(),
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("product_id", sa.BigInteger, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        *_nullable(sa.Text, "description", "howtofind"),
        *_seen(),
    )
    _index("catalogue_features", "product", "customer", "stage", "product_id")
    _table(
        "catalogue_user_stories",
        *_entity(),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("id", sa.BigInteger),
        sa.Column("feature_id", sa.BigInteger, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("path", sa.Text),
        *_seen(),
    )
    _index("catalogue_user_stories", "feature", "customer", "stage", "feature_id")


def _create_tests() -> None:
    _table(
        "catalogue_tests",
        *_entity(),
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("product_id", sa.BigInteger, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        *_nullable(sa.Text, "status", "review_status", "testing_type"),
        *_nullable(sa.BigInteger, "start_at", "end_at"),
        *_nullable(sa.Text, "goal", "instructions", "out_of_scope"),
        sa.Column("environment_id", sa.BigInteger),
        sa.Column("environment_title", sa.Text),
        sa.Column("section_id", sa.BigInteger),
        *_nullable(sa.Boolean, "enable_low", "enable_high", "enable_critical"),
        *_nullable(sa.Text, "created_by", "submitted_by"),
        sa.Column("is_mutable", sa.Boolean, nullable=False),
        *_seen(),
    )
    _index(
        "catalogue_tests",
        "place",
        "customer",
        "stage",
        "product_id",
        "end_at",
        "id",
        where="deleted_at IS NULL",
    )


def _create_covered() -> None:
    _table(
        "catalogue_test_features",
        *_entity(),
        sa.Column("test_id", sa.BigInteger, primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("feature_id", sa.BigInteger, nullable=False),
        *_nullable(sa.Text, "title", "description", "howtofind"),
        *_nullable(sa.Boolean, "enable_default", "enable_content", "enable_visual"),
        sa.Column("user_stories", sa.Text, nullable=False),
    )
    _index("catalogue_test_features", "feature", "customer", "stage", "feature_id")
    _table(
        "catalogue_test_platforms",
        *_entity(),
        sa.Column("test_id", sa.BigInteger, primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("category", sa.Text),
        sa.Column("operating_system_id", sa.BigInteger),
        sa.Column("operating_system", sa.Text),
        sa.Column("browsers", sa.Text, nullable=False),
    )


def _table(name: str, *columns: sa.Column[object]) -> None:
    op.create_table(name, *columns, sqlite_with_rowid=False)


def _index(
    table: str, name: str, *columns: str, unique: bool = False, where: str | None = None
) -> None:
    name = f"ix_{table}_{name}"
    some = None if where is None else sa.text(where)
    op.create_index(
        name, table, list(columns), unique=unique, sqlite_where=some, postgresql_where=some
    )


def _counts() -> Columns:
    return [sa.Column(name, sa.Integer, nullable=False, server_default="0") for name in COUNTS]


def _required(kind: Kind, *names: str) -> Columns:
    return [sa.Column(name, kind, nullable=False) for name in names]


def _nullable(kind: Kind, *names: str) -> Columns:
    return [sa.Column(name, kind) for name in names]


def _entity() -> Columns:
    return [
        sa.Column("customer", sa.Text, primary_key=True),
        sa.Column("stage", sa.Integer, primary_key=True),
    ]


def _seen() -> Columns:
    return [
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("first_seen_run", sa.Text, nullable=False),
        sa.Column("last_seen_run", sa.Text, nullable=False),
        sa.Column("read_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
    ]
