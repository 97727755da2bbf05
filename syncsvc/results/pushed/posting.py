"""Results are posted, or written into those that a plan has made for them.

The run must stay open until all of its results are there: so the first is posted as in progress
unless it goes out together with all others. What Test IT refuses is halved until those that it
takes are there, and the others stand alone, each with its reason.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from syncsvc.errors import Denied, Rejected, SyncsvcError, Uncertain, Unknown
from syncsvc.results.pushed.model import Entry
from syncsvc.results.pushed.ports import PushBoard, PushOutbox
from syncsvc.results.pushed.settling import Settling
from syncsvc.results.pushed.work import ClaimLost, Work

OVER = frozenset({"Stopped", "Completed"})


@dataclass(frozen=True)
class Posting:
    outbox: PushOutbox
    board: PushBoard
    settling: Settling
    clock: Callable[[], datetime]

    async def post_all(self, work: Work, files: Mapping[str, str]) -> None:
        """Show what is left of a batch. Raises Denied, Unavailable, or Rejected for all of it."""
        entries = list(work.left.values())
        await self._post(work, [e for e in entries if e.target_id is None], files)
        await self._fill(work, [e for e in entries if e.target_id is not None], files)

    async def _post(self, work: Work, entries: Sequence[Entry], files: Mapping[str, str]) -> None:
        if not entries:
            return
        try:
            await self._post_once(work, entries, files)
        except Denied:
            raise
        except Rejected as error:
            await self._after_refusal(work, entries, files, error)

    async def _post_once(
        self, work: Work, entries: Sequence[Entry], files: Mapping[str, str]
    ) -> None:
        await self._ensure(work, entries)
        rest = sum(entry.target_id is None for entry in work.left.values()) - len(entries)
        holds = not work.is_open and (work.more or rest > 0)
        posts = [
            work.post(entry, files, provisional=holds and number == 0)
            for number, entry in enumerate(entries)
        ]
        if not await self.outbox.sending(entries, self.clock()):
            raise ClaimLost(f"{len(entries)} results of run {work.run.id} are another's now")
        work.sent(entries, self.clock())  # whatever is raised: only a certain answer takes it back
        try:
            ids = await self.board.post(work.run, work.push.project_id, posts)
        except Uncertain:
            raise
        except SyncsvcError:
            await self.outbox.not_sent(entries)
            work.sent(entries, None)
            raise
        shown = {entry.id: target for entry, target in zip(entries, ids, strict=True)}
        await self.settling.held(work, {entries[0].id: shown.pop(entries[0].id)} if holds else {})
        await self.settling.delivered(work, shown)

    async def _after_refusal(
        self, work: Work, entries: Sequence[Entry], files: Mapping[str, str], error: Rejected
    ) -> None:
        await self._check_run(work, entries, files, error)
        entries = [entry for entry in entries if entry.id in work.left]
        if len(entries) == 1:
            await self.settling.refused(work, entries, str(error))
            return
        half = len(entries) // 2
        await self._post(work, entries[:half], files)
        await self._post(work, entries[half:], files)

    async def _check_run(
        self, work: Work, entries: Sequence[Entry], files: Mapping[str, str], error: Rejected
    ) -> None:
        """See, once, whether it is the run that takes nothing. Raises Rejected then."""
        if work.is_checked:
            return
        work.is_checked = True
        state = (await self.board.run_info(work.run)).state
        if state in OVER and not await self._takes_any(work, entries, files):
            raise Rejected(
                f"run {work.run.id} is {state} in Test IT and takes no more results ({error}): "
                "open it again there, then 'syncsvc results retry', or push them to another run"
            ) from error

    async def _takes_any(
        self, work: Work, entries: Sequence[Entry], files: Mapping[str, str]
    ) -> bool:
        """Try the first and the last alone: a run that is over may take late results."""
        if len(entries) == 1:
            return False
        for entry in (entries[0], entries[-1]):
            try:
                await self._post_once(work, [entry], files)
                return True
            except Denied:
                raise
            except Rejected:
                continue
        return False

    async def _fill(self, work: Work, entries: Sequence[Entry], files: Mapping[str, str]) -> None:
        if not entries:
            return
        with suppress(Rejected):  # each alone is told why
            await self._ensure(work, entries)
        for entry in entries:
            try:
                await self._fill_one(work, entry, files)
            except Unknown:  # it was removed: the entry is posted as any other
                await self.outbox.lost([entry], self.clock())
                del work.left[entry.id]
            except Denied:
                raise
            except Rejected as error:
                await self.settling.refused(work, [entry], str(error))

    async def _fill_one(self, work: Work, entry: Entry, files: Mapping[str, str]) -> None:
        await self._ensure(work, [entry])
        holds = not work.is_open and work.more
        post = work.post(entry, files, provisional=holds)
        await self.board.fill(work.run, str(entry.target_id), work.push.project_id, post)
        settle = self.settling.held if holds else self.settling.delivered
        await settle(work, {entry.id: entry.target_id})

    async def _ensure(self, work: Work, entries: Sequence[Entry]) -> None:
        results = [entry.result for entry in entries]
        await self.board.ensure_autotests(work.run, work.push.project_id, results)
