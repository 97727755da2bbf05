"""Several task workers share a sync: they are never too many at once, and any may die."""

import random
import time
from collections.abc import Callable, Iterator
from signal import SIGKILL

import pytest

from syncsvc.catalogue.model import SyncOptions
from tests.cluster.catalogue.crew import Crew, running_crew
from tests.cluster.catalogue.home import differences, home
from tests.cluster.catalogue.world import TESTS, World
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(480)]

KILLS = 20
SLOW, VERY_SLOW = 0.1, 3  # seconds that each call takes
MOST_KILLS = 7  # in one sync
MOST_LOOKS = 10  # between two kills
CUSTOMERS = ("many", "killed", "lost", "asked")  # one for each test
ORDERS = (SyncOptions(), SyncOptions(force_refresh=True), SyncOptions(nuke=True))


@pytest.fixture(scope="module")
def crew(sandbox, tmp_path_factory) -> Iterator[Crew]:
    folder = tmp_path_factory.mktemp("crew")
    customers = [{"name": name, "token": f"token-of-{name}"} for name in CUSTOMERS]
    house = home(folder, testio_url=sandbox.testio, testio_page_size=10, testio_customers=customers)
    with running_crew(house, 4, gateway=True) as started:
        yield started


@pytest.fixture
def world_of(sandbox, crew) -> Callable[[str], World]:
    """Give a customer's world; the crew is complete."""
    crew.is_complete()
    return lambda customer: World(sandbox, f"token-of-{customer}")


def test_four_task_workers_make_eight_to_ten_calls_at_once(crew, world_of):
    world = world_of("many")
    world.build(products=50, features=20, tests=40)

    with world.sandbox.misbehaving(latency=SLOW):
        run = crew.start("many")
        world.has_been_asked(1, TESTS)
    with world.sandbox.misbehaving(latency=VERY_SLOW):  # calls meet, however slow their makers are
        until(lambda: peak(world) >= 8, "eight calls are made at once")
    with world.sandbox.misbehaving(latency=SLOW):
        assert crew.has_ended(run) == "success", crew.events(run)

    load = world.sandbox.ask("GET", "/testio/load")
    assert load["tokens"][world.token]["peak"] <= 10, load
    assert 8 <= peak(world) <= 10, load
    assert crew.home.tests("many") == 50 * 40


def test_twenty_killed_task_workers_leave_the_rows_of_an_undisturbed_sync(crew, world_of, tmp_path):
    world = world_of("killed")
    world.build(products=30, features=5, tests=60)
    undisturbed = home(tmp_path, testio_url=world.sandbox.testio, testio_token=world.token)
    chance, killed, syncs = random.Random(5), 0, 0

    while killed < KILLS:
        order = ORDERS[syncs % len(ORDERS)]
        with world.sandbox.misbehaving(latency=SLOW):
            killed += disturbed(crew, order, chance, min(MOST_KILLS, KILLS - killed))
        undisturbed.sync_here(order)
        assert differences(undisturbed.rows(), crew.home.rows("killed")) == {}, f"sync {syncs + 1}"
        change(world)
        syncs += 1

    assert syncs >= len(ORDERS)


def test_the_api_starts_shows_refuses_and_cancels_syncs(crew, world_of):
    world, asked = world_of("asked"), {"customer": "asked"}
    world.build(products=10, features=2, tests=60)
    runs = f"http://127.0.0.1:{crew.home.settings['api_port']}/api/v1/sync/runs"
    http = world.sandbox.http

    with world.sandbox.misbehaving(latency=VERY_SLOW):
        started = http.post(runs, json=asked)
        second = http.post(runs, json=asked)
        run = started.json()["id"]
        shown = http.get(f"{runs}/{run}")
        cancelled = http.post(f"{runs}/{run}/cancel")
        again = http.post(f"{runs}/{run}/cancel")

    assert started.is_success, started.text
    assert (second.status_code, run in second.text) == (409, True), second.text
    assert shown.json()["run"]["status"] == "running"
    assert cancelled.json()["status"] == "cancelled"
    assert again.status_code == 409
    assert http.get(f"{runs}/{run}").json()["run"]["status"] == "cancelled"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"scope": {"product_ids": "12"}}, "scope.product_ids"),
        ({"phase": ["products"]}, "phase"),
        ({"customer": "asked", "options": {"nuke": True}}, "confirm_nuke"),
    ],
)
def test_the_api_names_what_is_wrong_with_a_sync(crew, sandbox, body, named):
    runs = f"http://127.0.0.1:{crew.home.settings['api_port']}/api/v1/sync/runs"

    answer = sandbox.http.post(runs, json=body)

    assert answer.status_code == 400
    assert named in answer.text


def test_a_sync_completes_although_redis_was_lost_in_the_middle(crew, world_of):
    world = world_of("lost")
    world.build(products=20, features=5, tests=60)

    with world.sandbox.misbehaving(latency=SLOW):
        run = crew.start("lost")
        world.has_been_asked(20, TESTS)
        crew.valkey.restart(SIGKILL)
        assert crew.has_ended(run) == "success", crew.events(run)

    assert crew.home.tests("lost") == 20 * 60


def peak(world: World) -> int:
    """Give the most calls for tests that were under way at once."""
    level = world.sandbox.ask("GET", "/testio/load")["routes"].get(TESTS)
    return int(level["peak"]) if level else 0


def disturbed(crew: Crew, order: SyncOptions, chance: random.Random, most: int) -> int:
    """Sync while task workers are killed, and count them."""
    killed, run = 0, crew.start("killed", order)
    while killed < most and goes_on(crew, run, chance.randint(1, MOST_LOOKS)):
        ready = [worker for worker in crew.workers if worker.is_ready]
        if ready:
            crew.kill(chance.choice(ready))
            killed += 1
    assert crew.has_ended(run) == "success", crew.events(run)
    return killed


def goes_on(crew: Crew, run: str, steps: int) -> bool:
    """Let some time pass, and tell whether the sync still runs."""
    for _ in range(steps):
        time.sleep(0.05)
        if crew.status(run) != "running":
            return False
    return True


def change(world: World) -> None:
    """Change what the server has, each product in another way."""
    for number, product in enumerate(world.tell("GET", "/world")["products"]):
        found = world.product(product)
        (test, *_), (feature, *_) = found["tests"], found["features"]
        method, path, body = (
            ("POST", f"/products/{product}/tests", {"count": 12}),
            ("PATCH", f"/tests/{test['id']}", {"status": "archived"}),
            ("DELETE", f"/features/{feature['id']}", None),
            ("PATCH", f"/features/{feature['id']}", {"title": "renamed"}),
            ("PATCH", f"/products/{product}", {"name": f"renamed {product}"}),
        )[number % 5]
        world.tell(method, path, body)
