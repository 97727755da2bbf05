"""What beat starts by itself, for two customers at once."""

from collections import Counter
from collections.abc import Iterator

import pytest

from syncsvc.stores.sql.catalogue_tables import catalogue_products
from tests.cluster.catalogue.crew import Crew, running_crew
from tests.cluster.catalogue.home import home
from tests.cluster.catalogue.world import World
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

NAMES = ("acme", "bolt")
PRODUCTS = {"acme": 3, "bolt": 4}


@pytest.fixture
def worlds(sandbox) -> dict[str, World]:
    found = {name: World(sandbox, f"token-of-{name}") for name in NAMES}
    for name, first in zip(NAMES, (2001, 6001), strict=True):
        found[name].build(products=PRODUCTS[name], features=2, tests=60, first_product_id=first)
    return found


@pytest.fixture
def crew(worlds, tmp_path) -> Iterator[Crew]:
    customers = [{"name": name, "token": world.token} for name, world in worlds.items()]
    by_itself = {"sync_by_itself": True, "sync_every": "10s", "testio_customers": customers}
    url = worlds["acme"].sandbox.testio
    with running_crew(home(tmp_path, testio_url=url, **by_itself), 1) as started:
        yield started


def test_beat_syncs_each_customer_by_its_timetable_and_skips_while_one_runs(worlds, request):
    sandbox = worlds["acme"].sandbox
    with sandbox.misbehaving(latency=3):
        crew = request.getfixturevalue("crew")
        until(lambda: skipped(crew) >= {*NAMES}, "both were skipped once", 90)

    until(lambda: all(succeeded(crew)[name] >= 2 for name in NAMES), "both ran twice", 90)

    assert begun_by(crew) == {"beat"}
    for name in NAMES:
        rows = crew.home.rows(name)
        assert crew.home.tests(name) == PRODUCTS[name] * 60
        assert len(rows[catalogue_products.name]) == PRODUCTS[name]


def skipped(crew: Crew) -> set[str]:
    return {name for (name,) in crew.look("SELECT customer FROM sync_events WHERE kind='skipped'")}


def succeeded(crew: Crew) -> Counter[str]:
    rows = crew.look("SELECT customer FROM sync_runs WHERE status='success'")
    return Counter(name for (name,) in rows)


def begun_by(crew: Crew) -> set[str]:
    return {by for (by,) in crew.look('SELECT DISTINCT "trigger" FROM sync_runs')}
