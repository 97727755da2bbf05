"""What a sync's end is called, how it is told, and when the unreadable is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from syncsvc.catalogue.model import (
    Counts,
    EntityType,
    Order,
    PhaseProgress,
    RunStatus,
    SyncOptions,
    SyncPhase,
    SyncRun,
    SyncScope,
    Trigger,
)
from syncsvc.catalogue.patience import next_try
from syncsvc.catalogue.verdict import (
    Tally,
    event_of,
    last_words,
    order_told,
    phase_told,
    told,
    verdict,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("done", "failed", "status"),
    [
        (3, 0, RunStatus.SUCCESS),
        (0, 0, RunStatus.SUCCESS),
        (2, 1, RunStatus.PARTIAL),
        (0, 1, RunStatus.FAILED),
    ],
)
def test_a_run_is_judged_by_its_units(done, failed, status):
    assert verdict(Tally(done, failed, done + failed)) is status


def test_a_run_that_was_denied_has_failed_whatever_was_done_before():
    assert verdict(Tally(5, 1, 9), denied=True) is RunStatus.FAILED


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (RunStatus.SUCCESS, "completed"),
        (RunStatus.PARTIAL, "completed"),
        (RunStatus.FAILED, "failed"),
        (RunStatus.CANCELLED, "cancelled"),
        (RunStatus.ABANDONED, "abandoned"),
    ],
)
def test_each_end_has_its_kind_of_event(status, kind):
    assert event_of(status) == kind


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (RunStatus.SUCCESS, "sync completed in 12.3 s: all is well"),
        (RunStatus.PARTIAL, "sync completed with failures in 12.3 s: all is well"),
        (RunStatus.FAILED, "sync failed in 12.3 s: all is well"),
        (RunStatus.CANCELLED, "sync cancelled in 12.3 s: all is well"),
    ],
)
def test_the_last_words_say_how_long_it_took(status, words):
    run = SyncRun("r", Order("acme", ()), RunStatus.RUNNING, 1, None, None, NOON, NOON)

    assert last_words(run, status, NOON + timedelta(seconds=12.34), "all is well") == words


def test_what_was_done_is_told_without_what_there_is_none_of():
    counts = Counts(created=3, deleted=1, calls=7, retries=2)

    assert told(Tally(2, 1, 4), counts) == "2 of 4 units done, 3 created, 1 deleted, 7 calls"


@pytest.mark.parametrize(("failed", "words"), [(0, ""), (2, ", 2 failed")])
def test_a_phase_tells_of_its_failures_if_there_are_any(failed, words):
    progress = PhaseProgress(SyncPhase.FEATURES, 3, 1, failed, Counts(updated=1))

    assert phase_told(progress) == f"features: 1 of 3 units done{words}, 1 updated, 0 calls"


def test_a_plain_order_is_told_in_one_line():
    order = Order("acme", tuple(SyncPhase), trigger=Trigger.BEAT)

    words = "sync started by beat: products, features, new_tests; scope: all"
    assert order_told(order) == words


def test_an_order_is_told_with_its_scope_and_options():
    scope = SyncScope((1, 2), NOON, (EntityType.TESTS,))
    options = SyncOptions(force_refresh=True, nuke=True)

    words = order_told(Order("acme", (), scope, options, Trigger.CLI))

    assert words == (
        "sync started by cli: no phase; scope: products 1, 2; "
        "tests since 2026-01-02T12:00:00+00:00; only tests; options: force_refresh, nuke"
    )


@pytest.mark.parametrize(("attempts", "hours"), [(1, 0.5), (2, 1), (4, 4), (7, 24), (999, 24)])
def test_what_cannot_be_read_is_tried_ever_later_but_once_a_day(attempts, hours):
    assert next_try(attempts, NOON) == NOON + hours * HOUR
