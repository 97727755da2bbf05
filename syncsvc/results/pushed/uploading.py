"""Attachments reach Test IT before the results that name them, each file of a run once."""

from collections.abc import Mapping
from dataclasses import dataclass

from syncsvc.errors import Denied, Rejected
from syncsvc.results.pushed.model import AttachmentRef, Entry
from syncsvc.results.pushed.ports import Files, PushBoard, Upload
from syncsvc.results.pushed.settling import Settling
from syncsvc.results.pushed.work import Work


@dataclass(frozen=True)
class Uploading:
    files: Files
    board: PushBoard
    settling: Settling

    async def upload(self, work: Work) -> Mapping[str, str]:
        """Give the ids in Test IT of all files of a batch, by digest.

        Entries with a file that is missing or refused are dead, with the file's name.
        """
        digests = {file.digest for e in work.left.values() for file in e.result.attachments}
        if not digests:
            return {}
        known = dict(await self.files.find(work.run.id, digests))
        for entry in list(work.left.values()):
            try:
                await self._upload_all(work, entry, known)
            except Denied:
                raise
            except Rejected as error:
                await self.settling.refused(work, [entry], str(error))
        return {digest: file.attachment_id for digest, file in known.items() if file.attachment_id}

    async def _upload_all(self, work: Work, entry: Entry, known: dict[str, Upload]) -> None:
        for file in entry.result.attachments:
            found = known.get(file.digest)
            if found is None:
                raise Rejected(
                    f"attachment {file.name!r}: its content was never uploaded, or is gone"
                )
            if found.attachment_id is None:
                known[file.digest] = await self._upload(work, file, found)

    async def _upload(self, work: Work, file: AttachmentRef, found: Upload) -> Upload:
        content = self.files.content(work.run.id, file.digest)
        try:
            attachment_id = await self.board.upload(work.run, file.name, found.size, content)
        except Denied:
            raise
        except Rejected as error:
            raise Rejected(f"attachment {file.name!r}: {error}") from error
        await self.files.uploaded(work.run.id, file.digest, attachment_id)
        return Upload(work.run.id, file.digest, found.size, attachment_id)
