"""What is held becomes final once its run is over and quiet; each step may be repeated.

A run is over when none of its workers is at work, and quiet when neither they nor the number
of its results in Test IT have moved for the quiet period: workers say that they have
completed before they upload, so their word alone is not enough.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from structlog.contextvars import bound_contextvars

from syncsvc.errors import Rejected, SyncsvcError, Unavailable
from syncsvc.results.held.looking import SecondLook
from syncsvc.results.held.model import (
    Entry,
    EntryState,
    TestResult,
    match,
    next_pause,
)
from syncsvc.results.held.ports import Outbox, ResultBoard
from syncsvc.results.held.writing import Missing, Writer
from syncsvc.runs.model import Liveness, Roster, Run, at_work, last_sign
from syncsvc.runs.ports import Rosters, Runs
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

AT_ONCE = 8  # entries that are claimed, and tried side by side: none waits while claimed
BUDGET = timedelta(seconds=30)  # then the next tick goes on
CLAIM = timedelta(seconds=30)  # longer than ONE_RUN
ONE_RUN = timedelta(seconds=25)  # longest that the entries of one run may take together


@dataclass(frozen=True, slots=True)
class Terms:
    """How long to wait for what."""

    quiet_period: timedelta
    give_up_after: timedelta
    missing_limit: timedelta
    liveness: Liveness
    verify_after: timedelta
    complete_runs: bool


@dataclass
class Delivery:
    """Gives held results their final status."""

    outbox: Outbox
    runs: Runs
    rosters: Rosters
    board: ResultBoard
    terms: Terms
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    _writer: Writer = field(init=False)
    _second: SecondLook = field(init=False)

    def __post_init__(self) -> None:
        self._writer = Writer(self.outbox, self.board)
        completes = self.terms.complete_runs
        self._second = SecondLook(
            self.outbox, self.runs, self.board, self._writer, self.clock, completes
        )

    async def release_finished(self) -> int:
        """Make due what runs hold whose workers are done; count the results.

        Raises Unavailable: nothing is lost, the next tick asks again.
        """
        runs = await self.outbox.held_runs()
        rosters = await asyncio.gather(*(self.rosters.get(run_id) for run_id, _ in runs))
        released = 0
        for (run_id, held_at), roster in zip(runs, rosters, strict=True):
            if not self._is_busy(roster, held_at):
                released += await self.outbox.release(run_id, self.clock(), forced=False)
                log.info("workers are done", run=run_id)
        return released

    async def deliver_due(self) -> int:
        """Try every entry that is due, once; count those that are settled now.

        Raises Unavailable when the outbox cannot be reached.
        """
        settled, until = 0, self.clock() + BUDGET
        while self.clock() < until:
            claimed = await self.outbox.claim_due(self.clock(), CLAIM, AT_ONCE)
            settled += await self._deliver(claimed)
            if len(claimed) < AT_ONCE:
                break
        return settled

    async def _deliver(self, entries: Sequence[Entry]) -> int:
        by_run: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_run[entry.cut.run_id].append(entry)
        return sum(await asyncio.gather(*(self._deliver_run(*group) for group in by_run.items())))

    def _is_busy(self, roster: Roster | None, held_at: datetime) -> bool:
        now = self.clock()
        if roster is None:  # lost: nobody says when its workers are done
            return now - held_at < self.terms.liveness.idle_limit
        return bool(at_work(roster, now, self.terms.liveness))

    async def _deliver_run(self, run_id: str, entries: Sequence[Entry]) -> int:
        with bound_contextvars(run=run_id):
            try:
                async with asyncio.timeout(ONE_RUN.total_seconds()):
                    return await self._finish_run(run_id, entries)
            except TimeoutError:
                late = Unavailable(f"not done within {ONE_RUN.total_seconds():g} s")
                return await self._fail(entries, late)
            except SyncsvcError as error:
                return await self._fail(entries, error)
            except Exception as error:  # the outermost loop: one run must not stop the others
                log.exception("delivery met something unexpected")
                return await self._fail(entries, Unavailable(f"unexpected {error!r}"))

    async def _finish_run(self, run_id: str, entries: Sequence[Entry]) -> int:
        run = await self.runs.get(run_id)
        if run is None:
            raise Rejected(f"run {run_id} is not in the database any more")
        again = [entry for entry in entries if entry.is_looked_at_again]
        if again:
            is_busy = await self._is_at_work(run)
            await self._second.look(run, again, is_busy=is_busy)
        return await self._finish(run, [entry for entry in entries if entry not in again])

    async def _is_at_work(self, run: Run) -> bool:
        roster = await self.rosters.get(run.id)
        return roster is not None and bool(at_work(roster, self.clock(), self.terms.liveness))

    async def _finish(self, run: Run, entries: Sequence[Entry]) -> int:
        waiting = [entry for entry in entries if not entry.forced]
        if waiting and await self._put_back_if_early(run, waiting):
            waiting = []
        return await self._finalise(run, [e for e in entries if e.forced] + waiting)

    async def _put_back_if_early(self, run: Run, entries: Sequence[Entry]) -> bool:
        roster = await self.rosters.get(run.id)
        held_at = max(entry.held_at for entry in entries)
        if self._is_busy(roster, held_at):
            for entry in entries:
                await self.outbox.put_back(entry, EntryState.HELD, None)
            return True
        run = await self._counted(run)
        last = last_sign([roster.seen_at if roster else None, run.counted_at, held_at])
        quiet_at = (last or held_at) + self.terms.quiet_period
        if self.clock() >= quiet_at:
            return False
        for entry in entries:
            await self.outbox.put_back(entry, EntryState.PENDING, quiet_at)
        return True

    async def _counted(self, run: Run) -> Run:
        counted = run.counting(await self.board.count_results(run), self.clock())
        if counted is not run:
            await self.runs.count(counted)
        return counted

    async def _finalise(self, run: Run, entries: Sequence[Entry]) -> int:
        if not entries:
            return 0
        aimed = await self._aim(run, entries)
        tests = {entry.cut.external_id for entry in aimed if entry.target_id is None}
        finished = await self.board.finished(run, tests) if tests else set()
        if any(entry.target_id is not None and not entry.writes for entry in aimed):
            await self._second.note_if_closed(run)
        settled = 0
        for entry in aimed:
            with bound_contextvars(entry=entry.id, attempt=entry.attempt + 1):
                settled += await self._try(run, entry, finished)
        return settled

    async def _try(self, run: Run, entry: Entry, finished: set[str]) -> int:
        try:
            remark = await self._writer.write(run, entry, finished)
            return await self._written(entry, remark)
        except SyncsvcError as error:
            return await self._fail([entry], error)

    async def _aim(self, run: Run, entries: Sequence[Entry]) -> list[Entry]:
        """Choose the result of each entry and write it down, so that a repeat hits the same."""
        free = [entry for entry in entries if entry.target_id is None]
        targets = await self._targets(run, free) if free else {}
        if targets:
            await self.outbox.aim({entry_id: result.id for entry_id, result in targets.items()})
        return [
            replace(entry, target_id=targets[entry.id].id) if entry.id in targets else entry
            for entry in entries
        ]

    async def _targets(self, run: Run, entries: Sequence[Entry]) -> dict[str, TestResult]:
        taken = set(await self.outbox.aimed(run.id))
        tests = {entry.cut.external_id for entry in entries}
        waiting = [r for r in await self.board.in_progress(run, tests) if r.id not in taken]
        targets: dict[str, TestResult] = {}
        for test in tests:
            targets |= match(
                [entry for entry in entries if entry.cut.external_id == test],
                [result for result in waiting if result.external_id == test],
            )
        return targets

    async def _written(self, entry: Entry, remark: str | None) -> int:
        now = self.clock()
        kept = await self.outbox.written(entry, now, now + self.terms.verify_after, remark)
        if kept:
            log.info("result final", remark=remark)
        return int(kept)

    async def _give_up(self, entry: Entry, error: SyncsvcError) -> int:
        now, reason = self.clock(), str(error)
        if entry.is_looked_at_again:  # it was seen to be final
            reason = f"not looked at again: {error}"
            await self.outbox.settle(entry, EntryState.DELIVERED, now, reason)
            log.warning("result not looked at again", entry=entry.id, reason=str(error))
            return 0
        kept = await self.outbox.settle(entry, EntryState.DEAD, now, reason)
        if kept:
            log.error("result dead", entry=entry.id, reason=reason)
        return int(kept)

    async def _fail(self, entries: Sequence[Entry], error: SyncsvcError) -> int:
        settled = 0
        for entry in entries:
            if self._is_hopeless(entry, error):
                settled += await self._give_up(entry, error)
            else:
                await self._retry(entry, error)
        return settled

    async def _retry(self, entry: Entry, error: SyncsvcError) -> None:
        pause = next_pause(entry.attempt + 1, self.chance())
        asked = getattr(error, "retry_after", None)
        due_at = self.clock() + max(pause, asked or pause)
        if await self.outbox.retry_later(entry, due_at, str(error)):
            log.warning("tried again later", entry=entry.id, due=str(due_at), reason=str(error))

    def _is_hopeless(self, entry: Entry, error: SyncsvcError) -> bool:
        if isinstance(error, Rejected):
            return True
        limit = self.terms.missing_limit if isinstance(error, Missing) else self.terms.give_up_after
        return self.clock() - (entry.released_at or entry.held_at) >= limit
