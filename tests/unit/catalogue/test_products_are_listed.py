from syncsvc.catalogue.entities import ProductList, Unreadable
from syncsvc.catalogue.model import SyncPhase, SyncScope
from syncsvc.catalogue.products import Products
from syncsvc.catalogue.work import Done, ProductsFound
from tests.support.catalogue import MemorySource, product
from tests.support.desks import a_desk

BROKEN = Unreadable(1, 2, "name: expected text, found 5")


class Listed(MemorySource):
    """A source whose list of products is given."""

    def __init__(self, listed: ProductList) -> None:
        super().__init__()
        self.listed = listed

    async def products(self, ids, spending):
        spending.spend()
        return self.listed


async def step_of(listed: ProductList, *scope: int):
    asked = SyncScope(product_ids=scope or None)
    desk = a_desk(Listed(listed), SyncPhase.PRODUCTS, scope=asked)
    await Products().carry_out(desk)
    (step,) = desk.units.steps
    return step


async def test_all_products_are_kept_with_one_commit_that_ends_the_unit():
    step = await step_of(ProductList([product(1), product(2)]))

    assert step.found == [ProductsFound([product(1), product(2)], whole=True, asked=None)]
    assert step.outcome == Done()
    assert step.spent.calls == 1
    assert not step.warnings


async def test_of_a_longer_list_only_what_is_in_scope_is_kept():
    step = await step_of(ProductList([product(1), product(2)]), 2)

    assert step.found == [ProductsFound([product(2)], whole=True, asked=(2,))]


async def test_a_product_that_cannot_be_read_is_told_and_makes_no_other_inactive():
    step = await step_of(ProductList([product(1)], [BROKEN]))

    assert step.found == [ProductsFound([product(1)], whole=False, asked=None)]
    assert step.warnings == [
        "product 2, item 1 of the list, was left out: name: expected text, found 5"
    ]
    assert step.outcome == Done()


async def test_an_item_without_an_id_is_told_by_its_place():
    step = await step_of(ProductList([], [Unreadable(7, None, "id: expected a number")]))

    assert step.warnings == ["a product, item 7 of the list, was left out: id: expected a number"]


async def test_a_product_out_of_scope_that_cannot_be_read_does_not_matter():
    step = await step_of(ProductList([product(1)], [BROKEN]), 1)

    assert step.found == [ProductsFound([product(1)], whole=True, asked=(1,))]
    assert not step.warnings


async def test_of_products_that_are_asked_for_and_not_there_the_store_warns():
    step = await step_of(ProductList([product(1)]), 1, 7)

    assert step.found == [ProductsFound([product(1)], whole=True, asked=(1, 7))]
    assert not step.warnings
