"""A customer's catalogue whose tests are synced again and again, with interruptions."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from syncsvc.catalogue.desk import Desk
from syncsvc.catalogue.entities import CatalogueTest
from syncsvc.catalogue.memory import MemorySync
from syncsvc.catalogue.model import RunStatus, SyncOptions, SyncPhase, SyncScope
from syncsvc.catalogue.spending import BudgetSpent, Spending
from syncsvc.catalogue.tests import NewTests
from syncsvc.catalogue.walk import Coverage, WalkTerms
from syncsvc.catalogue.work import LIVE, Done, ProductsFound, Quarantined, Step
from tests.support.builders import NOON
from tests.support.catalogue import MemorySource, a_test, new_run, order, product

ACME, SHOP = "acme", 1
TERM = timedelta(seconds=10)
TERMS = WalkTerms()


@dataclass
class Doomed(Spending):
    """That of a process which is killed instead of making one call more."""

    dies_at: int = 0

    def spend(self, *, again: bool = False) -> None:
        if self.calls >= self.dies_at:
            raise BudgetSpent("killed")
        super().spend(again=again)


@dataclass
class Household:
    """One product of one customer; every sync happens an hour after the one before."""

    terms: WalkTerms = TERMS
    source: MemorySource = field(default_factory=lambda: MemorySource().add(product(SHOP)))
    now: datetime = NOON
    limit: int = 100_000
    _ids: Iterable[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.store = MemorySync(lambda: f"{next(self._ids):08}")

    @property
    def tests(self) -> list[CatalogueTest]:
        """What the server has."""
        return self.source.known_tests[SHOP]

    def has(self, *ids: int, **more: object) -> "Household":
        self.source.add(*(a_test(each, SHOP, **more) for each in ids))
        return self

    def loses(self, *ids: int) -> None:
        self.source.remove(*(a_test(each, SHOP) for each in ids))

    async def sync(
        self,
        *,
        since: datetime | None = None,
        options: SyncOptions | None = None,
        killed_at: int | None = None,
        phases: tuple[SyncPhase, ...] = (SyncPhase.NEW_TESTS,),
    ) -> int:
        """Run a sync and count its calls; it is killed instead of making that many and one."""
        self.now += timedelta(hours=1)
        before = len(self.source.log)
        run_id = f"run-{next(self._ids):08}"
        asked = order(ACME, *phases, scope=SyncScope(since_date=since))
        asked = replace(asked, options=options or SyncOptions())
        await self._know_product()
        await self.store.begin(new_run(run_id, asked, now=self.now))
        dies_at = 100_000 if killed_at is None else killed_at
        while await self._turn(
            run_id, Doomed(self.limit, dies_at=dies_at + before - len(self.source.log)), killed_at
        ):
            pass
        await self.store.close(run_id, RunStatus.CANCELLED, self.now, reason="over")
        return len(self.source.log) - before

    async def _know_product(self) -> None:
        run_id = f"run-{next(self._ids):08}"
        await self.store.begin(new_run(run_id, order(ACME, SyncPhase.PRODUCTS), now=self.now))
        claimed = await self.store.claim(self.now, TERM, run_id)
        found = ProductsFound([product(SHOP)])
        await self.store.commit(claimed, Step(found=[found], outcome=Done()), self.now)

    async def _turn(self, run_id: str, spending: Spending, killed_at: int | None) -> bool:
        claimed = await self.store.claim(self.now, TERM, run_id)
        if claimed is None:
            return False
        desk = Desk(claimed, self.source, self.store, self.store, spending, lambda: self.now)
        try:
            await NewTests(self.terms).carry_out(desk)
        except Exception:
            if killed_at is None:
                raise
            return False
        return True

    @property
    def stored(self) -> set[int]:
        return {row.what.id for row in self.store.shelves[ACME, LIVE].live_tests(SHOP)}

    @property
    def there(self) -> set[int]:
        return {test.id for test in self.tests}

    @property
    def coverage(self) -> Coverage:
        return self.store.shelves[ACME, LIVE].coverage.get(SHOP, Coverage())

    async def quarantined(self) -> list[Quarantined]:
        return list(await self.store.quarantined(ACME, SHOP))

    def status_of(self, test_id: int) -> str | None:
        return self.store.shelves[ACME, LIVE].tests[test_id].what.status
