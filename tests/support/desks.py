"""A desk whose commits are only noted, for stories that are tried alone."""

from dataclasses import dataclass, field
from datetime import datetime

from syncsvc.catalogue.desk import Desk
from syncsvc.catalogue.model import Counts, Order, RunStatus, SyncPhase, SyncRun
from syncsvc.catalogue.spending import Spending
from syncsvc.catalogue.work import Claimed, Committed, Step, Unit
from tests.support.builders import NOON
from tests.support.catalogue import MemorySource, order


def a_run(asked: Order | None = None, **more: object) -> SyncRun:
    made = {"lease_token": 1, "holder": None, "started_at": NOON, "heartbeat_at": NOON, **more}
    return SyncRun("run-1", asked or order(), RunStatus.RUNNING, 1, **made)


def a_unit(phase: SyncPhase, product_id: int | None = None, **more: object) -> Unit:
    return Unit("unit-1", "run-1", phase, product_id, **more)


@dataclass
class Kept:
    """Units that only note what is committed."""

    run: SyncRun
    steps: list[Step] = field(default_factory=list)

    async def commit(self, claimed: Claimed, step: Step, now: datetime) -> Committed:
        self.steps.append(step)
        return Committed(Counts(), 0, self.run)


def a_desk(
    source: MemorySource, phase: SyncPhase, product_id: int | None = None, **asked: object
) -> Desk:
    run = a_run(order(**asked))
    claimed = Claimed("claim-1", a_unit(phase, product_id), run)
    return Desk(claimed, source, None, Kept(run), Spending(200), lambda: NOON)
