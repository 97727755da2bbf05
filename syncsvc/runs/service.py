"""Workers come, say how they are, and go."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from syncsvc.coordination.names import check_name
from syncsvc.errors import Unknown
from syncsvc.runs.model import ANYBODY, Caller, Destination, Run, WorkerStatus
from syncsvc.runs.ports import Holdings, Rosters, Runs
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

REMEMBERED = 10_000  # runs whose destination need not be written again
HEIRS = 100  # that may come between a worker's question and its taking over
NOWHERE = (
    "registered without mastership: no Test IT server is known for this run; "
    "set SYNCSVC_TESTIT_URL and SYNCSVC_TESTIT_TOKEN"
)


@dataclass(frozen=True, slots=True)
class Registration:
    """What a worker is told when it registers."""

    is_master: bool
    message: str


class Destinations(Protocol):
    """Decides which Test IT server a run belongs to."""

    def named(self, base_url: str | None, token: str | None) -> Destination | None:
        """Give what a worker names; None when it names nothing.

        Raises Rejected when it cannot be used.
        """
        ...

    def default(self) -> Destination | None:
        """Give the configured one, if there is one."""
        ...


@dataclass
class RunService:
    """Who takes part in which run."""

    runs: Runs
    rosters: Rosters
    holdings: Holdings
    destinations: Destinations
    clock: Callable[[], datetime]
    _stored: dict[str, Destination] = field(default_factory=dict, init=False)

    async def register(
        self,
        run_id: str,
        worker: str,
        base_url: str | None,
        token: str | None,
        caller: Caller = ANYBODY,
    ) -> Registration:
        """Add a worker to a run and tell it whether it may hold a result back.

        Raises Rejected for names that cannot be, Unavailable when it cannot be stored.
        """
        check_name("testRunId", run_id)
        check_name("pid", worker)
        if not await self._has_destination(run_id, self.destinations.named(base_url, token)):
            log.warning(NOWHERE)
            return Registration(is_master=False, message=NOWHERE)
        is_master = await self._is_master(run_id, worker, caller)
        return Registration(is_master, "registered as master" if is_master else "registered")

    async def report(
        self,
        run_id: str,
        worker: str,
        status: WorkerStatus | None,
        caller: Caller = ANYBODY,
    ) -> None:
        """Note a worker's status; None is a plain sign of life and leaves the status alone.

        Raises Unknown when this run has no such worker, Unavailable when it cannot be stored.
        """
        now = self.clock()
        noted = await self.rosters.report(run_id, worker, status, now, caller)
        if noted is None and await self.runs.get(run_id) is not None:
            log.warning("roster was lost, worker adopted")
            await self.rosters.adopt(run_id, worker, status, now)
        elif not noted:
            raise Unknown(
                f"pid: expected a worker registered for run {run_id[:80]!r}, found {worker[:80]!r};"
                " POST /register first"
            )

    async def _is_master(self, run_id: str, worker: str, caller: Caller) -> bool:
        """Of heirs that come at once each finds a new master: it asks again whether that one waits.

        An heir that did not would send its first result before the new master has shown one.
        """
        now = self.clock()
        for _ in range(HEIRS):
            is_master, gives_way = await self.rosters.register(run_id, worker, now, caller)
            if is_master or gives_way is None or await self.holdings.is_held(run_id):
                return is_master
            if await self.rosters.take_over(run_id, worker, gives_way, now, caller):
                return True
        return False

    async def _has_destination(self, run_id: str, named: Destination | None) -> bool:
        if named is None and run_id in self._stored:
            return True
        if named is None and await self.runs.get(run_id) is not None:
            return True
        destination = named or self.destinations.default()
        if destination is None:
            return False
        if self._stored.get(run_id) != destination:
            await self.runs.put(Run(run_id, destination, created_at=self.clock()))
            self._remember(run_id, destination)
        return True

    def _remember(self, run_id: str, destination: Destination) -> None:
        if len(self._stored) >= REMEMBERED:
            self._stored.clear()
        self._stored[run_id] = destination
