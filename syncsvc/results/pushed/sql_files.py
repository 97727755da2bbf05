"""Attachments in SQL, in pieces. No transaction is open while the network is waited for.

Pieces are stored as they come, under a content's own id; a file names its content only when it
is whole and its digest is right. What a broken upload left is removed at once or, when its
process died, by a later upload or by forgetting.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from syncsvc.errors import Rejected, TooLarge, Unavailable, Unknown
from syncsvc.results.pushed import sql_run_files
from syncsvc.results.pushed.model import AttachmentRef, FileState
from syncsvc.results.pushed.ports import RunFile, Upload
from syncsvc.results.pushed.sql_accepting import unknown
from syncsvc.results.pushed.sql_forgetting import contents as forget_contents
from syncsvc.results.pushed.sql_forgetting import remove_contents
from syncsvc.stores.sql.database import Database
from syncsvc.stores.sql.tables import (
    attachment_contents,
    attachment_pieces,
    attachments,
    pushes,
)

PIECE = 256 * 1024  # bytes
LONGEST_UPLOAD = timedelta(hours=1)  # what began earlier and is no file's was given up

_UPLOAD = select(
    attachments.c.run_id, attachments.c.digest, attachments.c.size, attachments.c.attachment_id
)


@dataclass(frozen=True)
class SqlFiles:
    database: Database
    new_id: Callable[[], str]
    largest: int  # bytes of one file
    quota: int  # bytes of all files that wait; uploads at once may pass it by a piece each

    async def keep(
        self, run_id: str, digest: str, content: AsyncIterator[bytes], now: datetime
    ) -> Upload:
        content_id = self.new_id()
        known = await self.database.write(lambda c: _begin(c, run_id, digest, content_id, now))
        if known is not None:
            return known
        try:
            size = await self._store(content_id, digest, content)
            new = Upload(run_id, digest, size)
            kept = await self.database.write(lambda c: self._publish(c, new, content_id, now))
        except BaseException:
            await asyncio.shield(self._remove(content_id))
            raise
        return kept

    async def find(self, run_id: str, digests: Collection[str]) -> Mapping[str, Upload]:
        query = _UPLOAD.where(
            attachments.c.run_id == run_id, attachments.c.digest.in_(list(digests))
        )
        rows = await self.database.read(lambda connection: connection.execute(query).all())
        return {row.digest: Upload(*row) for row in rows}

    async def content(self, run_id: str, digest: str) -> AsyncIterator[bytes]:
        content_id, size = await self._place(run_id, digest)
        number = given = 0
        while given < size:
            piece = await self._piece(content_id, number)
            if piece is None:
                raise _gone(digest)
            yield piece
            number, given = number + 1, given + len(piece)

    async def uploaded(self, run_id: str, digest: str, attachment_id: str) -> None:
        this = attachments.c.run_id == run_id, attachments.c.digest == digest

        def work(connection: Connection) -> None:
            query = select(attachments.c.content_id).where(*this).with_for_update()
            content_id = connection.scalar(query)
            connection.execute(
                update(attachments)
                .where(*this)
                .values(attachment_id=attachment_id, content_id=None)
            )
            remove_contents(connection, [content_id] if content_id else [])

        await self.database.write(work)

    async def attach(self, run_id: str, files: Sequence[AttachmentRef], now: datetime) -> int:
        return await self.database.write(lambda c: sql_run_files.attach(c, run_id, files, now))

    async def of_run(self, run_id: str) -> Sequence[RunFile]:
        return await self.database.read(lambda c: sql_run_files.of_run(c, run_id))

    async def settled(
        self, run_id: str, digests: Collection[str], state: FileState, reason: str | None
    ) -> None:
        settling = sql_run_files.settled(run_id, digests, state, reason)
        await self.database.write(lambda connection: connection.execute(settling).rowcount)

    async def _store(self, content_id: str, digest: str, content: AsyncIterator[bytes]) -> int:
        """Store the pieces and give their bytes. Raises Rejected, TooLarge, Unavailable."""
        found = hashlib.sha256()
        size = number = 0
        async for piece in _pieces(content):
            size += len(piece)
            if size > self.largest:
                raise TooLarge(f"attachment: expected at most {self.largest} bytes, found more")
            found.update(piece)
            await self._add(content_id, number, piece)
            number += 1
        if found.hexdigest() != digest:
            raise Rejected(
                f"digest: expected {found.hexdigest()}, the content's SHA-256, found {digest}"
            )
        return size

    async def _add(self, content_id: str, number: int, piece: bytes) -> None:
        longer = (
            update(attachment_contents)
            .where(attachment_contents.c.id == content_id)
            .values(size=attachment_contents.c.size + len(piece))
        )
        row = {"content_id": content_id, "number": number, "piece": piece}

        def work(connection: Connection) -> None:
            stored = connection.scalar(select(func.sum(attachment_contents.c.size))) or 0
            if stored + len(piece) > self.quota:
                raise TooLarge(
                    f"attachments: expected at most {self.quota} bytes of files that wait for "
                    f"delivery, found {stored}: try again when some are delivered"
                )
            if not connection.execute(longer).rowcount:
                raise _given_up()
            connection.execute(insert(attachment_pieces), row)

        await self.database.write(work)

    def _publish(
        self, connection: Connection, new: Upload, content_id: str, now: datetime
    ) -> Upload:
        dialect = sqlite if self.database.is_sqlite else postgresql
        adding = dialect.insert(attachments).values(
            run_id=new.run_id,
            digest=new.digest,
            size=new.size,
            content_id=content_id,
            kept_at=now,
        )
        _check_run(connection, new.run_id)
        ours = select(attachment_contents.c.id).where(attachment_contents.c.id == content_id)
        if connection.scalar(ours.with_for_update(read=True, key_share=True)) is None:
            raise _given_up()
        if not connection.execute(adding.on_conflict_do_nothing()).rowcount:
            remove_contents(connection, [content_id])  # another upload of it was faster
        return _upload(connection, new.run_id, new.digest) or new

    async def _remove(self, content_id: str) -> None:
        await self.database.write(lambda connection: remove_contents(connection, [content_id]))

    async def _place(self, run_id: str, digest: str) -> tuple[str, int]:
        query = select(attachments.c.content_id, attachments.c.size).where(
            attachments.c.run_id == run_id, attachments.c.digest == digest
        )
        row = await self.database.read(lambda connection: connection.execute(query).first())
        if row is None:
            raise Unknown(f"attachment: expected one of run {run_id[:80]!r}, found {digest}")
        if row.content_id is None:
            raise _gone(digest)
        return row.content_id, row.size

    async def _piece(self, content_id: str, number: int) -> bytes | None:
        query = select(attachment_pieces.c.piece).where(
            attachment_pieces.c.content_id == content_id, attachment_pieces.c.number == number
        )
        return await self.database.read(lambda connection: connection.scalar(query))


def _begin(
    connection: Connection, run_id: str, digest: str, content_id: str, now: datetime
) -> Upload | None:
    """Make room for a content; give the file instead where the run has it."""
    _check_run(connection, run_id)
    known = _upload(connection, run_id, digest)
    if known is None:
        forget_contents(connection, now - LONGEST_UPLOAD)
        row = {"id": content_id, "size": 0, "begun_at": now}
        connection.execute(insert(attachment_contents), row)
    return known


def _check_run(connection: Connection, run_id: str) -> None:
    """See that there is a push, and that it stays while the transaction lasts."""
    query = select(pushes.c.run_id).where(pushes.c.run_id == run_id)
    if connection.scalar(query.with_for_update(read=True, key_share=True)) is None:
        raise unknown(run_id)


def _upload(connection: Connection, run_id: str, digest: str) -> Upload | None:
    query = _UPLOAD.where(attachments.c.run_id == run_id, attachments.c.digest == digest)
    row = connection.execute(query).first()
    return None if row is None else Upload(*row)


async def _pieces(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Cut what comes into pieces of one size, so that small chunks do not cost a commit each."""
    rest = bytearray()
    async for chunk in content:
        rest += chunk
        while len(rest) >= PIECE:
            yield bytes(rest[:PIECE])
            del rest[:PIECE]
    if rest:
        yield bytes(rest)


def _given_up() -> Unavailable:
    return Unavailable(f"the upload took longer than {LONGEST_UPLOAD}: send it again")


def _gone(digest: str) -> Unavailable:
    return Unavailable(f"attachment {digest} was uploaded meanwhile: look again")
