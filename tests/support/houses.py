"""A delivery of held results with its surroundings in memory."""

from dataclasses import dataclass, field

from syncsvc.results.held.delivery import Delivery, Terms
from syncsvc.results.held.memory import MemoryOutbox
from syncsvc.results.held.model import Entry
from syncsvc.runs.memory import MemoryRosters, MemoryRuns
from syncsvc.runs.model import WorkerStatus
from tests.support.builders import LIVENESS, TERMS, Clock, cut, ids, result, run
from tests.support.fakes import Board


@dataclass
class House:
    terms: Terms = TERMS
    clock: Clock = field(default_factory=Clock)
    board: Board = field(default_factory=lambda: Board([result("r1")]))
    runs: MemoryRuns = field(default_factory=MemoryRuns)

    def __post_init__(self) -> None:
        self.rosters = MemoryRosters(auto=True, idle_limit=LIVENESS.idle_limit)
        self.outbox = MemoryOutbox(self.runs, ids())
        self.delivery = Delivery(
            self.outbox, self.runs, self.rosters, self.board, self.terms, self.clock, lambda: 0.99
        )

    async def hold(self, external_id: str = "test", **more: str) -> str:
        await self.runs.put(run())
        await self.rosters.register("run", "worker", self.clock())
        return await self.outbox.hold(cut(external_id, **more), self.clock())

    async def complete(self) -> None:
        await self.rosters.report("run", "worker", WorkerStatus.COMPLETED, self.clock())

    async def tick(self) -> int:
        await self.delivery.release_finished()
        return await self.delivery.deliver_due()

    async def settle(self) -> None:
        """Let the workers finish, see the run once, and let the quiet period pass."""
        await self.complete()
        await self.tick()
        self.clock.pass_(TERMS.quiet_period)

    def entry(self, entry_id: str) -> Entry:
        return self.outbox.rows[entry_id]
