"""Every table, as it stands after the newest migration."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
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
    Column("closed_early_at", Instant, nullable=True),  # when we saw that it had
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
    Column("due_at", Instant, nullable=True),  # delivered: when it is looked at once more
    Column("released_at", Instant, nullable=True),
    Column("claim", Text, nullable=True),
    Column("reason", Text, nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("settled_at", Instant, nullable=True),
    Column("writes", Integer, nullable=False, server_default="0"),
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

pushes = Table(
    "pushes",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("project_id", Text, nullable=False),
    Column("configuration_id", Text, nullable=True),
    Column("phase", Text, nullable=False),
    Column("accepted_at", Instant, nullable=False),
    Column("complete_asked_at", Instant, nullable=True),
    Column("completed_at", Instant, nullable=True),
    Column("attempt", Integer, nullable=False),
    Column("reason", Text, nullable=True),
    Column("planned", Boolean, nullable=True),  # made from a plan; null: nobody has looked
    Column("served_at", Instant, nullable=True),  # when its entries were claimed last
    Column("ending_due_at", Instant, nullable=True),  # not to be ended before
    sqlite_with_rowid=False,
)

pushed_results = Table(
    "pushed_results",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, ForeignKey("pushes.run_id"), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("key", Text, nullable=True),
    Column("payload", LargeBinary, nullable=False),  # the result as JSON; so rows have a rowid
    Column("accepted_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("sent_at", Instant, nullable=True),
    Column("target_id", Text, nullable=True),
    Column("attempt", Integer, nullable=False),
    Column("due_at", Instant, nullable=True),  # null unless pending
    Column("claim", Text, nullable=True),
    Column("reason", Text, nullable=True),
    Column("settled_at", Instant, nullable=True),
    Column("revived_at", Instant, nullable=True),
    Index("ix_pushed_results_run_id_state_due_at_id", "run_id", "state", "due_at", "id"),
    Index("ix_pushed_results_run_id_external_id", "run_id", "external_id"),
    Index(
        "ix_pushed_results_run_id_key",
        "run_id",
        "key",
        unique=True,
        sqlite_where=text("key IS NOT NULL"),
        postgresql_where=text("key IS NOT NULL"),
    ),
    Index(  # the batches that are out
        "ix_pushed_results_run_id_claimed",
        "run_id",
        "due_at",
        sqlite_where=text("claim IS NOT NULL"),
        postgresql_where=text("claim IS NOT NULL"),
    ),
    Index(
        "ix_pushed_results_settled_at",
        "settled_at",
        sqlite_where=text("settled_at IS NOT NULL"),
        postgresql_where=text("settled_at IS NOT NULL"),
    ),
)

attachment_contents = Table(
    "attachment_contents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),  # bytes stored so far
    Column("begun_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

attachment_pieces = Table(
    "attachment_pieces",
    metadata,
    Column("content_id", Text, ForeignKey("attachment_contents.id"), primary_key=True),
    Column("number", Integer, primary_key=True),  # from 0
    Column("piece", LargeBinary, nullable=False),  # up to 256 KiB, so its rows have a rowid
)

attachments = Table(
    "attachments",
    metadata,
    Column("run_id", Text, ForeignKey("pushes.run_id"), primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("attachment_id", Text, nullable=True),  # in Test IT
    Column("content_id", Text, ForeignKey("attachment_contents.id"), nullable=True),
    Column("kept_at", Instant, nullable=False),
    Column("run_name", Text, nullable=True),  # its name, if it belongs to the run itself
    Column("run_state", Text, nullable=True),
    Column("run_reason", Text, nullable=True),
    Index("ix_attachments_content_id", "content_id"),
    sqlite_with_rowid=False,
)

result_attachments = Table(
    "result_attachments",
    metadata,
    Column("result_id", Text, ForeignKey("pushed_results.id"), primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    ForeignKeyConstraint(["run_id", "digest"], ["attachments.run_id", "attachments.digest"]),
    Index("ix_result_attachments_run_id_digest", "run_id", "digest"),
    sqlite_with_rowid=False,
)
