"""The tables of load tests, their logs and the cycles that watch them, after the newest migration.

`packed` is the last column of its table: what comes before it is read without it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from syncsvc.stores.sql.tables import Instant, metadata

_UNDER_WAY = text("NOT is_over")
_WATCHED = text("is_watched")

loadtests = Table(
    "loadtests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("found_by", Text, nullable=False),  # the name without case
    Column("labels", Text, nullable=False),  # as JSON
    Column("created_at", Instant, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=True),
    Column("started_at", Instant, nullable=True),
    Column("completed_at", Instant, nullable=True),
    Index("ix_loadtests_created_at_id", "created_at", "id"),
    Index("ix_loadtests_completed_at", "completed_at"),
    sqlite_with_rowid=False,
)

loadtest_steps = Table(
    "loadtest_steps",
    metadata,
    Column("id", Text, primary_key=True),
    Column("test_id", Text, ForeignKey("loadtests.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("position", Integer, nullable=False),  # in its test
    Column("cluster", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("test_run", Text, nullable=False),
    Column("found_by", Text, nullable=False),  # both names without case
    Column("registered_at", Instant, nullable=False),
    Column("uid", Text, nullable=True),
    Column("phase", Text, nullable=False),
    Column("phase_since", Instant, nullable=False),
    Column("result", Text, nullable=True),
    Column("reason", Text, nullable=True),
    Column("detail", Text, nullable=True),
    Column("status", Text, nullable=False),  # of phase, result and reason, to look for
    Column("is_over", Boolean, nullable=False),
    Column("is_watched", Boolean, nullable=False),  # under way, or logs are still to be read
    Column("runners", Text, nullable=False),  # as JSON
    Column("expected", Integer, nullable=True),
    Column("last_stage", Text, nullable=True),
    Column("run_created_at", Instant, nullable=True),
    Column("cleans_up", Boolean, nullable=False),
    Column("deleted_early", Boolean, nullable=False),
    Column("initializer_exit", Integer, nullable=True),
    Column("absences", Integer, nullable=False),
    Column("waits", Integer, nullable=False),
    Column("started_at", Instant, nullable=True),
    Column("completed_at", Instant, nullable=True),
    Column("checked_at", Instant, nullable=True),
    Column("stale_since", Instant, nullable=True),
    Column("stale_errors", Integer, nullable=True),
    Column("stale_error", Text, nullable=True),
    Column("stalled", Text, nullable=True),
    Column("logs", Text, nullable=False),
    Column("logs_detail", Text, nullable=True),
    Column("updated_at", Instant, nullable=False),
    Index("ix_loadtest_steps_test_id", "test_id"),
    Index("ix_loadtest_steps_registered_at_id", "registered_at", "id"),
    Index("ix_loadtest_steps_uid", "uid"),
    Index(
        "ix_loadtest_steps_under_way",
        "cluster",
        "namespace",
        "test_run",
        unique=True,
        sqlite_where=_UNDER_WAY,
        postgresql_where=_UNDER_WAY,
    ),
    Index(
        "ix_loadtest_steps_watched",
        "cluster",
        "namespace",
        sqlite_where=_WATCHED,
        postgresql_where=_WATCHED,
    ),
)

loadtest_logs = Table(
    "loadtest_logs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("step_id", Text, ForeignKey("loadtest_steps.id"), nullable=False),
    Column("pod_uid", Text, nullable=False),
    Column("pod", Text, nullable=False),
    Column("container", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("runner", Integer, nullable=True),
    Column("cursor", Text, nullable=False),  # as JSON
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=True),
    Column("first", Integer, nullable=False),  # chunk
    Column("last", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("packed_size", BigInteger, nullable=False),
    Column("left_after", Integer, nullable=True),
    Column("left_lines", BigInteger, nullable=True),
    Column("left_size", BigInteger, nullable=True),
    Column("updated_at", Instant, nullable=False),
    Index("ix_loadtest_logs_step_id", "step_id"),
    sqlite_with_rowid=False,
)

loadtest_chunks = Table(
    "loadtest_chunks",
    metadata,
    Column("log_id", Text, ForeignKey("loadtest_logs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("lines", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("packed_size", Integer, nullable=False),
    Column("first_moment", BigInteger, nullable=True),
    Column("last_moment", BigInteger, nullable=True),
    Column("packed", LargeBinary, nullable=False),  # some KiB, so its rows have a rowid
)

loadtest_summaries = Table(
    "loadtest_summaries",
    metadata,
    Column("step_id", Text, ForeignKey("loadtest_steps.id"), primary_key=True),
    Column("runner", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("metric", Text, nullable=False),
    Column("stat", Text, nullable=False),
    Column("value", Double, nullable=True),
    Column("unit", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("threshold", Text, nullable=True),
    Column("ok", Boolean, nullable=True),
    sqlite_with_rowid=False,
)

loadtest_cycles = Table(
    "loadtest_cycles",
    metadata,
    Column("fence", BigInteger, primary_key=True, autoincrement=False),
    Column("began_at", Instant, nullable=False),
    Column("total", Integer, nullable=True),  # null, as all below, until it has ended
    Column("updated", Integer, nullable=True),
    Column("errors", Integer, nullable=True),
    Column("logs_updated", Integer, nullable=True),
    Column("calls", Integer, nullable=True),
    Column("size", BigInteger, nullable=True),
    Column("duration", BigInteger, nullable=True),  # in microseconds
    Index("ix_loadtest_cycles_began_at", "began_at"),
    sqlite_with_rowid=False,
)

loadtest_cycle_errors = Table(
    "loadtest_cycle_errors",
    metadata,
    Column("fence", BigInteger, ForeignKey("loadtest_cycles.fence"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("step_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("error", Text, nullable=False),
    sqlite_with_rowid=False,
)

loadtest_job = Table(
    "loadtest_job",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1
    Column("fence", BigInteger, nullable=False),  # of the newest cycle
    Column("enabled", Boolean, nullable=True),
    Column("interval", BigInteger, nullable=True),  # in microseconds
    Column("origin", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", Instant, nullable=True),
    Column("updated_by", Text, nullable=True),
    Column("last_begun_at", Instant, nullable=True),
    Column("next_due_at", Instant, nullable=True),
    Column("busy_until", Instant, nullable=True),
    Column("busy_by", Text, nullable=True),
    sqlite_with_rowid=False,
)
