"""Operators see by the metrics how load tests and the cycles over them fare."""

from datetime import timedelta
from math import inf

import pytest
from prometheus_client import REGISTRY

from syncsvc.loadtests.memory import MemoryCycles, MemoryLoadTests
from syncsvc.loadtests.memory_rows import Shelf
from syncsvc.loadtests.model import LogsState, Stale
from syncsvc.loadtests.ports import CycleReport, Place
from syncsvc.wiring.loadtest_figures import LoadTestFigures
from tests.support.builders import MINUTE, NOON, SECOND
from tests.support.load_tests import CLUSTER, NAMESPACE, a_step, a_test, an_ended_step


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def cycles(shelf) -> MemoryCycles:
    return MemoryCycles(shelf)


@pytest.fixture
def figures(shelf, cycles) -> LoadTestFigures:
    return LoadTestFigures(MemoryLoadTests(shelf), cycles, [Place("idle", NAMESPACE)])


def steps(which: str = "", cluster: str = CLUSTER) -> float | None:
    labels = {"cluster": cluster, "namespace": NAMESPACE}
    return REGISTRY.get_sample_value(f"syncsvc_loadtest_steps{which}", labels)


def cycle(figure: str) -> float | None:
    return REGISTRY.get_sample_value(f"syncsvc_loadtest_cycle_{figure}")


async def test_steps_are_counted_by_place_and_by_what_is_wrong_with_them(figures):
    stale = {"stale": Stale(NOON, 2, "503"), "stalled": "no pod is there"}
    await figures.tests.register(
        a_test(), [a_step("going"), a_step("stale", **stale), an_ended_step("unread")]
    )

    await figures.count_once(NOON)

    assert (steps(), steps("_stale"), steps("_stalled"), steps("_unread")) == (2, 1, 1, 1)
    assert steps(cluster="idle") == 0


async def test_a_place_that_nothing_is_watched_at_any_more_is_not_shown(figures, shelf):
    await figures.tests.register(a_test(), [a_step("only")])
    await figures.count_once(NOON)
    shelf.steps["only"] = an_ended_step("only", logs=LogsState.COMPLETE)

    await figures.count_once(NOON)

    assert steps() is None


async def test_a_cycle_is_shown_once_it_has_ended(figures, cycles):
    fence = await cycles.begin(NOON)
    await figures.count_once(NOON)
    before = cycle("age_seconds")
    report = CycleReport(total=9, errors=2, calls=7, duration=timedelta(milliseconds=1500))
    await cycles.end(fence, report)
    await cycles.begin(NOON + 20 * SECOND)

    await figures.count_once(NOON + MINUTE)

    assert before == inf
    assert cycle("age_seconds") == 58.5
    assert (cycle("errors"), cycle("seconds"), cycle("calls")) == (2, 1.5, 7)
