"""One unit is carried out by the story of its phase; whatever goes wrong becomes its outcome."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from structlog.contextvars import bound_contextvars

from syncsvc.catalogue.desk import Desk, Story
from syncsvc.catalogue.heartbeat import Heartbeat
from syncsvc.catalogue.model import Counts, ErrorClass, SyncPhase
from syncsvc.catalogue.outcomes import Overheard, endless, root_of, step_after
from syncsvc.catalogue.ports import Sources, Stored, SyncNudge, SyncUnits
from syncsvc.catalogue.spending import Spending
from syncsvc.catalogue.work import Claimed, Committed, Done, Failed, Later, Outcome, Step
from syncsvc.errors import Conflict, SyncsvcError, Unknown
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

GIVING_BACK = timedelta(seconds=2)  # of a process that stops
MOST_WOKEN = 8  # task workers, by one commit


@dataclass
class Kept:
    """The units, and what was committed of one of them: its counts, its outcome, what came next."""

    units: SyncUnits
    heart: Heartbeat
    counts: Counts = field(default=Counts(), init=False)
    outcome: Outcome | None = field(default=None, init=False)
    last: Committed | None = field(default=None, init=False)

    async def claim(
        self, now: datetime, term: timedelta, run_id: str | None = None
    ) -> Claimed | None:
        return await self.units.claim(now, term, run_id)

    async def keep(
        self, claims: Collection[str], runs: Collection[str], now: datetime, term: timedelta
    ) -> Collection[str]:
        return await self.units.keep(claims, runs, now, term)

    async def commit(self, claimed: Claimed, step: Step, now: datetime) -> Committed:
        if step.outcome is not None:
            self.heart.end(claimed.claim)
        self.last = await self.units.commit(claimed, step, now)
        self.counts += self.last.counts
        self.outcome = step.outcome
        return self.last


@dataclass(frozen=True)
class Carrying:
    units: SyncUnits
    stored: Stored
    sources: Sources
    stories: Mapping[SyncPhase, Story]
    heart: Heartbeat
    nudge: SyncNudge
    calls_a_turn: int
    clock: Callable[[], datetime]

    async def carry_out(self, claimed: Claimed) -> int:
        """Carry out a unit as far as it goes now, and count it if it has an outcome.

        It raises nothing. When it is cancelled it gives the unit back, to be claimed at once.
        """
        unit, kept = claimed.unit, Kept(self.units, self.heart)
        with bound_contextvars(run=claimed.run.id, phase=unit.phase, product=unit.product_id):
            try:
                async with self.heart.holding(claimed):
                    await self._try(claimed, kept)
            except asyncio.CancelledError:
                await self._give_back(claimed, kept)
                raise
            except Conflict as error:
                log.warning("unit dropped", reason=str(error))
            except SyncsvcError as error:  # the store itself: the claim ends by itself
                log.warning("unit left behind", reason=str(error))
            except Exception:  # the outermost loop: a defect must not stop the others
                log.exception("unit left behind")
            return await self._finish(kept)

    async def _try(self, claimed: Claimed, kept: Kept) -> None:
        if given_up := endless(claimed.unit):
            await kept.commit(claimed, Step(outcome=given_up), self.clock())
            return
        try:
            source = Overheard(self.sources.of(claimed.run.order.customer))
        except Unknown as error:
            refused = Failed(ErrorClass.REFUSED, str(error))
            await kept.commit(claimed, Step(outcome=refused), self.clock())
            return
        await self._tell(self._desk(claimed, source, kept), source, kept)

    def _desk(self, claimed: Claimed, source: Overheard, kept: Kept) -> Desk:
        spending = Spending(self.calls_a_turn)
        return Desk(claimed, source, self.stored, kept, spending, self.clock)

    async def _tell(self, desk: Desk, source: Overheard, kept: Kept) -> None:
        """Have the unit's story carried out, or give the unit the outcome of what it raised."""
        phase = desk.claimed.unit.phase
        try:
            await self.stories[phase].carry_out(desk)
        except Conflict:
            raise
        except Exception as error:  # the outermost loop: one unit must not stop the others
            if kept.outcome is None:
                await desk.keep(self._step_after(root_of(error), desk, source))
            else:
                log.exception("a unit's story went on after its end")
        else:
            if kept.outcome is None:
                failed = Failed(ErrorClass.OURS, f"the story of {phase} ended without an outcome")
                await desk.keep(Step(outcome=failed))

    def _step_after(self, error: Exception, desk: Desk, source: Overheard) -> Step:
        if isinstance(error, Conflict):
            raise error
        if isinstance(error, SyncsvcError):
            return step_after(error, desk.claimed.unit, source, self.clock())
        log.error("a unit met something unexpected", exc_info=error)
        reason = f"unexpected {type(error).__name__}: the log of its process has the trace"
        return Step(outcome=Failed(ErrorClass.OURS, reason))

    async def _give_back(self, claimed: Claimed, kept: Kept) -> None:
        """Let others go on at once; where that fails they wait for the claim's end."""
        if kept.outcome is not None:
            return
        now = self.clock()
        back = Step(outcome=Later(now, "its process stopped"))
        try:
            async with asyncio.timeout(GIVING_BACK.total_seconds()):
                await kept.commit(claimed, back, now)
            log.info("unit given back")
        except (SyncsvcError, TimeoutError) as error:
            log.warning("unit not given back", reason=str(error))

    async def _finish(self, kept: Kept) -> int:
        """Tell what came of a unit to the log, and to those who can go on after it."""
        if kept.outcome is None or kept.last is None:
            return 0
        _log(kept.outcome, kept.counts)
        run = kept.last.run
        if run.status.is_over:
            self.heart.drop(run.id)  # after a denial others here are still at it
            await self.heart.locks.release(run)
        elif kept.last.opened and run.is_shared:
            await self.nudge.sync(min(kept.last.opened, MOST_WOKEN))
        return 1


def _log(outcome: Outcome, counts: Counts) -> None:
    told = {name: count for name, count in counts.as_dict().items() if count}
    match outcome:
        case Done():
            log.info("unit done", **told)
        case Failed():
            kind = outcome.error_class
            log.warning("unit failed", error_class=kind, reason=outcome.error, **told)
        case Later():
            log.info("unit goes on later", due=str(outcome.due_at), reason=outcome.reason, **told)
