"""A rehearsal says what a sync would do, reads little, and writes nothing."""

import pytest

from syncsvc.catalogue.memory import MemorySync
from syncsvc.catalogue.model import SyncOptions, SyncPhase, SyncScope
from syncsvc.catalogue.ports import RunFilter
from syncsvc.catalogue.walk import Coverage, Segment
from syncsvc.catalogue.work import Done, ProductsFound, Step, TestsFound
from syncsvc.errors import Denied, Unavailable
from tests.support.builders import ids
from tests.support.catalogue import a_test, place, product
from tests.support.syncing import World

PRODUCTS, FEATURES, NEW_TESTS = SyncPhase
PLAIN = SyncOptions()


def some_tests(product_id: int, count: int):
    return [a_test(product_id * 1000 + n, product_id) for n in range(count)]


async def synced(count: int = 30, *, complete: bool = True, gaps: int = 0) -> World:
    """Give a world in which so many tests of product 1 are known, and product 2 is new."""
    world = World(record=MemorySync(ids("entry")))
    world.source.add(*some_tests(1, count))
    process = world.process()
    places = [place(test) for test in some_tests(1, count)][::-1]
    ends = [Segment(places[n], places[n]) for n in range(gaps)]
    coverage = Coverage((*ends, Segment(places[gaps], places[-1])), complete=complete)

    def step(claimed):
        if claimed.unit.phase is PRODUCTS:
            return Step(found=[ProductsFound([product(1)])], outcome=Done())
        if claimed.unit.phase is NEW_TESTS:
            found = [TestsFound(1, some_tests(1, count))]
            return Step(found=found, coverage=coverage, outcome=Done())
        return Step(outcome=Done())

    process.hands.step = step
    await process.syncs.execute_sync()
    return world


async def rehearsed(world: World, options: SyncOptions = PLAIN, **scope):
    """Give what would be done with the products, by their ids."""
    found = await world.process().syncs.rehearse(scope=SyncScope(**scope), options=options)
    return {each.product_id: (each.action, each.known_tests, each.calls) for each in found.products}


async def test_what_is_unknown_would_be_read_from_the_start():
    world = World()
    world.source.add(*some_tests(1, 3), *some_tests(2, 30))

    assert await rehearsed(world) == {1: ("initial", 0, 2), 2: ("initial", 0, 3)}


async def test_what_is_known_whole_needs_one_call_for_its_tests():
    assert (await rehearsed(await synced()))[1] == ("incremental", 30, 2)


async def test_a_first_page_of_strangers_needs_another_call():
    world = await synced()
    world.source.add(*[a_test(5000 + n, 1) for n in range(25)])

    assert (await rehearsed(world))[1] == ("incremental", 30, 3)


async def test_what_was_interrupted_would_be_continued():
    assert (await rehearsed(await synced(complete=False)))[1] == ("continue", 30, 3)
    assert (await rehearsed(await synced(gaps=2)))[1] == ("continue", 30, 4)


@pytest.mark.parametrize(
    ("options", "action"),
    [(SyncOptions(force_refresh=True), "force"), (SyncOptions(nuke=True), "nuke")],
)
async def test_every_page_is_counted_where_all_is_read_again(options, action):
    assert (await rehearsed(await synced(60), options))[1] == (action, 60, 4)


async def test_calls_are_counted_with_the_list_of_products():
    found = await (await synced()).process().syncs.rehearse()

    assert found.calls == 1 + sum(each.calls for each in found.products)
    assert found.spent == 3
    assert [each.name for each in found.products] == ["product 1", "product 2"]


async def test_only_products_in_scope_are_read():
    world = await synced()

    assert set(await rehearsed(world, product_ids=(2,))) == {2}
    assert world.source.calls("tests", 1) == []


async def test_without_the_phase_products_those_that_are_known_count():
    world = await synced()

    assert set(await rehearsed(world, SyncOptions(incremental_only=True))) == {1}
    assert world.source.calls("products") == []


async def test_without_the_phase_of_tests_none_are_read():
    world = await synced()

    found = await world.process().syncs.rehearse([PRODUCTS, FEATURES])

    assert (found.calls, [each.calls for each in found.products]) == (3, [1, 1])
    assert world.source.calls("tests") == []


async def test_at_most_five_first_pages_are_read():
    world = World()
    world.source.add(*[product(n) for n in range(1, 20)])

    found = await world.process().syncs.rehearse()

    assert len(found.products) == 19
    assert len(world.source.calls("tests")) == 5


async def test_a_first_page_that_cannot_be_read_is_told_beside_its_product():
    world = World()
    world.source.fail(Unavailable("503 each time"), on=("tests", 1))

    found = await world.process().syncs.rehearse()

    assert [each.problem for each in found.products] == ["503 each time", None]


@pytest.mark.parametrize("on", ["products", "tests"])
async def test_refused_credentials_end_it(on):
    world = World()
    world.source.fail(Denied("401: token refused"), on=on)

    with pytest.raises(Denied):
        await world.process().syncs.rehearse()


async def test_nothing_is_recorded_and_no_lock_is_needed():
    world = World()
    process = world.process(busy=True)
    await process.begins()

    await world.process().syncs.rehearse(options=SyncOptions(nuke=True))

    assert len(await world.record.runs(RunFilter())) == 1
    assert (await world.record.state("acme")).products == 0
    await process.ends()
