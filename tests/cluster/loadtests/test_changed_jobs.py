"""The sync job is changed while a cycle runs: the cycle ends, and all processes see the change."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from syncsvc.loadtests.ports import Cycle, Origin
from tests.cluster.loadtests.house import House
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(360)]

LONG, SHORT, OTHER = timedelta(minutes=5), timedelta(seconds=5), timedelta(seconds=7)
MUCH_SOONER = timedelta(seconds=30)  # than by the interval that was changed
SLOW = 4  # seconds that each call takes


def test_a_new_interval_lets_a_running_cycle_end_and_counts_for_the_next_one(house):
    house.has_run("changed")
    with a_running_cycle(house) as first:
        house.k6("job", "start", "--interval", "5")
        told = house.here(lambda watch: watch.jobs.state())
        house.sandbox.ask("DELETE", "/faults")
        second = next_after(house, first)

    report = the(house, first).report
    assert (told.is_running, told.interval, told.origin) == (True, SHORT, Origin.RUNTIME)
    assert report is not None
    assert (report.updated, report.errors) == (report.total, 0)
    assert SHORT <= second.began_at - the(house, first).began_at < MUCH_SOONER


def test_an_interval_and_a_stop_survive_the_restart_of_all_processes(house):
    house.has_run("survives")
    with a_running_cycle(house) as first:
        house.here(lambda watch: watch.jobs.restart(OTHER, "one"))
        restart_all(house)
    second = next_after(house, next_after(house, first).fence)
    kept = house.here(lambda watch: watch.jobs.state())
    house.here(lambda watch: watch.jobs.stop("one"))
    until(lambda: house.job().busy_by is None, "no cycle runs", 120)
    last = house.cycles(1)[0]
    restart_all(house)
    stopped = house.here(lambda watch: watch.jobs.state())
    started = house.here(lambda watch: watch.jobs.start(None, "one")).state
    third = next_after(house, last.fence)

    assert (kept.is_running, kept.interval, kept.origin) == (True, OTHER, Origin.RUNTIME)
    assert second.report is None or second.report.errors == 0
    assert (stopped.is_running, stopped.next_in) == (False, None)
    assert third.began_at >= started.updated_at


@contextmanager
def a_running_cycle(house: House) -> Iterator[int]:
    """Give a cycle that runs, and is slow."""
    with house.sandbox.misbehaving(latency=SLOW):
        house.forget_counts()
        house.polls_every(LONG)
        until(lambda: house.counts()["in_flight"] > 0, "a cycle asks the cluster", 60)
        yield house.cycles(1)[0].fence


def next_after(house: House, fence: int) -> Cycle:
    """Wait for the cycle after one, and give it."""
    until(lambda: house.cycles(1)[0].fence > fence, "the next cycle begins", 120)
    return the(house, fence + 1)


def the(house: House, fence: int) -> Cycle:
    return next(each for each in house.cycles() if each.fence == fence)


def restart_all(house: House) -> None:
    """Kill task workers and beats, and begin them again."""
    house.crew.end()
    house.crew.is_complete()
