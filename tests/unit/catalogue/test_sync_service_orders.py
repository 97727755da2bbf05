"""What may be asked of a sync, and how the customer's own limits hold."""

from datetime import datetime, timedelta

import pytest

from syncsvc.catalogue.model import (
    Barrier,
    EntityType,
    SyncOptions,
    SyncPhase,
    SyncScope,
    Trigger,
)
from syncsvc.catalogue.ordering import Asked, ordered
from syncsvc.catalogue.ports import Customer, RunFilter
from syncsvc.catalogue.request import Request
from syncsvc.errors import Rejected, Unknown
from tests.support.builders import NOON
from tests.support.syncing import World

PRODUCTS, FEATURES, NEW_TESTS = SyncPhase
ACME = Customer("acme")
ALL, PLAIN, ANYBODY = SyncScope(), SyncOptions(), Request()
YESTERDAY = NOON - timedelta(days=1)


def order(phases=None, scope=ALL, options=PLAIN, request=ANYBODY, customer=ACME):
    return ordered(Asked(phases, scope, options), request, customer, NOON)


def test_all_is_synced_unless_something_else_is_asked_for():
    found = order()

    assert found.phases == (PRODUCTS, FEATURES, NEW_TESTS)
    assert (found.scope, found.options) == (SyncScope(), SyncOptions())


def test_phases_run_once_and_in_their_order():
    assert order([NEW_TESTS, PRODUCTS, NEW_TESTS]).phases == (PRODUCTS, NEW_TESTS)


@pytest.mark.parametrize(
    ("kinds", "phases"),
    [
        ([EntityType.PRODUCTS], (PRODUCTS,)),
        ([EntityType.TESTS, EntityType.PRODUCTS], (PRODUCTS, NEW_TESTS)),
        ([EntityType.USER_STORIES], (FEATURES,)),
        ([EntityType.FEATURES, EntityType.USER_STORIES], (FEATURES,)),
    ],
)
def test_entity_types_leave_out_the_phases_of_the_others(kinds, phases):
    found = order(scope=SyncScope(entity_types=tuple(kinds)))

    assert found.phases == phases
    assert set(found.scope.entity_types) == set(kinds)


def test_incremental_only_looks_for_new_tests():
    found = order(options=SyncOptions(incremental_only=True))

    assert (found.phases, found.options.incremental_only) == ((NEW_TESTS,), True)


@pytest.mark.parametrize("name", ["force_refresh", "nuke", "allow_vanishing"])
def test_an_option_reaches_the_order(name):
    found = order(options=SyncOptions(**{name: True}))

    assert getattr(found.options, name)
    assert found.phases == tuple(SyncPhase)


def test_who_asks_and_the_barrier_reach_the_order():
    found = order(request=Request(trigger=Trigger.BEAT, barrier=Barrier.PHASE))

    assert (found.trigger, found.barrier, found.customer) == (Trigger.BEAT, Barrier.PHASE, "acme")


def test_ids_of_products_are_sorted_and_named_once():
    assert order(scope=SyncScope(product_ids=(7, 3, 7))).scope.product_ids == (3, 7)


def test_the_customers_own_limits_hold_where_nothing_is_asked_for():
    found = order(customer=Customer("acme", (9, 4), YESTERDAY))

    assert (found.scope.product_ids, found.scope.since_date) == ((4, 9), YESTERDAY)


def test_what_is_asked_for_may_be_narrower_than_the_customers_limits():
    scope = SyncScope(product_ids=(4,), since_date=NOON)

    found = order(scope=scope, customer=Customer("acme", (9, 4), YESTERDAY))

    assert found.scope == scope


def test_the_customers_limit_holds_for_an_earlier_date_too():
    scope = SyncScope(since_date=YESTERDAY - timedelta(days=9))

    assert order(scope=scope, customer=Customer("acme", since=YESTERDAY)).scope.since_date == (
        YESTERDAY
    )


def test_a_customer_with_a_date_of_its_own_may_be_built_anew():
    found = order(options=SyncOptions(nuke=True), customer=Customer("acme", since=YESTERDAY))

    assert found.scope.since_date == YESTERDAY


@pytest.mark.parametrize(
    ("scope", "message"),
    [
        (SyncScope(product_ids=()), r"product_ids: expected at least one id, .* found \[\]"),
        (SyncScope(product_ids=(3, 0, -1)), "product_ids: expected positive numbers, found 0, -1"),
        (
            SyncScope(product_ids=(1, 8, 7)),
            r"product_ids: expected those of customer acme \(1, 2\), found 7, 8",
        ),
        (
            SyncScope(since_date=NOON + timedelta(seconds=1)),
            r"since_date: expected a moment before now \(2026-01-01T12:00:00\+00:00\), found 2026",
        ),
        (
            SyncScope(since_date=datetime(2025, 1, 1)),  # noqa: DTZ001 - without a zone
            "since_date: expected a moment with its zone, found 2025-01-01T00:00:00",
        ),
        (SyncScope(entity_types=()), "found none: entity_types are none"),
    ],
)
def test_a_scope_that_cannot_be_is_refused_with_field_and_values(scope, message):
    with pytest.raises(Rejected, match=message):
        order(scope=scope, customer=Customer("acme", (1, 2)))


@pytest.mark.parametrize(
    ("options", "since", "names"),
    [
        (SyncOptions(nuke=True, incremental_only=True), None, ("nuke", "incremental_only")),
        (SyncOptions(nuke=True), YESTERDAY, ("nuke", "since_date")),
        (
            SyncOptions(force_refresh=True, incremental_only=True),
            None,
            ("force_refresh", "incremental_only"),
        ),
    ],
)
def test_options_that_exclude_each_other_are_named(options, since, names):
    one, other = names

    with pytest.raises(Rejected, match=f"^{one}: expected without {other}, found both"):
        order(scope=SyncScope(since_date=since), options=options)


def test_what_leaves_nothing_to_do_says_why():
    with pytest.raises(
        Rejected,
        match="phases are products; entity_types are tests; incremental_only leaves new_tests only",
    ):
        order(
            [PRODUCTS],
            SyncScope(entity_types=(EntityType.TESTS,)),
            SyncOptions(incremental_only=True),
        )
    with pytest.raises(Rejected, match="found none: phases are none"):
        order([])


async def test_nothing_is_recorded_of_what_is_refused():
    world = World()
    syncs = world.process().syncs

    with pytest.raises(Rejected):
        await syncs.execute_sync(scope=SyncScope(product_ids=(0,)))
    with pytest.raises(Unknown, match="acme"):
        await syncs.execute_sync(request=Request("nobody"))

    assert await world.record.runs(RunFilter()) == []
    assert await world.process().lock.holder("acme") is None
