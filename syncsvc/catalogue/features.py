"""The story of FEATURES: what of a product can be tested, with its user stories if asked for."""

from syncsvc.catalogue.desk import Desk
from syncsvc.catalogue.entities import Unreadable
from syncsvc.catalogue.model import EntityType
from syncsvc.catalogue.work import Done, FeaturesFound, Step


class Features:
    """Reads all features of one product; with one that cannot be read none counts as deleted."""

    async def carry_out(self, desk: Desk) -> None:
        product_id = desk.claimed.product
        with_stories = desk.claimed.run.order.scope.means(EntityType.USER_STORIES)
        listed = await desk.source.features(product_id, desk.spending, with_stories=with_stories)
        found = FeaturesFound(product_id, listed.features, not listed.unreadable, with_stories)
        warnings = [_told(product_id, each) for each in listed.unreadable]
        await desk.keep(Step(found=[found], warnings=warnings, outcome=Done()))


def _told(product_id: int, item: Unreadable) -> str:
    name = f"feature {item.id}" if item.id is not None else "a feature"
    return f"{name} of product {product_id}, item {item.index}, was left out: {item.error}"
