"""What becomes of a unit whose work has failed: each error has its outcome.

The source's errors tell of the catalogue; the same kinds from elsewhere tell of ourselves.
"""

from collections.abc import Awaitable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeGuard, TypeVar

from syncsvc.catalogue.entities import CatalogueTest, FeatureList, Page, ProductList
from syncsvc.catalogue.model import ErrorClass
from syncsvc.catalogue.ports import Broken, Misshapen, Source
from syncsvc.catalogue.spending import BudgetSpent, Spending
from syncsvc.catalogue.work import Done, Failed, Later, Outcome, ProductGone, Step, Unit
from syncsvc.errors import Denied, Rejected, SyncsvcError, Unavailable, Unknown

ENDLESS = 10  # claims that ended nothing: what is in it ends the process
SETBACKS = 20  # attempts at a unit that was put off, then it has failed
SOON = timedelta(seconds=5)  # after a failure of our own store

_CLASSES: tuple[tuple[type[SyncsvcError], ErrorClass], ...] = (
    (Denied, ErrorClass.AUTH),
    (BudgetSpent, ErrorClass.BUDGET),
    (Misshapen, ErrorClass.SHAPE),
    (Rejected, ErrorClass.REFUSED),
    (Unavailable, ErrorClass.UNAVAILABLE),
)

Answer = TypeVar("Answer")


@dataclass
class Overheard:
    """A source that remembers how it has failed, to tell its errors from those of a store."""

    source: Source
    _failures: list[SyncsvcError] = field(default_factory=list, init=False)
    _without_product: list[Unknown] = field(default_factory=list, init=False)

    def has_said(self, error: SyncsvcError) -> bool:
        return any(error is each for each in self._failures)

    def has_lost_product(self, error: SyncsvcError) -> bool:
        return any(error is each for each in self._without_product)

    async def products(self, ids: Collection[int] | None, spending: Spending) -> ProductList:
        return await self._heard(self.source.products(ids, spending))

    async def features(
        self, product_id: int, spending: Spending, *, with_stories: bool
    ) -> FeatureList:
        asked = self.source.features(product_id, spending, with_stories=with_stories)
        return await self._heard(asked, of_product=True)

    async def tests(self, product_id: int, page: int, per_page: int, spending: Spending) -> Page:
        asked = self.source.tests(product_id, page, per_page, spending)
        return await self._heard(asked, of_product=True)

    async def test(self, product_id: int, test_id: int, spending: Spending) -> CatalogueTest:
        return await self._heard(self.source.test(product_id, test_id, spending))

    async def _heard(self, asked: Awaitable[Answer], *, of_product: bool = False) -> Answer:
        try:
            return await asked
        except SyncsvcError as error:
            self._failures.append(error)
            if of_product and isinstance(error, Unknown):
                self._without_product.append(error)
            raise


def root_of(error: Exception) -> Exception:
    """Give the error that a group is about: a refusal of credentials before all others."""
    leaves = _leaves(error)
    known = [each for each in leaves if isinstance(each, SyncsvcError)]
    denied = [each for each in known if isinstance(each, Denied)]
    return (denied or known or leaves)[0]


def endless(unit: Unit) -> Failed | None:
    """Say that a unit is given up, if it was claimed too often without an end."""
    if unit.attempt <= (ENDLESS if unit.error is None else SETBACKS):
        return None
    if unit.error is None:
        tries = f"claimed {unit.attempt - 1} times without an end"
        return Failed(ErrorClass.OURS, f"{tries}: its process has died each time")
    return Failed(ErrorClass.UNAVAILABLE, f"{unit.error} (after {SETBACKS} attempts)")


def step_after(error: SyncsvcError, unit: Unit, heard: Overheard, now: datetime) -> Step:
    """Give the last commit of a unit's turn that an error has ended."""
    if not heard.has_said(error):
        return Step(outcome=_after_ours(error, unit, now))
    if unit.product_id is not None and heard.has_lost_product(error):
        return Step(found=[ProductGone(unit.product_id)], outcome=Done())
    return Step(outcome=_after_theirs(error, unit, now))


def _after_theirs(error: SyncsvcError, unit: Unit, now: datetime) -> Outcome:
    if _passes(error) and error.retry_after is not None:
        return _put_off(unit, now + error.retry_after, str(error))
    return Failed(_class_of(error), str(error))


def _after_ours(error: SyncsvcError, unit: Unit, now: datetime) -> Outcome:
    if _passes(error):
        return _put_off(unit, now + (error.retry_after or SOON), str(error))
    return Failed(_class_of(error), str(error))


def _passes(error: SyncsvcError) -> TypeGuard[Unavailable]:
    return isinstance(error, Unavailable) and not isinstance(error, BudgetSpent | Broken)


def _put_off(unit: Unit, due_at: datetime, reason: str) -> Outcome:
    if unit.attempt >= SETBACKS:
        return Failed(ErrorClass.UNAVAILABLE, f"{reason} (after {unit.attempt} attempts)")
    return Later(due_at, reason, is_setback=True)


def _class_of(error: SyncsvcError) -> ErrorClass:
    for kind, name in _CLASSES:
        if isinstance(error, kind):
            return name
    return ErrorClass.OURS


def _leaves(error: Exception) -> list[Exception]:
    if isinstance(error, ExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]
