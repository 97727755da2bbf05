"""Before a result is posted one looks whether it is there already, or one waits for it.

Nothing is asked where there is nothing to doubt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from syncsvc.errors import Unknown
from syncsvc.results.held.model import StatusType
from syncsvc.results.pushed.model import Entry
from syncsvc.results.pushed.ports import PushBoard, PushOutbox, Shown
from syncsvc.results.pushed.proof import Proof, prove
from syncsvc.results.pushed.settling import Settling
from syncsvc.results.pushed.work import Work

NOT_STARTED = "NotStarted"


@dataclass(frozen=True)
class Looking:
    outbox: PushOutbox
    board: PushBoard
    settling: Settling

    async def settle_shown(self, work: Work) -> None:
        """Settle those that were posted before and are there; the others may be posted again."""
        unsure = [e for e in work.left.values() if e.sent_at is not None and e.target_id is None]
        if unsure:
            proofs = await self._proofs(work, unsure)
            sure = {entry.id: proof.found for entry, proof in proofs if proof.found is not None}
            await self._settle(work, sure)
            for entry, proof in proofs:
                await self._settle_by_mark(work, entry, proof.doubtful)
            absent = [entry for entry in unsure if entry.id in work.left]
            await self.outbox.not_sent(absent)
            work.sent(absent, None)

    async def aim_at_waiting(self, work: Work) -> None:
        """Start a run that is not, and find the results that a plan has made for ours."""
        planned = work.push.planned
        if planned is None and work.opens:
            if (await self.board.run_info(work.run)).state == NOT_STARTED:
                await self.board.start_run(work.run)
            waiting = await self._bound(work)
            await self.outbox.looked(work.run.id, planned=bool(waiting))
            work.looked(planned=bool(waiting))
            await self._aim(work, waiting)
        elif planned:
            await self._aim(work, await self._bound(work))

    async def _proofs(self, work: Work, unsure: Sequence[Entry]) -> Sequence[tuple[Entry, Proof]]:
        tests = {entry.result.external_id for entry in unsure}
        results = [entry.result for entry in unsure]
        shown = await self.board.shown(work.run, work.push.project_id, results)
        # in this order: who was posted before the look and settles meanwhile is in one of both
        contested = await self.outbox.contested(work.run.id, tests)
        explained = await self.outbox.targets(work.run.id, tests)
        free = [each for each in shown if each.id not in explained]
        return [
            (entry, prove(entry, work.configuration(entry) or "", free, contested=is_contested))
            for entry in unsure
            for is_contested in [entry.result.external_id in contested]
        ]

    async def _settle_by_mark(self, work: Work, entry: Entry, doubtful: Sequence[Shown]) -> None:
        """Read marks until the entry's is found; what is found is kept at once."""
        for shown in doubtful:
            try:
                mark = await self.board.mark_of(work.run, shown.id)
            except Unknown:  # somebody has removed it since
                continue
            if mark == entry.id:
                await self._settle(work, {entry.id: shown})
                return

    async def _settle(self, work: Work, found: dict[str, Shown]) -> None:
        open_ = {
            entry_id: shown.id
            for entry_id, shown in found.items()
            if shown.status_type == StatusType.IN_PROGRESS
        }
        final = {name: shown.id for name, shown in found.items() if name not in open_}
        await self.settling.delivered(work, final)
        await self.settling.held(work, open_)

    async def _bound(self, work: Work) -> Sequence[Shown]:
        return [shown for shown in await self.board.waiting(work.run) if shown.is_bound]

    async def _aim(self, work: Work, waiting: Sequence[Shown]) -> None:
        tests = {entry.result.external_id for entry in work.left.values()}
        answering = [shown for shown in waiting if shown.external_id in tests]
        if not answering:
            return
        taken = await self.outbox.targets(work.run.id, tests)
        free = {
            _place(each.external_id, each.configuration_id): each.id
            for each in answering
            if each.id not in taken
        }
        wanted = {
            entry.id: free[place]
            for entry in work.left.values()
            if entry.target_id is None
            for place in [_place(entry.result.external_id, work.configuration(entry) or "")]
            if place in free
        }
        for entry_id in await self.outbox.aim(work.run.id, wanted):
            work.aimed(entry_id, wanted[entry_id])


def _place(external_id: str, configuration_id: str) -> tuple[str, str]:
    return external_id, configuration_id.lower()
