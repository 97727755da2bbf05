"""Signs of life for what a process works on: its claims, their runs, and the runs' locks.

Whoever stops giving them loses the claims, and others go on with the work. A claim that is lost
nevertheless ends what is done under it here.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syncsvc.catalogue.model import SyncRun
from syncsvc.catalogue.ports import SyncLock, SyncRuns, SyncUnits
from syncsvc.catalogue.work import Claimed
from syncsvc.errors import Conflict, SyncsvcError, Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)


@dataclass
class RunLocks:
    """The locks of runs, each with the token that counts now: a lost lock is taken again."""

    lock: SyncLock
    runs: SyncRuns
    _tokens: dict[str, int] = field(default_factory=dict, init=False)
    _lost: set[str] = field(default_factory=set, init=False)

    async def renew(self, run: SyncRun) -> None:
        """Raises Unavailable. A lock that others have now is told of once: the fence counts."""
        token = self._token(run)
        if token is None or await self.lock.renew(run.order.customer, run.id, token):
            return
        taken = await self.lock.acquire(run.order.customer, run.id)
        if taken is not None:
            self._tokens[run.id] = taken
        if (await self.runs.run(run.id)).status.is_over:  # then it was given back, not lost
            await self.release(run)
        elif run.id not in self._lost:
            self._lost.add(run.id)
            log.warning("lock of a sync lost", run=run.id, again_ours=taken is not None)

    async def release(self, run: SyncRun) -> None:
        """Give a run's lock back; where that fails it ends by itself."""
        token = self._token(run)
        self._tokens.pop(run.id, None)
        self._lost.discard(run.id)
        if token is None:
            return
        try:
            await self.lock.release(run.order.customer, run.id, token)
        except Unavailable as error:
            log.warning("lock of a sync not given back", run=run.id, reason=str(error))

    def _token(self, run: SyncRun) -> int | None:
        return self._tokens.get(run.id, run.lease_token)


@dataclass(frozen=True)
class _Held:
    run: SyncRun
    work: asyncio.Timeout | None  # None: its last commit is under way, which tells by itself


@dataclass
class Heartbeat:
    """Beats while somebody is `beating`, for what is held and watched then."""

    units: SyncUnits
    locks: RunLocks
    term: timedelta  # of a claim
    every: timedelta
    clock: Callable[[], datetime]
    pause: Callable[[float], Awaitable[None]]
    _held: dict[str, _Held] = field(default_factory=dict, init=False)
    _watched: list[SyncRun] = field(default_factory=list, init=False)
    _callers: int = field(default=0, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _is_cut_off: bool = field(default=False, init=False)

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        self._callers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._beat_on())
        try:
            yield
        finally:
            self._callers -= 1
            if not self._callers:
                task, self._task = self._task, None
                task.cancel()
                await asyncio.wait({task})

    @asynccontextmanager
    async def holding(self, claimed: Claimed) -> AsyncIterator[None]:
        """Keep a claim. Raises Conflict once it is lost and its work has been cancelled."""
        work = asyncio.timeout(None)
        try:
            async with work:
                self._held[claimed.claim] = _Held(claimed.run, work)
                try:
                    yield
                finally:
                    self._held.pop(claimed.claim, None)
        except TimeoutError as error:
            if work.expired():
                raise Conflict(f"the claim on unit {claimed.unit.id} is lost") from error
            raise

    def end(self, claim: str) -> None:
        """Keep a claim through its last commit, after which it is gone and yet not lost."""
        if held := self._held.get(claim):
            self._held[claim] = replace(held, work=None)

    @contextmanager
    def watching(self, run: SyncRun) -> Iterator[None]:
        """Keep a run, also while nothing of it can be claimed."""
        self._watched.append(run)
        try:
            yield
        finally:
            self._watched.remove(run)

    def drop(self, run_id: str) -> None:
        """Cancel what is done here for a run."""
        self._lose([claim for claim, held in self._held.items() if held.run.id == run_id])

    async def _beat_on(self) -> None:
        while True:
            await self.pause(self.every.total_seconds())
            try:
                await self._beat()
            except SyncsvcError as error:
                self._tell(error)
            except Exception:  # the outermost loop: without beats all claims here would be lost
                log.exception("a sign of life met something unexpected")

    async def _beat(self) -> None:
        runs = {run.id: run for run in (*self._watched, *(h.run for h in self._held.values()))}
        if not runs:
            return
        lost = await self.units.keep(list(self._held), list(runs), self.clock(), self.term)
        self._lose(lost)
        try:
            async with asyncio.timeout(self.every.total_seconds()):
                for run in runs.values():
                    await self.locks.renew(run)
        except TimeoutError as error:
            raise Unavailable("locks were not renewed within a beat") from error
        self._is_cut_off = False

    def _lose(self, claims: Collection[str]) -> None:
        for claim in claims:
            held = self._held.get(claim)
            if held is not None and held.work is not None:
                del self._held[claim]  # once only: what ends cannot be told to end again
                held.work.reschedule(0)

    def _tell(self, error: SyncsvcError) -> None:
        if not self._is_cut_off:
            log.warning("no sign of life could be given, tried at each beat", reason=str(error))
        self._is_cut_off = True
