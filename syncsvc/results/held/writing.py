"""One held result gets its final status in Test IT; a repeat writes nothing twice."""

from dataclasses import dataclass

from syncsvc.errors import Conflict
from syncsvc.results.held.model import Entry, FinalStatus, TestResult, beside, final_status
from syncsvc.results.held.ports import Outbox, ResultBoard
from syncsvc.runs.model import Run


class Missing(Conflict):
    """The result is not in Test IT yet: its worker sends it after the cut."""


@dataclass(frozen=True)
class Writer:
    outbox: Outbox
    board: ResultBoard

    async def write(self, run: Run, entry: Entry, finished: set[str]) -> str | None:
        """Write one final status; give a remark where there was nothing to write.

        Raises Rejected, Conflict or Unavailable.
        """
        if entry.target_id is None:
            if entry.cut.external_id in finished:
                return "its worker had written the final result itself"
            raise Missing(f"Test IT has no result of {entry.cut.external_id!r} in this run")
        target = await self.board.read(run, entry.target_id)
        extra = await self.left_beside(run, entry, target)
        if extra is not None:  # first, since a repeat begins with the target again
            await self.board.finalise(run, extra.id, await self._status(run, entry))
        if target.is_final:
            return "it was final already"
        await self.board.finalise(run, target.id, await self._status(run, entry))
        return None

    async def left_beside(self, run: Run, entry: Entry, target: TestResult) -> TestResult | None:
        """Find what a worker posted in progress beside the result bound to a test point."""
        if not target.is_bound:
            return None
        taken = {target.id, *await self.outbox.aimed(run.id)}
        found = await self.board.in_progress(run, {entry.cut.external_id})
        others = [await self.board.read(run, each.id) for each in found if each.id not in taken]
        return beside(entry, others)

    async def _status(self, run: Run, entry: Entry) -> FinalStatus:
        return final_status(entry.cut, await self.board.status_codes(run, entry.cut.project_id))
