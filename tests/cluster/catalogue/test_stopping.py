"""A sync that is stopped says so at once; one that runs keeps others away, and is named to them."""

import time
from signal import SIGINT, SIGTERM

import pytest

from syncsvc.catalogue.model import RunStatus
from tests.cluster.catalogue.home import ended
from tests.cluster.catalogue.world import TESTS
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.alone, pytest.mark.timeout(240)]

SOON = 10  # seconds
SLOW = 8  # seconds that each call takes: then a sync goes on for a minute at least
JOINING = ("run", "--if-running", "join")


@pytest.mark.parametrize(("signal", "code"), [(SIGTERM, 143), (SIGINT, 130)])
def test_a_signal_cancels_the_sync_and_what_it_has_stored_stays(world, alone, signal, code):
    world.build(products=3, features=2, tests=130)

    with world.sandbox.holding_pages(4), alone.begun("run") as process:
        world.has_been_asked(4, TESTS)
        told_at = time.monotonic()
        process.send_signal(signal)
        found = ended(process)

    assert (found.code, time.monotonic() - told_at < SOON) == (code, True), found
    assert alone.runs()[0].status is RunStatus.CANCELLED
    assert 0 < alone.tests() < 3 * 130


def test_a_second_sync_is_told_who_runs_and_may_join_it(world, alone):
    world.build(products=3, features=2, tests=130)

    with world.sandbox.misbehaving(latency=SLOW), alone.begun("run", "--json") as first:
        [run] = until(alone.runs, "the first runs")
        asked_at = time.monotonic()
        refused = alone.cli("run", "--lock-timeout", "1s")
        waited = time.monotonic() - asked_at
        with alone.begun(*JOINING) as second:
            assert f"joins sync {run.id}" in second.stderr.readline()
            world.sandbox.ask("DELETE", "/faults")
            own, joined = ended(first), ended(second)

    assert [each.id for each in alone.runs()] == [run.id]
    assert (refused.code, waited < SOON) == (4, True), refused
    assert run.id in refused.err
    assert (own.code, joined.code) == (0, 0), (own, joined)
    assert own.told["run_id"] == run.id
    assert f"sync {run.id} (begun by somebody else): success" in joined.out


def test_a_sync_that_is_cancelled_by_another_command_ends(world, alone):
    world.build(products=3, features=2, tests=130)

    hanging = {"kind": "hang", "pattern": "/exploratory_tests$", "seconds": SLOW}
    with world.sandbox.misbehaving(hanging), alone.begun("run", "--json") as process:
        world.has_been_asked(2)
        cancelled = alone.ask("cancel")
        found = ended(process)

    assert cancelled["status"] == "cancelled"
    assert (found.code, found.told["status"]) == (1, "cancelled"), found
