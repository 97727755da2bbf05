"""Files of a run itself reach Test IT before the run ends; each step may be repeated."""

from collections.abc import Mapping
from dataclasses import dataclass

from syncsvc.errors import Denied, Rejected, Unknown
from syncsvc.results.pushed.model import FileState
from syncsvc.results.pushed.ports import Files, PushBoard, RunFile, Upload
from syncsvc.runs.model import Run
from syncsvc.telemetry import get_logger

log = get_logger(__name__)


@dataclass(frozen=True)
class Attaching:
    files: Files
    board: PushBoard

    async def attach(self, run: Run) -> None:
        """Attach the files that wait; those that Test IT refuses are refused, with the reason.

        Raises Unknown when the run is gone, and what may pass: then it is tried again.
        """
        waiting = [file for file in await self.files.of_run(run.id) if _waits(file)]
        if not waiting:
            return
        known = await self.files.find(run.id, [file.digest for file in waiting])
        ids: dict[str, str] = {}
        for file in waiting:
            try:
                ids[file.digest] = await self._id(run, file, known[file.digest])
            except Denied:
                raise
            except Rejected as error:
                await self._refuse(run.id, [file.digest], str(error))
        if ids:
            await self._assign(run, ids)

    async def give_up(self, run_id: str, reason: str) -> None:
        """Refuse what waits: the run is ended without it."""
        waiting = [file.digest for file in await self.files.of_run(run_id) if _waits(file)]
        if waiting:
            await self._refuse(run_id, waiting, reason)

    async def _id(self, run: Run, file: RunFile, known: Upload) -> str:
        if known.attachment_id is not None:
            return known.attachment_id
        content = self.files.content(run.id, file.digest)
        attachment_id = await self.board.upload(run, file.name, known.size, content)
        await self.files.uploaded(run.id, file.digest, attachment_id)
        return attachment_id

    async def _assign(self, run: Run, ids: Mapping[str, str]) -> None:
        try:
            await self.board.attach(run, list(ids.values()))
        except (Denied, Unknown):
            raise
        except Rejected as error:
            await self._refuse(run.id, list(ids), str(error))
        else:
            await self.files.settled(run.id, list(ids), FileState.ATTACHED, None)

    async def _refuse(self, run_id: str, digests: list[str], reason: str) -> None:
        log.error("files of the run given up", files=len(digests), reason=reason)
        await self.files.settled(run_id, digests, FileState.REFUSED, reason)


def _waits(file: RunFile) -> bool:
    return file.state is FileState.WAITING
