"""What nobody needs any more leaves the database: results first, then files, then pushes.

Rows are chosen and locked first, passing by those in use, and judged again when they are ours:
so forgetting waits for nobody, and takes nothing that somebody names at this moment.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, select, tuple_

from syncsvc.results.held.model import EntryState
from syncsvc.results.pushed.model import FileState
from syncsvc.stores.sql.database import ROWS_AT_ONCE
from syncsvc.stores.sql.tables import (
    attachment_contents,
    attachment_pieces,
    attachments,
    pushed_results,
    pushes,
    result_attachments,
)

_DELIVERED = pushed_results.c.state == EntryState.DELIVERED
_NAMED = exists().where(
    result_attachments.c.run_id == attachments.c.run_id,
    result_attachments.c.digest == attachments.c.digest,
)
_UNUSED = and_(~_NAMED, attachments.c.run_state.is_distinct_from(FileState.WAITING))
_IN_USE = exists().where(attachments.c.content_id == attachment_contents.c.id)
_HAS_RESULTS = exists().where(pushed_results.c.run_id == pushes.c.run_id)
_HAS_FILES = exists().where(attachments.c.run_id == pushes.c.run_id)


def delivered(connection: Connection, before: datetime) -> int:
    """Remove some of the results that were delivered before, and count them."""
    return remove_results(connection, and_(_DELIVERED, pushed_results.c.settled_at < before))


def remove_results(connection: Connection, which: ColumnElement[bool]) -> int:
    """Remove some of these results, with what they say of files, and count them."""
    some = select(pushed_results.c.id).where(which).limit(ROWS_AT_ONCE)
    ids = list(connection.scalars(some.with_for_update(skip_locked=True)))
    if ids:
        connection.execute(
            delete(result_attachments).where(result_attachments.c.result_id.in_(ids))
        )
        connection.execute(delete(pushed_results).where(pushed_results.c.id.in_(ids)))
    return len(ids)


def files(connection: Connection, before: datetime) -> int:
    """Remove some of the files that were kept before and that no result names, nor the run."""
    key = (attachments.c.run_id, attachments.c.digest)
    old = select(*key).where(attachments.c.kept_at < before, _UNUSED).limit(ROWS_AT_ONCE)
    names = [tuple(row) for row in connection.execute(old.with_for_update(skip_locked=True))]
    if not names:
        return 0
    unnamed = delete(attachments).where(tuple_(*key).in_(names), _UNUSED)
    return connection.execute(unnamed).rowcount


def contents(connection: Connection, before: datetime) -> int:
    """Remove some of the contents that came before and are no file's, or not yet."""
    old = (
        select(attachment_contents.c.id)
        .where(attachment_contents.c.begun_at < before, ~_IN_USE)
        .limit(ROWS_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    found = list(connection.scalars(old))
    in_use = select(attachments.c.content_id).where(attachments.c.content_id.in_(found))
    ids = set(found) - set(connection.scalars(in_use))
    remove_contents(connection, ids)
    return len(ids)


def remove_contents(connection: Connection, ids: Collection[str]) -> None:
    if ids:
        connection.execute(delete(attachment_pieces).where(attachment_pieces.c.content_id.in_(ids)))
        connection.execute(delete(attachment_contents).where(attachment_contents.c.id.in_(ids)))


def completed(connection: Connection, before: datetime) -> int:
    """Remove some of the pushes that were completed before and have nothing left."""
    empty = and_(pushes.c.completed_at < before, ~_HAS_RESULTS, ~_HAS_FILES)
    old = select(pushes.c.run_id).where(empty).limit(ROWS_AT_ONCE).with_for_update(skip_locked=True)
    runs = list(connection.scalars(old))
    if not runs:
        return 0
    return connection.execute(delete(pushes).where(pushes.c.run_id.in_(runs), empty)).rowcount
