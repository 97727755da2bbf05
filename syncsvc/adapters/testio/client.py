"""TestIO as a source of the catalogue: one customer's products, features and tests."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TypeVar

from syncsvc.adapters.testio import wire
from syncsvc.adapters.testio.calls import Ask, TestIoCalls
from syncsvc.catalogue.entities import (
    CatalogueTest,
    FeatureList,
    Page,
    Product,
    ProductList,
    Unreadable,
)
from syncsvc.catalogue.ports import Misshapen
from syncsvc.catalogue.spending import Spending

Read = TypeVar("Read")

PRODUCTS_AT_ONCE = 100  # ids in one address
BROKEN_PAGE = 2  # answers of 500: smaller pages find out which test it is
BROKEN_LIST = 3  # of one product: others go on, and the next sync asks again


@dataclass(frozen=True)
class TestIoSource:
    """A Source."""

    __test__ = False  # not one of pytest's classes

    calls: TestIoCalls

    async def products(self, ids: Collection[int] | None, spending: Spending) -> ProductList:
        if ids is None:
            return await self._read(Ask("/products"), spending, wire.product_list)
        found: dict[int, Product] = {}
        unreadable: list[Unreadable] = []
        for some in _chunks(sorted(set(ids))):
            ask = Ask("/products", tuple(("filter[product_ids][]", each) for each in some))
            part = await self._read(ask, spending, wire.product_list)
            found.update((each.id, each) for each in part.products)
            unreadable.extend(part.unreadable)
        return ProductList(list(found.values()), unreadable)

    async def features(
        self, product_id: int, spending: Spending, *, with_stories: bool
    ) -> FeatureList:
        params = (("includes[]", "user_stories"),) if with_stories else ()
        return await self._read(
            Ask(f"/products/{product_id}/features", params, broken_after=BROKEN_LIST),
            spending,
            lambda body: wire.feature_list(body, product_id, with_stories=with_stories),
        )

    async def tests(self, product_id: int, page: int, per_page: int, spending: Spending) -> Page:
        path = f"/products/{product_id}/exploratory_tests"
        return await self._read(
            Ask(path, (("page", page), ("per_page", per_page)), broken_after=BROKEN_PAGE),
            spending,
            lambda body: wire.page_of_tests(body, product_id),
        )

    async def test(self, product_id: int, test_id: int, spending: Spending) -> CatalogueTest:
        return await self._read(
            Ask(f"/exploratory_tests/{test_id}"),
            spending,
            lambda body: wire.one_test(body, product_id, test_id),
        )

    async def _read(self, ask: Ask, spending: Spending, reader: Callable[[bytes], Read]) -> Read:
        body = await self.calls.get(ask, spending)
        try:
            return reader(body)
        except Misshapen as error:
            raise Misshapen(f"TestIO answered GET {ask.path}: {error}") from error


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    return (ids[at : at + PRODUCTS_AT_ONCE] for at in range(0, len(ids), PRODUCTS_AT_ONCE))
