"""A server that refuses, fails or asks for a pause is not asked more often than it must be."""

import pytest

from syncsvc.catalogue.model import RunStatus
from syncsvc.stores.sql.catalogue_tables import catalogue_products
from tests.cluster.catalogue.world import FEATURES, TESTS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

SMALL = 7  # calls for a list of 130 tests
MOST_OF_ALL = 43  # calls, of which 41 are for five products with 130 tests each


def test_a_product_that_is_gone_costs_three_calls_at_most(world, alone):
    """Its id has the digits of another status in it, which must not matter."""
    ids = world.build(products=3, features=2, tests=10, first_product_id=1500)
    gone = {"kind": "status", "code": 404, "pattern": "/products/1500/"}

    with world.sandbox.misbehaving(gone):
        found = alone.sync()

    asked = [call for call in world.sandbox.log() if "/products/1500" in call["path"]]
    rows = alone.rows()[catalogue_products.name]
    assert len(asked) <= 3, asked
    assert found["status"] == "success"
    assert {row["id"]: bool(row["is_active"]) for row in rows} == dict.fromkeys(ids, True) | {
        1500: False
    }


def test_features_that_cannot_be_read_cost_two_calls_more_and_make_a_sync_partial(world, alone):
    ids = world.build(products=5, features=3, tests=130)
    broken = {"kind": "status", "code": 500, "pattern": f"/{ids[1]}/features$"}

    with world.sandbox.misbehaving(broken):
        found = alone.sync(expect=3)

    calls = world.sandbox.calls()
    assert found["status"] == "partial"
    assert calls[TESTS] == 5 * SMALL
    assert calls[FEATURES] == 4 + 3
    assert sum(calls.values()) <= MOST_OF_ALL, calls
    assert alone.tests() == 5 * 130


@pytest.mark.parametrize("said", ["seconds", "date"])
def test_a_pause_that_is_asked_for_is_kept_and_nothing_is_missing(world, alone, said):
    world.build(products=6, features=2, tests=60)
    limit = {"per_second": 4, "burst": 4, "retry_after": said}
    world.tell("PUT", "/rate", limit)

    found = alone.sync_here()

    rate = world.tell("GET", "/rate")
    assert list(found.errors) == []
    assert alone.tests() == 6 * 60
    assert rate["throttled"] > 0, rate
    assert rate["early"] == 0, rate


def test_a_token_that_is_refused_ends_the_sync_at_once(world, alone):
    world.build(products=5, features=2, tests=10)
    world.tell("DELETE", "/world")
    world.sandbox.forget_calls()

    found = alone.sync(expect=5)

    assert found["status"] == "failed"
    assert found["error_class"] == "auth"
    assert world.sandbox.total() == 1
    assert alone.runs()[0].status is RunStatus.FAILED


def test_a_token_that_is_refused_in_the_middle_ends_the_sync_soon(world, alone):
    world.build(products=40, features=2, tests=10)
    refused = {"kind": "status", "code": 401, "pattern": "/features$"}

    with world.sandbox.misbehaving(refused, latency=0.02):
        found = alone.sync(expect=5)

    assert found["status"] == "failed"
    assert world.sandbox.total() <= 1 + 10  # those in flight
