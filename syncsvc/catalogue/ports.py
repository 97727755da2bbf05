"""What a sync needs: the foreign catalogue, the place where all is kept, a lock, and a nudge."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from syncsvc.catalogue.entities import CatalogueTest, FeatureList, Page, Product, ProductList
from syncsvc.catalogue.model import (
    ErrorClass,
    Order,
    PhaseProgress,
    RunStatus,
    SyncEvent,
    SyncRun,
)
from syncsvc.catalogue.spending import Spending
from syncsvc.catalogue.walk import Coverage, Mark
from syncsvc.catalogue.work import Claimed, Committed, Quarantined, Step, Unit
from syncsvc.errors import Conflict, Rejected, Unavailable


class Broken(Unavailable):
    """The server answered 500 to this very request, each time: something in it is poisoned."""


class Misshapen(Rejected):
    """The answer as a whole is not what was expected; the text names the field."""


class LockHeld(Conflict):
    """Another sync of this customer runs; the text says which, and what to do."""

    def __init__(self, message: str, run_id: str | None = None) -> None:
        super().__init__(message)
        self.run_id = run_id


class Source(Protocol):
    """A foreign catalogue, as one customer sees it. Failures are tried again inside.

    Raises Denied (401, 403), Unknown (404), Broken (500 each time), Unavailable (with
    `retry_after` after a pause that was asked for and is longer than we wait), Misshapen, and
    Rejected for any other refusal; BudgetSpent before a call that `spending` does not allow.
    """

    async def products(self, ids: Collection[int] | None, spending: Spending) -> ProductList:
        """List the products; with ids at least these, if they exist."""
        ...

    async def features(
        self, product_id: int, spending: Spending, *, with_stories: bool
    ) -> FeatureList:
        """List all features of a product."""
        ...

    async def tests(self, product_id: int, page: int, per_page: int, spending: Spending) -> Page:
        """Read a page of a product's tests, newest first; the first page is 1."""
        ...

    async def test(self, product_id: int, test_id: int, spending: Spending) -> CatalogueTest:
        """Read one test."""
        ...


@dataclass(frozen=True, slots=True)
class Customer:
    """Whose catalogue: the limits that are set for every sync of it."""

    name: str
    product_ids: tuple[int, ...] | None = None
    since: datetime | None = None


class Sources(Protocol):
    @property
    def customers(self) -> Sequence[Customer]:
        """Those that are configured, in their order."""
        ...

    def customer(self, name: str | None) -> Customer:
        """Give one by name, or the only one. Raises Unknown, naming those that are configured."""
        ...

    def of(self, name: str) -> Source:
        """Give a customer's catalogue. Raises Unknown."""
        ...


class SyncLock(Protocol):
    """Keeps others from syncing the same customer, as long as its run shows signs of life."""

    async def acquire(self, customer: str, run_id: str) -> int | None:
        """Take it for a run without waiting and give its token; None while another has it.

        A run that has it gets its token again, and its time anew.
        """
        ...

    async def renew(self, customer: str, run_id: str, token: int) -> bool:
        """Keep it; False when it is lost."""
        ...

    async def release(self, customer: str, run_id: str, token: int) -> None:
        """Give it back; what was lost or given back before is left as it is."""
        ...

    async def holder(self, customer: str) -> str | None:
        """Say who has it, for a person to read."""
        ...


class SyncNudge(Protocol):
    """Asks task workers to look for units of syncs now, rather than at the next tick."""

    async def sync(self, workers: int) -> None:
        """Wake up so many of them; a nudge that is lost costs one tick, and raises nothing."""
        ...


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run begins with; `live_since`: a heartbeat before it is that of a dead run.

    With `is_alone` another running run of this process's host is dead for sure: we have its lock.
    """

    id: str
    order: Order
    now: datetime
    live_since: datetime
    lease_token: int | None = None
    holder: str | None = None
    is_alone: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """The run that runs now: ours if `is_new`. `reclaimed` is a dead one that was closed for it."""

    run: SyncRun
    is_new: bool
    reclaimed: SyncRun | None = None


@dataclass(frozen=True, slots=True)
class RunFilter:
    customer: str | None = None
    status: RunStatus | None = None
    limit: int = 20
    before: str | None = None  # a run's id: those that began earlier


@dataclass(frozen=True, slots=True)
class CustomerPulse:
    """How a customer's syncs fare: what is asked often, and counts no catalogue."""

    last_success_at: datetime | None
    running: str | None  # the run's id
    quarantined: int
    incomplete: int  # products whose lists of tests have gaps


@dataclass(frozen=True, slots=True)
class CustomerState:
    """What is stored of a customer, and when it was last in step."""

    customer: str
    products: int
    inactive_products: int
    features: int
    user_stories: int
    tests: int
    quarantined: int
    incomplete: int  # products whose lists of tests have gaps
    last_success_at: datetime | None
    running: str | None  # the run's id


class SyncRuns(Protocol):
    """The record of syncs. All raise Unavailable when it cannot be reached."""

    async def begin(self, new: NewRun) -> Begun:
        """Record a run and its first units, unless a live one runs: then give that one.

        A running run whose heartbeat is too old is closed as `abandoned`, with an event, unless
        task workers have put a unit of it off, which is not due yet. The new
        run's fence is larger than every one before it. Its first unit is that of PRODUCTS; without
        that phase there is one per active product that is known and in scope.
        """
        ...

    async def run(self, run_id: str) -> SyncRun:
        """Raises Unknown."""
        ...

    async def runs(self, which: RunFilter) -> Sequence[SyncRun]:
        """List runs, newest first."""
        ...

    async def phases(self, run_id: str) -> Sequence[PhaseProgress]:
        """Say how far each phase of a run is, in their order."""
        ...

    async def units(self, run_id: str) -> Sequence[Unit]:
        """List a run's units by phase and product."""
        ...

    async def events(self, run_id: str) -> Sequence[SyncEvent]:
        """Give a run's history, oldest first."""
        ...

    async def note(self, event: SyncEvent) -> None:
        """Add to the history."""
        ...

    async def close(
        self,
        run_id: str,
        status: RunStatus,
        now: datetime,
        *,
        reason: str,
        error_class: ErrorClass | None = None,
    ) -> SyncRun:
        """End a run as cancelled, abandoned or failed, with its units; one that is over stays so.

        The event says the duration. Whatever its units commit later is refused. Raises Unknown.
        """
        ...

    async def dead(self, shared_since: datetime, alone_since: datetime) -> Sequence[SyncRun]:
        """List running runs whose heartbeat is older: of task workers, and of one process.

        One of task workers lives as long as a unit of it is put off, and is given the same time
        from then on: none that has an open unit due at `shared_since` or later is listed.
        """
        ...

    async def take_slot(self, customer: str, slot: datetime) -> bool:
        """Take a moment of the timetable; False when it, or a later one, was taken before."""
        ...

    async def return_slot(self, customer: str, slot: datetime) -> None:
        """Let it be taken again, if none was taken after it."""
        ...

    async def state(self, customer: str) -> CustomerState: ...

    async def pulse(self, customer: str) -> CustomerPulse: ...

    async def forget(self, before: datetime) -> int:
        """Remove runs that ended earlier, with units and events; the newest of a customer stays."""
        ...


class SyncUnits(Protocol):
    """Work that is claimed, kept alive and committed. All raise Unavailable."""

    async def claim(
        self, now: datetime, term: timedelta, run_id: str | None = None
    ) -> Claimed | None:
        """Claim an open unit that is due and nobody holds, or whose claim has run out.

        Runs take turns. Without a run's id those that one process drives alone are left out.
        """
        ...

    async def keep(
        self, claims: Collection[str], runs: Collection[str], now: datetime, term: timedelta
    ) -> Collection[str]:
        """Show a sign of life of claims and runs, and give the claims that are lost."""
        ...

    async def commit(self, claimed: Claimed, step: Step, now: datetime) -> Committed:
        """Keep what a step has found, all of it or nothing.

        With the outcome of the last unit of a phase the next phase opens, and with that of the
        last one the run ends: success when no unit has failed, failed when none is done or
        somebody was denied (AUTH ends a run at once), else partial.
        PRODUCTS, done or failed, plans the units of the phases after it, for every active product
        in scope that is known then. With barrier `product` a product's tests open when its
        features are over, done or failed. Deletions that `vanishing` forbids are left out, with a
        warning. Each failure and warning is an event, and so are a phase's and the run's ends.

        A nuke takes the place of what was there before for those products whose units are all
        done, when the run ends, and its rest is removed. A product of which it has found far fewer
        features or tests than are live (`vanishing` by numbers) stays as it was, with a warning;
        the run's status is the same. Live products in scope that a whole list lacks are removed
        once every unit is done, unless `vanishing` forbids it: then they stay as they were, with a
        warning. A product that is gone is inactive at once, and keeps what it had.

        Raises Conflict when the claim is lost, or the run is over or not the newest.
        """
        ...


class Stored(Protocol):
    """What is stored of a customer's catalogue: `stage` is LIVE or ASIDE. All raise Unavailable."""

    async def coverage(self, customer: str, stage: int, product_id: int) -> Coverage: ...

    async def known_tests(
        self, customer: str, stage: int, product_id: int, ids: Collection[int]
    ) -> Mapping[int, Mark]:
        """Give the places at which tests are stored, of those that are and are not deleted."""
        ...

    async def tests_above(self, customer: str, stage: int, product_id: int, mark: Mark) -> int:
        """Count the stored tests that stand above a place in the list."""
        ...

    async def tests_between(
        self, customer: str, stage: int, product_id: int, above: Mark | None, below: Mark | None
    ) -> Sequence[int]:
        """Name at most 20 stored tests that stand between two places, newest first."""
        ...

    async def stale_tests(
        self, customer: str, stage: int, product_id: int, before: datetime
    ) -> Sequence[Mark]:
        """Give the places of tests that may change and were read last before a moment."""
        ...

    async def missing_features(
        self, customer: str, stage: int, product_id: int, ids: Collection[int]
    ) -> Collection[int]:
        """Name those features that are not stored."""
        ...

    async def products(self, customer: str) -> Sequence[tuple[Product, bool]]:
        """List the products, each with whether it is active."""
        ...

    async def quarantined(
        self, customer: str | None = None, product_id: int | None = None
    ) -> Sequence[Quarantined]:
        """List places that could not be read and have not been since, oldest first."""
        ...

    async def retry_quarantined(
        self, now: datetime, quarantine_id: str | None = None, customer: str | None = None
    ) -> int:
        """Let the next sync try one, or all, again. Raises Unknown for one that is not there."""
        ...
