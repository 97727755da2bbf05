"""Every table, as it stands after the newest migration."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware moment, kept as whole microseconds since 1970 so that every database sorts it."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_microseconds(value)


def to_microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def from_microseconds(count: int) -> datetime:
    return datetime.fromtimestamp(count / 1_000_000, tz=UTC)


runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("base_url", Text, nullable=False),
    Column("token", LargeBinary, nullable=True),  # encrypted; null: the configured one
    Column("created_at", Instant, nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("result_count", Integer, nullable=True),  # in Test IT, when last looked
    Column("counted_at", Instant, nullable=True),  # when that number was first seen
    sqlite_with_rowid=False,
)

results = Table(
    "results",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("project_id", Text, nullable=True),
    Column("status_code", Text, nullable=False),
    Column("status_type", Text, nullable=False),
    Column("started_on", Text, nullable=True),
    Column("held_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Text, ForeignKey("results.id"), primary_key=True),  # one entry a result
    Column("run_id", Text, nullable=False),  # the result's, for claims that keep runs together
    Column("state", Text, nullable=False),
    Column("forced", Boolean, nullable=False),
    Column("target_id", Text, nullable=True),
    Column("attempt", Integer, nullable=False),
    Column("due_at", Instant, nullable=True),  # null while held and after the end
    Column("released_at", Instant, nullable=True),
    Column("claim", Text, nullable=True),
    Column("reason", Text, nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("settled_at", Instant, nullable=True),
    Index("ix_outbox_state_due_at", "state", "due_at"),
    Index("ix_outbox_run_id_state", "run_id", "state"),
    sqlite_with_rowid=False,
)

test_data = Table(
    "test_data",
    metadata,
    Column("run", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),  # up to 10 MiB, so its rows have a rowid
    Column("written_at", Instant, nullable=False),
    Index("ix_test_data_written_at", "written_at"),
)
