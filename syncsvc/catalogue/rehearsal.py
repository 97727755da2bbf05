"""What a sync would do, found out by reading the list of products and a few first pages.

Nothing is written. Calls that depend on what has not been read are counted as few as they may be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from syncsvc.catalogue.entities import Page, Product
from syncsvc.catalogue.model import Order, SyncPhase
from syncsvc.catalogue.ports import Source, Stored
from syncsvc.catalogue.spending import Spending
from syncsvc.catalogue.walk import Coverage, Mark
from syncsvc.catalogue.work import LIVE
from syncsvc.errors import Denied, SyncsvcError

MOST_READ = 5  # products whose first page of tests is read
TRIES = 6  # of a call, at most
BELOW_ALL = Mark(datetime(1970, 1, 1, tzinfo=UTC), 0)


class Action(StrEnum):
    INITIAL = "initial"  # nothing of it is known
    INCREMENTAL = "incremental"  # what is new above what is known
    CONTINUE = "continue"  # the same, and what an earlier sync did not reach
    FORCE = "force"
    NUKE = "nuke"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would be done with a product. `problem` is that of its first page, which was tried."""

    product_id: int
    name: str
    known_tests: int
    action: Action
    calls: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`calls` are those of the sync, `spent` those that were made to find this out."""

    customer: str
    phases: Sequence[SyncPhase]
    products: Sequence[Rehearsed]
    calls: int
    spent: int


async def rehearse(order: Order, source: Source, stored: Stored, page_size: int) -> Rehearsal:
    """Raises what the list of products does, and Denied."""
    spending = Spending((1 + MOST_READ) * TRIES)
    reading = _Reading(order, source, stored, page_size, spending)
    products = await _products(order, source, stored, spending)
    found = [await reading.product(each, read=n < MOST_READ) for n, each in enumerate(products)]
    listed = SyncPhase.PRODUCTS in order.phases
    calls = listed + sum(each.calls for each in found)
    return Rehearsal(order.customer, order.phases, found, calls, spending.calls)


async def _products(
    order: Order, source: Source, stored: Stored, spending: Spending
) -> Sequence[Product]:
    ids = order.scope.product_ids
    if SyncPhase.PRODUCTS in order.phases:
        found = list((await source.products(ids, spending)).products)
    else:
        found = [each for each, is_active in await stored.products(order.customer) if is_active]
    return sorted((p for p in found if ids is None or p.id in ids), key=lambda p: p.id)


@dataclass(frozen=True)
class _Reading:
    order: Order
    source: Source
    stored: Stored
    page_size: int
    spending: Spending

    async def product(self, product: Product, *, read: bool) -> Rehearsed:
        customer = self.order.customer
        coverage = await self.stored.coverage(customer, LIVE, product.id)
        known = await self.stored.tests_above(customer, LIVE, product.id, BELOW_ALL)
        action = self._action(coverage, known)
        calls, problem = int(SyncPhase.FEATURES in self.order.phases), None
        if SyncPhase.NEW_TESTS in self.order.phases:
            try:
                page = await self._first_page(product.id) if read else None
                calls += await self._calls(product.id, action, coverage, page)
            except Denied:
                raise
            except SyncsvcError as error:
                problem = str(error)
                calls += 1
        return Rehearsed(product.id, product.name, known, action, calls, problem)

    def _action(self, coverage: Coverage, known: int) -> Action:
        if self.order.options.nuke:
            return Action.NUKE
        if self.order.options.force_refresh:
            return Action.FORCE
        if not coverage.segments and not known and not coverage.complete:
            return Action.INITIAL
        return Action.INCREMENTAL if coverage.is_whole else Action.CONTINUE

    async def _first_page(self, product_id: int) -> Page:
        return await self.source.tests(product_id, 1, self.page_size, self.spending)

    async def _calls(
        self, product_id: int, action: Action, coverage: Coverage, page: Page | None
    ) -> int:
        """Count the pages that will be read at least."""
        is_all = page is not None and page.raw_count < self.page_size
        if is_all:
            return 1
        if action in (Action.FORCE, Action.NUKE):
            known = await self.stored.tests_above(self.order.customer, LIVE, product_id, BELOW_ALL)
            return known // self.page_size + 1
        if action is Action.CONTINUE:
            return max(len(coverage.segments), 1) + (not coverage.complete)
        return 1 if page is None or await self._meets(product_id, page) else 2

    async def _meets(self, product_id: int, page: Page) -> bool:
        """Whether a page reaches what is known."""
        ids = [test.id for test in page.tests]
        return bool(await self.stored.known_tests(self.order.customer, LIVE, product_id, ids))
