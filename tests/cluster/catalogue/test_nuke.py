"""A nuke is meant, or it is not done; readers have the old rows until it is through."""

import pytest

from syncsvc.catalogue.model import SyncOptions
from syncsvc.stores.sql.catalogue_tables import catalogue_products
from tests.cluster.catalogue.home import differences
from tests.cluster.catalogue.world import TESTS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]


def test_a_nuke_asks_for_the_customers_name(alone):
    unasked = alone.cli("run", "--nuke")
    mistyped = alone.cli("run", "--nuke", "--confirm", "another")

    assert (unasked.code, mistyped.code) == (2, 2)
    assert "--confirm default" in unasked.err
    assert "expected 'default' to be typed, found 'another'" in mistyped.err


def test_a_nuke_that_is_killed_changes_nothing_and_one_that_ends_swaps(world, alone):
    ids = world.build(products=3, features=2, tests=60)
    alone.sync_here()
    before = alone.rows()
    world.tell("PATCH", f"/products/{ids[0]}", {"name": "renamed"})

    with (
        world.sandbox.holding_pages(3),
        alone.begun("run", "--nuke", "--confirm", "default") as process,
    ):
        world.has_been_asked(9 + 4, TESTS)
        process.kill()
        process.wait()
    in_between = alone.rows()
    alone.sync("--nuke", "--confirm", "default")

    assert differences(before, in_between) == {}
    names = [row["name"] for row in alone.rows()[catalogue_products.name]]
    assert "renamed" in names
    assert alone.tests() == 3 * 60


def test_a_rehearsal_writes_nothing(world, alone):
    world.build(products=3, features=2, tests=60)

    told = alone.ask("run", "--dry-run")

    assert len(told["products"]) == 3
    assert alone.tests() == 0
    assert list(alone.runs()) == []
    alone.sync_here(SyncOptions())
    world.tell("POST", f"/products/{told['products'][0]['product_id']}/tests", {"count": 3})
    before = alone.rows()
    alone.cli("run", "--dry-run")
    assert alone.rows() == before
