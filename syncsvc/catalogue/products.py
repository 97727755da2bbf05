"""The story of PRODUCTS: one list, which says what there is to sync at all."""

from syncsvc.catalogue.desk import Desk
from syncsvc.catalogue.entities import ProductList, Unreadable
from syncsvc.catalogue.work import Done, ProductsFound, Step


class Products:
    """Reads the list of products; one that cannot be read makes no other one inactive."""

    async def carry_out(self, desk: Desk) -> None:
        ids = desk.claimed.run.order.scope.product_ids
        listed = await desk.source.products(ids, desk.spending)
        await desk.keep(_step(listed, ids))


def _step(listed: ProductList, ids: tuple[int, ...] | None) -> Step:
    wanted = [each for each in listed.products if ids is None or each.id in ids]
    unreadable = [each for each in listed.unreadable if _is_wanted(each, ids)]
    found = ProductsFound(wanted, whole=not unreadable, asked=ids)
    return Step(found=[found], warnings=[*map(_told, unreadable)], outcome=Done())


def _is_wanted(item: Unreadable, ids: tuple[int, ...] | None) -> bool:
    """Tell whether it may be one of those in scope."""
    return ids is None or item.id is None or item.id in ids


def _told(item: Unreadable) -> str:
    name = f"product {item.id}" if item.id is not None else "a product"
    return f"{name}, item {item.index} of the list, was left out: {item.error}"
