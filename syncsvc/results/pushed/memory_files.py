"""Attachments in this process: the twin that unit tests use."""

import hashlib
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from syncsvc.errors import Rejected, TooLarge, Unavailable, Unknown
from syncsvc.results.pushed.memory import MemoryPushOutbox
from syncsvc.results.pushed.ports import Upload


@dataclass
class MemoryFiles:
    outbox: MemoryPushOutbox  # its results name the files, so both live together
    largest: int = 1_000_000  # bytes of one file
    quota: int = 10_000_000  # bytes of all files that wait

    async def keep(
        self, run_id: str, digest: str, content: AsyncIterator[bytes], now: datetime
    ) -> Upload:
        if run_id not in self.outbox.pushes:
            raise Unknown(f"run: expected one that is open for results, found {run_id[:80]!r}")
        name = (run_id, digest)
        if name not in self.outbox.uploads:
            pieces = await self._read(content)
            found = hashlib.sha256(b"".join(pieces)).hexdigest()
            if found != digest:
                raise Rejected(f"digest: expected {found}, the content's SHA-256, found {digest}")
            self.outbox.uploads[name] = Upload(run_id, digest, sum(map(len, pieces)))
            self.outbox.contents[name] = pieces
            self.outbox.kept_at[name] = now
        return self.outbox.uploads[name]

    async def find(self, run_id: str, digests: Collection[str]) -> Mapping[str, Upload]:
        names = [(run_id, digest) for digest in digests]
        uploads = self.outbox.uploads
        return {digest: uploads[run, digest] for run, digest in names if (run, digest) in uploads}

    async def content(self, run_id: str, digest: str) -> AsyncIterator[bytes]:
        name = (run_id, digest)
        if name not in self.outbox.uploads:
            raise Unknown(f"attachment: expected one of run {run_id[:80]!r}, found {digest}")
        if name not in self.outbox.contents:
            raise Unavailable(f"attachment {digest} was uploaded meanwhile: look again")
        for piece in self.outbox.contents[name]:
            yield piece

    async def uploaded(self, run_id: str, digest: str, attachment_id: str) -> None:
        name = (run_id, digest)
        if name in self.outbox.uploads:
            self.outbox.uploads[name] = replace(
                self.outbox.uploads[name], attachment_id=attachment_id
            )
            self.outbox.contents.pop(name, None)

    async def _read(self, content: AsyncIterator[bytes]) -> list[bytes]:
        stored = sum(len(p) for pieces in self.outbox.contents.values() for p in pieces)
        pieces: list[bytes] = []
        size = 0
        async for piece in content:
            size += len(piece)
            if size > self.largest:
                raise TooLarge(f"attachment: expected at most {self.largest} bytes, found more")
            if stored + size > self.quota:
                raise TooLarge(
                    f"attachments: expected at most {self.quota} bytes of files that wait for "
                    f"delivery, found {stored}: try again when some are delivered"
                )
            pieces.append(piece)
        return pieces
