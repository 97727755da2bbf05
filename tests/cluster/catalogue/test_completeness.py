"""After a sync everything that the server can deliver is there, whatever came in between."""

import pytest

from syncsvc.catalogue.model import RunStatus, SyncOptions
from syncsvc.stores.sql.catalogue_tables import catalogue_features, catalogue_tests
from tests.cluster.catalogue.home import there
from tests.cluster.catalogue.world import FEATURES, TESTS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

WALK = 7  # calls for a list of 130: neighbouring pages share a test


def test_a_first_walk_that_is_killed_costs_no_test_and_at_most_six_calls(world, alone):
    world.build(products=1, features=3, tests=130)
    with world.sandbox.holding_pages(4), alone.begun("run") as process:
        world.has_been_asked(3, TESTS)
        process.kill()
        process.wait()
    stored = alone.tests()

    alone.sync()

    calls = world.sandbox.calls()
    assert 0 < stored < 130
    assert alone.tests() == 130
    assert sum(calls.values()) - 2 - WALK <= 6, calls
    assert [run.status for run in alone.runs()] == [RunStatus.SUCCESS, RunStatus.ABANDONED]


def test_a_poisoned_test_is_quarantined_alone_and_comes_once_it_is_healed(world, alone):
    [product] = world.build(products=1, features=1, tests=130)
    poisoned = world.product(product)["tests"][7]["id"]
    world.tell("PUT", f"/tests/{poisoned}/poison", {})

    alone.sync_here()

    [place] = alone.ask("quarantine", "list")["places"]
    assert alone.tests() == 129
    assert place["product_id"] == product
    world.tell("DELETE", f"/tests/{poisoned}/poison")
    assert alone.ask("quarantine", "retry", "--all") == {"retried": 1}
    assert alone.sync()["status"] == "success"
    assert alone.tests() == 130
    assert alone.ask("quarantine", "list")["places"] == []


def test_tests_that_since_left_out_come_with_a_plain_sync(world, alone):
    world.build(products=1, features=1, tests=130)

    alone.sync("--since", "2026-02-20")
    recent = alone.tests()
    alone.sync_here()

    assert 0 < recent < 130
    assert alone.tests() == 130


def test_a_product_with_1400_tests_has_all_of_them(world, alone):
    world.build(products=1, features=1, tests=1400)

    alone.sync_here()

    assert alone.tests() == 1400


def test_where_nothing_is_new_a_product_costs_one_call_for_its_tests(world, alone):
    world.build(products=5, features=3, tests=130)
    alone.sync_here()
    world.sandbox.forget_calls()

    alone.sync_here()

    assert world.sandbox.calls()[TESTS] <= 5


def test_a_feature_that_was_deleted_there_is_deleted_here(world, alone):
    [product] = world.build(products=1, features=5, tests=10)
    alone.sync_here()
    gone = world.product(product)["features"][1]["id"]

    world.tell("DELETE", f"/features/{gone}")
    alone.sync_here()

    rows = alone.rows()[catalogue_features.name]
    assert [row["id"] for row in rows if row["deleted_at"]] == [gone]
    assert len(there(rows)) == 4


def test_features_that_vanish_all_at_once_stay_unless_that_is_allowed(world, alone):
    [product] = world.build(products=1, features=5, tests=10)
    alone.sync_here()

    world.tell("DELETE", f"/products/{product}/features")
    refused = alone.sync_here()
    kept = len(there(alone.rows()[catalogue_features.name]))
    allowed = alone.sync("--allow-vanishing")

    assert any("all 5 would be deleted" in warning for warning in refused.warnings)
    assert kept == 5
    assert allowed["warnings"] == []
    assert there(alone.rows()[catalogue_features.name]) == []


def test_a_product_that_fails_does_not_keep_the_others_from_coming(world, alone):
    ids = world.build(products=5, features=2, tests=30)
    broken = {"kind": "status", "code": 502, "pattern": f"/{ids[2]}/exploratory_tests$"}

    with world.sandbox.misbehaving(broken):
        found = alone.sync(expect=3)

    tests = there(alone.rows()[catalogue_tests.name])
    assert found["status"] == "partial"
    assert len(tests) == 4 * 30
    assert {row["product_id"] for row in tests} == {*ids} - {ids[2]}


def test_what_opens_test_environments_is_nowhere_in_the_database(world, alone):
    world.build(products=2, features=2, tests=30)

    found = alone.sync_here()

    files = list(alone.folder.glob("syncsvc.db*"))
    assert found.status is RunStatus.SUCCESS
    assert files
    assert all(b"hunter2" not in file.read_bytes() for file in files)


def test_a_forced_sync_reads_every_page_again(world, alone):
    world.build(products=1, features=1, tests=130)
    alone.sync_here()
    world.sandbox.forget_calls()

    alone.sync_here(SyncOptions(force_refresh=True))

    assert world.sandbox.calls() == {FEATURES: 1, TESTS: WALK, "GET /customer/v2/products": 1}
