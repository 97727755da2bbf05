"""The tables of the catalogue and its syncs, as they stand after the newest migration.

`stage` is 0 for what readers see and 1 for what a nuke builds aside.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from syncsvc.stores.sql.tables import Instant, metadata

_RUNNING = text("status = 'running'")
_UNFINISHED = text("ended_at IS NULL")
_CLAIMED = text("claim IS NOT NULL")
_NOT_HEALED = text("healed_at IS NULL")
_NOT_DELETED = text("deleted_at IS NULL")

sync_customers = Table(
    "sync_customers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False),  # of the newest run
    Column("slot_at", Instant, nullable=True),  # of the timetable, taken last
    sqlite_with_rowid=False,
)

sync_runs = Table(
    "sync_runs",
    metadata,
    Column("id", Text, primary_key=True),  # sorts by when it began
    Column("customer", Text, ForeignKey("sync_customers.name"), nullable=False),
    Column("trigger", Text, nullable=False),
    Column("asked", Text, nullable=False),  # the order as JSON
    Column("status", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("lease_token", BigInteger, nullable=True),
    Column("holder", Text, nullable=True),
    Column("started_at", Instant, nullable=False),
    Column("heartbeat_at", Instant, nullable=False),
    Column("served_at", Instant, nullable=True),  # when a unit of it was claimed last
    Column("ended_at", Instant, nullable=True),
    Column("resumed_from", Text, nullable=True),
    Column("error", Text, nullable=True),
    Column("error_class", Text, nullable=True),
    Index(
        "ix_sync_runs_running",
        "customer",
        unique=True,
        sqlite_where=_RUNNING,
        postgresql_where=_RUNNING,
    ),
    Index("ix_sync_runs_customer_id", "customer", "id"),
    sqlite_with_rowid=False,
)

sync_phases = Table(
    "sync_phases",
    metadata,
    Column("run_id", Text, ForeignKey("sync_runs.id"), primary_key=True),
    Column("phase", Text, primary_key=True),
    Column("started_at", Instant, nullable=True),
    Column("ended_at", Instant, nullable=True),
    sqlite_with_rowid=False,
)

sync_units = Table(
    "sync_units",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, ForeignKey("sync_runs.id"), nullable=False),
    Column("phase", Text, nullable=False),
    Column("product_id", BigInteger, nullable=True),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("claim", Text, nullable=True),
    Column("due_at", Instant, nullable=True),  # open: when it is due, or its claim ends
    Column("cursor", Text, nullable=True),
    Column("created", Integer, nullable=False, server_default="0"),
    Column("updated", Integer, nullable=False, server_default="0"),
    Column("unchanged", Integer, nullable=False, server_default="0"),
    Column("deleted", Integer, nullable=False, server_default="0"),
    Column("quarantined", Integer, nullable=False, server_default="0"),
    Column("calls", Integer, nullable=False, server_default="0"),
    Column("retries", Integer, nullable=False, server_default="0"),
    Column("throttled_ms", Integer, nullable=False, server_default="0"),
    Column("error_class", Text, nullable=True),
    Column("error", Text, nullable=True),
    Column("started_at", Instant, nullable=True),
    Column("ended_at", Instant, nullable=True),
    Index("ix_sync_units_run_id_state_due_at", "run_id", "state", "due_at"),
    Index("ix_sync_units_run_id_phase_product_id", "run_id", "phase", "product_id", unique=True),
    Index(  # whether a phase is over is asked after each unit
        "ix_sync_units_unfinished",
        "run_id",
        "phase",
        sqlite_where=_UNFINISHED,
        postgresql_where=_UNFINISHED,
    ),
    Index(
        "ix_sync_units_claim",
        "claim",
        unique=True,
        sqlite_where=_CLAIMED,
        postgresql_where=_CLAIMED,
    ),
    sqlite_with_rowid=False,
)

sync_events = Table(
    "sync_events",
    metadata,
    Column("id", Text, primary_key=True),  # sorts by when it was written
    Column("run_id", Text, nullable=True),
    Column("customer", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("phase", Text, nullable=True),
    Column("product_id", BigInteger, nullable=True),
    Column("message", Text, nullable=False),
    Index("ix_sync_events_run_id_id", "run_id", "id"),
    sqlite_with_rowid=False,
)

sync_state = Table(
    "sync_state",
    metadata,
    Column("customer", Text, primary_key=True),
    Column("stage", Integer, primary_key=True),
    Column("product_id", BigInteger, primary_key=True),
    Column("coverage", Text, nullable=False),  # as JSON
    Column("is_whole", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

sync_quarantine = Table(
    "sync_quarantine",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer", Text, nullable=False),
    Column("product_id", BigInteger, nullable=False),
    Column("page", Integer, nullable=False),
    Column("per_page", Integer, nullable=False),
    Column("above", BigInteger, nullable=True),
    Column("below", BigInteger, nullable=True),
    Column("test_id", BigInteger, nullable=True),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("next_try_at", Instant, nullable=False),
    Column("healed_at", Instant, nullable=True),
    Index(
        "ix_sync_quarantine_customer_product_id",
        "customer",
        "product_id",
        sqlite_where=_NOT_HEALED,
        postgresql_where=_NOT_HEALED,
    ),
    sqlite_with_rowid=False,
)


def _entity() -> list[Column[object]]:
    """Give the columns that every kind of entity begins with."""
    return [
        Column("customer", Text, primary_key=True),
        Column("stage", Integer, primary_key=True),
    ]


def _seen() -> list[Column[object]]:
    """Give the columns that tell what we know of an entity, beside what it holds."""
    return [
        Column("digest", Text, nullable=False),
        Column("first_seen_run", Text, nullable=False),
        Column("last_seen_run", Text, nullable=False),  # that stored it, or swept over it
        Column("read_at", Instant, nullable=False),
        Column("deleted_at", Instant, nullable=True),
    ]


catalogue_products = Table(
    "catalogue_products",
    metadata,
    *_entity(),
    Column("id", BigInteger, primary_key=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=True),
    Column("description", Text, nullable=True),
    Column("sections", Text, nullable=False),  # [[id, name], ...] as JSON
    Column("is_active", Boolean, nullable=False),
    *_seen(),
    sqlite_with_rowid=False,
)

catalogue_features = Table(
    "catalogue_features",
    metadata,
    *_entity(),
    Column("id", BigInteger, primary_key=True),
    Column("product_id", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=True),
    Column("howtofind", Text, nullable=True),
    *_seen(),
    Index("ix_catalogue_features_product", "customer", "stage", "product_id"),
    sqlite_with_rowid=False,
)

catalogue_user_stories = Table(
    "catalogue_user_stories",
    metadata,
    *_entity(),
    Column("key", Text, primary_key=True),
    Column("id", BigInteger, nullable=True),
    Column("feature_id", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("path", Text, nullable=True),
    *_seen(),
    Index("ix_catalogue_user_stories_feature", "customer", "stage", "feature_id"),
    sqlite_with_rowid=False,
)

catalogue_tests = Table(
    "catalogue_tests",
    metadata,
    *_entity(),
    Column("id", BigInteger, primary_key=True),
    Column("product_id", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("status", Text, nullable=True),
    Column("review_status", Text, nullable=True),
    Column("testing_type", Text, nullable=True),
    Column("start_at", Instant, nullable=True),
    Column("end_at", Instant, nullable=True),
    Column("goal", Text, nullable=True),
    Column("instructions", Text, nullable=True),
    Column("out_of_scope", Text, nullable=True),
    Column("environment_id", BigInteger, nullable=True),
    Column("environment_title", Text, nullable=True),
    Column("section_id", BigInteger, nullable=True),
    Column("enable_low", Boolean, nullable=True),
    Column("enable_high", Boolean, nullable=True),
    Column("enable_critical", Boolean, nullable=True),
    Column("created_by", Text, nullable=True),
    Column("submitted_by", Text, nullable=True),
    Column("is_mutable", Boolean, nullable=False),
    *_seen(),
    Index(
        "ix_catalogue_tests_place",
        "customer",
        "stage",
        "product_id",
        "end_at",
        "id",
        sqlite_where=_NOT_DELETED,
        postgresql_where=_NOT_DELETED,
    ),
    sqlite_with_rowid=False,
)

catalogue_test_features = Table(
    "catalogue_test_features",
    metadata,
    *_entity(),
    Column("test_id", BigInteger, primary_key=True),
    Column("id", BigInteger, primary_key=True),
    Column("feature_id", BigInteger, nullable=False),
    Column("title", Text, nullable=True),
    Column("description", Text, nullable=True),
    Column("howtofind", Text, nullable=True),
    Column("enable_default", Boolean, nullable=True),
    Column("enable_content", Boolean, nullable=True),
    Column("enable_visual", Boolean, nullable=True),
    Column("user_stories", Text, nullable=False),  # titles, as JSON
    Index("ix_catalogue_test_features_feature", "customer", "stage", "feature_id"),
    sqlite_with_rowid=False,
)

catalogue_test_platforms = Table(
    "catalogue_test_platforms",
    metadata,
    *_entity(),
    Column("test_id", BigInteger, primary_key=True),
    Column("id", BigInteger, primary_key=True),
    Column("category", Text, nullable=True),
    Column("operating_system_id", BigInteger, nullable=True),
    Column("operating_system", Text, nullable=True),
    Column("browsers", Text, nullable=False),  # names, as JSON
    sqlite_with_rowid=False,
)
