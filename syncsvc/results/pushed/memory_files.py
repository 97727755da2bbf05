"""Attachments in this process: the twin that unit tests use."""

import hashlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from syncsvc.errors import Rejected, TooLarge, Unavailable, Unknown
from syncsvc.results.pushed.memory import MemoryPushOutbox
from syncsvc.results.pushed.model import AttachmentRef, FileState
from syncsvc.results.pushed.ports import RunFile, Upload


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

    async def attach(self, run_id: str, files: Sequence[AttachmentRef], now: datetime) -> int:
        if run_id not in self.outbox.pushes:
            raise Unknown(f"run: expected one that is open for results, found {run_id[:80]!r}")
        missing = [
            file.digest for file in files if (run_id, file.digest) not in self.outbox.uploads
        ]
        if missing:
            raise Rejected(
                f"attachments: expected files that run {run_id[:80]!r} has, "
                f"found {min(missing)}: upload it first"
            )
        added = sum(self._attach(run_id, file) for file in files)
        if added:
            self.outbox.note_file(run_id, now)
        return added

    async def of_run(self, run_id: str) -> Sequence[RunFile]:
        mine = [file for (run, _), file in self.outbox.run_files.items() if run == run_id]
        return sorted(mine, key=lambda file: file.digest)

    async def settled(
        self, run_id: str, digests: Collection[str], state: FileState, reason: str | None
    ) -> None:
        for name in [(run_id, digest) for digest in digests]:
            known = self.outbox.run_files.get(name)
            if known is not None and known.state is FileState.WAITING:
                self.outbox.run_files[name] = replace(known, state=state, reason=reason)

    def _attach(self, run_id: str, file: AttachmentRef) -> bool:
        known = self.outbox.run_files.get((run_id, file.digest))
        if known is not None and known.state is not FileState.REFUSED:
            return False
        name = known.name if known else file.name
        self.outbox.run_files[run_id, file.digest] = RunFile(file.digest, name)
        return True

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
