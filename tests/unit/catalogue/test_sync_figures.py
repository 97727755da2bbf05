"""Operators see by the metrics how the syncs of each customer fare."""

from math import inf

from prometheus_client import REGISTRY

from syncsvc.catalogue.ports import Customer
from syncsvc.catalogue.request import Request
from syncsvc.catalogue.walk import Coverage
from syncsvc.catalogue.work import Poison, Step
from syncsvc.wiring.sync_figures import count_once
from tests.support.builders import MINUTE
from tests.support.syncing import TERM, World


def figure(name: str, customer: str) -> float | None:
    return REGISTRY.get_sample_value(f"syncsvc_sync_{name}", {"customer": customer})


async def test_a_customers_lag_is_the_time_since_its_last_success():
    world = World(customers=(Customer("figured"), Customer("never synced")))
    syncs = world.process().syncs
    await syncs.execute_sync(request=Request("figured"))
    world.clock.pass_(3 * MINUTE)

    await count_once(syncs, world.clock())

    assert figure("lag_seconds", "figured") == 180
    assert figure("lag_seconds", "never synced") == inf
    assert figure("running", "figured") == 0


async def test_what_runs_and_what_cannot_be_read_is_counted():
    world = World(customers=(Customer("troubled"),))
    syncs = world.process().syncs
    await syncs.execute_sync()
    await syncs.start()
    await world.record.commit(
        await world.record.claim(world.clock(), TERM), Step(outcome=None), world.clock()
    )
    await spoil(world)

    await count_once(syncs, world.clock())

    assert figure("running", "troubled") == 1
    assert figure("quarantined", "troubled") == 2
    assert figure("incomplete", "troubled") == 1


async def spoil(world: World) -> None:
    """Leave a list of a product with two places that cannot be read."""
    world.record.shelves["troubled", 0].coverage[1] = Coverage()
    for place in (1, 2):
        world.record._quarantine(
            "troubled", Poison(1, place, 25, None, place, "500"), world.clock()
        )


async def test_customers_that_are_not_configured_are_not_shown():
    world = World(customers=(Customer("configured"),))

    await count_once(world.process().syncs, world.clock())

    assert figure("running", "configured") == 0
    assert figure("running", "stranger") is None
