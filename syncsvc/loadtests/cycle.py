"""One cycle over all places: first the status of every step, then the logs, then its report.

It may be ended at any moment: whatever it keeps is true by itself, and the next one goes on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.errors import Conflict
from syncsvc.loadtests.appending import Appending
from syncsvc.loadtests.capping import Cap
from syncsvc.loadtests.clusters import Clusters
from syncsvc.loadtests.collecting import Collecting, LogTerms
from syncsvc.loadtests.looking import Looking
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.pacing import Pace
from syncsvc.loadtests.ports import CycleReport, Cycles, LoadTests, Logs
from syncsvc.loadtests.registering import Discovery
from syncsvc.loadtests.stalling import Limits
from syncsvc.loadtests.tallying import Tally
from syncsvc.loadtests.watching import SAVED, Watching
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

LOOK_SHARE = 0.5  # of an interval: then a place cannot be looked at
READ_SHARE = 0.8  # then logs wait for the next cycle
TOLD = 20  # errors in the log line of a cycle; its row has more


@dataclass(frozen=True, slots=True)
class CycleTerms:
    """What a cycle may take. `look` is for all lists of a place, `proofs` the absences it asks for.

    Beyond the cap the middle of a log is left out.
    """

    look: timedelta = timedelta(seconds=30)
    proofs: int = 20
    limits: Limits = field(default_factory=Limits)
    logs: LogTerms = field(default_factory=LogTerms)
    cap: Cap = field(default_factory=lambda: Cap(head=4_000_000, tail=16_000_000))


@dataclass
class CycleRunner:
    """Runs cycles, one at a time: whose turn it is was settled before."""

    clusters: Clusters
    tests: LoadTests
    cycles: Cycles
    logs: Logs
    terms: CycleTerms
    clock: Callable[[], datetime]
    discovery: Discovery | None = None
    _pace: Pace = field(default_factory=Pace, init=False)

    async def run(self, interval: timedelta) -> CycleReport:
        """Run a cycle within an interval. What a cluster refuses is in the report.

        Raises Conflict as soon as a newer cycle has begun, Unavailable when nothing can be kept.
        """
        began_at, tally = self.clock(), Tally()
        fence = await self.cycles.begin(began_at)
        try:
            await self._carry_out(fence, tally, began_at, interval)
        except Conflict:
            await self._end(fence, tally, began_at, is_whole=False)
            raise
        return await self._end(fence, tally, began_at)

    async def _carry_out(
        self, fence: int, tally: Tally, began_at: datetime, interval: timedelta
    ) -> None:
        terms = self.terms
        looking = Looking(self.clusters, min(terms.look, interval * LOOK_SHARE))
        watching = Watching(
            self.tests, looking, terms.limits, terms.proofs, self.clock, tally, self.discovery
        )
        watched = await watching.watch(fence)
        steps = await self._collecting(fence, tally).collect(
            watched, began_at + interval * READ_SHARE
        )
        await self._save(fence, steps)

    def _collecting(self, fence: int, tally: Tally) -> Collecting:
        appending = Appending(self.logs, fence, self.terms.cap, self.clock)
        return Collecting(
            self.clusters,
            self.logs,
            appending,
            self.terms.logs,
            self.clock,
            tally,
            self._pace,
        )

    async def _save(self, fence: int, steps: Sequence[Step]) -> None:
        for first in range(0, len(steps), SAVED):
            await self.tests.save(fence, steps[first : first + SAVED], self.clock())

    async def _end(
        self, fence: int, tally: Tally, began_at: datetime, *, is_whole: bool = True
    ) -> CycleReport:
        report = tally.report(self.clock() - began_at)
        log.info(
            "load tests looked at" if is_whole else "a newer cycle over load tests has begun",
            cycle=fence,
            total=report.total,
            updated=report.updated,
            errors=report.errors,
            logs_updated=report.logs_updated,
            logs_left=tally.left,
            calls=report.calls,
            bytes=report.size,
            seconds=report.duration.total_seconds(),
            step_errors=[f"{each.name}: {each.error}" for each in report.step_errors[:TOLD]],
        )
        await self.cycles.end(fence, report)
        return report
