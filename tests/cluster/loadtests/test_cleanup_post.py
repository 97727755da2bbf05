"""TestRuns with `cleanup: post`: the operator removes them, their pods and logs, at their end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from signal import SIGKILL

import pytest

from syncsvc.loadtests.model import LogsState, Phase, Reason, Result
from syncsvc.loadtests.registering import WishedStep
from tests.cluster.loadtests.house import House
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(360)]

RUNNERS = 2
LONG, SHORT = timedelta(seconds=60), timedelta(seconds=5)


def test_a_run_at_its_real_speed_is_kept_whole_though_cycles_are_far_apart(house):
    house.forget_counts()
    house.here(lambda watch: watch.registering.watch("short", [WishedStep("short")]))
    house.polls_every(LONG)
    is_attended(house, 0)
    scenario = {"exits": [0, 0, 99, 0], "duration": 4, "lines_per_second": 50, "summary": "v2"}

    with at_real_speed(house):
        wish = {"name": "short", "cleanup": True, "parallelism": 4, "scenario": scenario}
        house.kubernetes("POST", "/testruns", wish)
        step = house.has_settled("short")

    assert (step.phase, step.result, step.reason) == (
        Phase.FINISHED,
        Result.FAILED,
        Reason.THRESHOLDS,
    )
    assert "runner 3 of 4" in (step.detail or "")
    assert (step.logs, step.logs_detail) == (LogsState.COMPLETE, None)
    assert house.kept("short") == house.emitted("short")


def test_who_takes_over_from_a_killed_witness_witnesses_as_well(house):
    is_under_load(house, "handed")
    house.polls_every(SHORT)
    is_attended(house, RUNNERS)
    house.emit("handed", 300)
    kill_the_witness(house)
    house.emit("handed", 300)
    is_attended(house, RUNNERS)
    house.emit("handed", 300)
    house.kubernetes("POST", "/step", {"name": "handed", "until": "end"})

    step = house.has_settled("handed")

    assert (step.result, step.logs) == (Result.SUCCEEDED, LogsState.COMPLETE)
    assert house.kept("handed") == house.emitted("handed")


def test_what_a_killed_witness_alone_knew_is_a_loss_that_is_stated(house):
    is_under_load(house, "unseen")
    house.polls_every(LONG)
    is_attended(house, RUNNERS)
    house.emit("unseen", 300)
    kill_the_witness(house)
    house.kubernetes("POST", "/step", {"name": "unseen", "until": "end"})
    house.polls_every(SHORT)

    step = house.has_settled("unseen")

    assert (step.phase, step.result, step.logs) == (Phase.GONE, Result.UNKNOWN, LogsState.LOST)
    assert step.logs_detail


def is_under_load(house: House, name: str) -> None:
    """Make a TestRun that is to be watched, and take it to where only its runners are left."""
    house.forget_counts()
    house.has_run(name, cleanup=True, parallelism=RUNNERS)
    for _ in ("starter running", "starter ended"):
        house.kubernetes("POST", "/step", {"name": name, "until": "beat"})


def is_attended(house: House, followed: int) -> None:
    """Wait until a process keeps the turn for its witness, and so many logs are followed."""
    until(lambda: house.polling is not None, "a task worker has the turn", 60)
    until(lambda: house.counts()["calls"].get("watch pods", 0) > 0, "pods are watched", 60)
    until(lambda: house.counts()["log_in_flight"] == followed, f"{followed} logs are followed", 60)


def kill_the_witness(house: House) -> None:
    witness = house.polling
    assert witness is not None, "a task worker has the turn"
    witness.end(SIGKILL)
    until(lambda: house.counts()["log_in_flight"] == 0, "its streams have ended")
    house.forget_counts()
    witness.begin()
    house.turn_is_over()


@contextmanager
def at_real_speed(house: House) -> Iterator[None]:
    house.kubernetes("PUT", "/speed", {"factor": 1})
    try:
        yield
    finally:
        house.kubernetes("PUT", "/speed", {"factor": 0})
