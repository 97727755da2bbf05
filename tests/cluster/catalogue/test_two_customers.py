"""Customers that are synced side by side do not meet: each has its token, its lock and its rows."""

import pytest

from syncsvc.stores.sql.catalogue_tables import catalogue_products
from tests.cluster.catalogue.home import ended, home
from tests.cluster.catalogue.world import World

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]


def test_two_customers_at_once_do_not_disturb_each_other(sandbox, world, tmp_path):
    other = World(sandbox, f"{world.token}-other")
    slow = world.build(products=4, features=2, tests=60)
    quick = other.build(products=3, features=2, tests=60)  # the same ids as the first of the slow
    world.tell("PUT", "/rate", {"per_second": 8, "burst": 4, "retry_after": "seconds"})
    customers = [{"name": "slow", "token": world.token}, {"name": "quick", "token": other.token}]
    house = home(tmp_path, testio_url=sandbox.testio, testio_customers=customers)

    with (
        house.begun("run", "--json", "--customer", "slow") as first,
        house.begun("run", "--json", "--customer", "quick") as second,
    ):
        found = {"quick": ended(second), "slow": ended(first)}

    for name, ids in (("slow", slow), ("quick", quick)):
        assert found[name].code == 0, found[name]
        assert house.tests(name) == len(ids) * 60
        assert [row["id"] for row in house.rows(name)[catalogue_products.name]] == ids
    assert found["quick"].told["stats"]["total"]["throttled_ms"] < 1000
    assert world.tell("GET", "/rate")["early"] == 0
