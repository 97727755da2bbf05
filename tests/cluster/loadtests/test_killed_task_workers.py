"""A task worker may be killed at any point of a cycle: another one goes on, and nothing is lost."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest

from syncsvc.loadtests.model import LogsState, Phase, Reason, Result
from syncsvc.loadtests.ports import Cycle
from syncsvc.loadtests.summary import summary
from syncsvc.wiring.loadtests import Watch
from tests.cluster.loadtests.house import House
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(360)]

SLOW = 1  # second that each call takes: a cycle cannot end before it is killed
MINUTE = timedelta(minutes=1)  # a cycle has time enough, and begins when it is told to
FEW, MANY = 200, 6_000  # lines; many are more than is read at once


def test_killed_task_workers_leave_no_line_out_and_none_twice(house):
    scenario = {"exits": [0, 0, 99, 0], "sidecars": ["proxy"]}
    house.has_run("killed", parallelism=4, scenario=scenario)

    for killed_while in (it_has_written_a_part, it_would_write, it_lists, it_reads_logs):
        house.turn_is_over()
        house.emit("killed", MANY if killed_while is it_has_written_a_part else FEW)
        with killed_while(house) as is_reached:
            house.polls_every(MINUTE)
            until(is_reached, killed_while.__name__, 60)
            kill_who_polls(house)
        house.emit("killed", FEW)
    house.polls_every(MINUTE)
    until(
        lambda: house.cycles(1)[0].report, "another ends a cycle, after the term of the turn", 120
    )
    house.kubernetes("POST", "/step", {"name": "killed", "until": "end"})
    house.polls_every(MINUTE)
    step = house.has_settled("killed")

    assert (step.phase, step.logs) == (Phase.FINISHED, LogsState.COMPLETE)
    assert (step.result, step.reason) == (Result.FAILED, Reason.THRESHOLDS)
    assert "runner 3" in house.k6("show", "killed")["steps"][0]["detail"]
    assert_all_is_kept(house, "killed")
    assert_summaries_are_right(house, "killed")


def test_a_task_worker_that_was_paused_for_longer_than_its_turn_writes_nothing_more(house):
    house.has_run("paused", parallelism=4)
    with it_lists(house) as is_reached:
        house.polls_every(MINUTE)
        until(is_reached, "the cluster is asked", 60)
        worker, old = house.polling, house.cycles(1)[0]
        worker.process.send_signal(SIGSTOP)
        until(lambda: house.counts()["in_flight"] == 0, "all that was asked for is answered")
    house.kubernetes("POST", "/step", {"name": "paused", "until": "stopped"})
    house.turn_is_over()
    house.polls_every(MINUTE)
    until(lambda: is_newer(house, old), "another task worker ends a cycle", 120)
    newer = house.step("paused")
    worker.process.send_signal(SIGCONT)
    until(lambda: the(house, old.fence).report, "the cycle that was paused ends", 120)

    assert newer.phase is Phase.STOPPING
    assert house.step("paused") == newer
    assert b"a newer cycle over load tests has begun" in worker.log.read_bytes()
    assert house.kept("paused") == house.emitted("paused")


def is_newer(house: House, old: Cycle) -> bool:
    newest = house.cycles(1)[0]
    return newest.fence > old.fence and newest.report is not None


def the(house: House, fence: int) -> Cycle:
    return next(each for each in house.cycles() if each.fence == fence)


def kill_who_polls(house: House) -> None:
    """Kill the task worker whose turn it is; another life of it begins at once."""
    worker = house.polling
    assert worker is not None, "a task worker polls"
    worker.end(SIGKILL)
    worker.begin()


@contextmanager
def it_lists(house: House) -> Iterator[Callable[[], bool]]:
    with slow(house):
        yield lambda: house.counts()["calls"].get("list pods", 0) > 0


@contextmanager
def it_reads_logs(house: House) -> Iterator[Callable[[], bool]]:
    with slow(house):
        yield lambda: asks_for_logs(house)


@contextmanager
def it_would_write(house: House) -> Iterator[Callable[[], bool]]:
    """It has read logs, and the record is kept from it."""
    record = house.crew.home.folder / "syncsvc.db"
    with slow(house), closing(sqlite3.connect(record, timeout=30)) as database:

        def is_reached() -> bool:
            if not database.in_transaction and asks_for_logs(house):
                database.execute("BEGIN IMMEDIATE")
            return database.in_transaction and house.counts()["log_in_flight"] == 0

        yield is_reached
        database.rollback()


def asks_for_logs(house: House) -> bool:
    return house.counts()["calls"].get("log pods", 0) > 0


@contextmanager
def it_has_written_a_part(house: House) -> Iterator[Callable[[], bool]]:
    with slow(house):
        before = chunks(house)
        yield lambda: chunks(house) > before


@contextmanager
def slow(house: House) -> Iterator[None]:
    with house.sandbox.misbehaving(latency=SLOW):
        house.forget_counts()
        yield


def chunks(house: House) -> int:
    [(number,)] = house.crew.look("SELECT count(*) FROM loadtest_chunks")
    return int(number)


def assert_all_is_kept(house: House, name: str) -> None:
    """Compare all logs byte by byte with what was written."""
    kept, emitted = house.kept(name), house.emitted(name)
    assert kept.keys() == {each for each in emitted if each[1] != "proxy"}
    assert [each for each in kept if kept[each] != emitted[each]] == []


def assert_summaries_are_right(house: House, name: str) -> None:
    """Compare the rows of each runner with those in what it wrote."""

    async def kept(watch: Watch):
        return await watch.showing.logs.summaries((await watch.showing.step(name)).id)

    found, emitted = house.here(kept), house.emitted(name)
    assert sorted(found) == [1, 2, 3, 4]
    for index, rows in found.items():
        [key] = [
            each for each in emitted if each[0].startswith(f"{name}-{index}-") and "k6" in each
        ]
        assert rows
        assert rows == summary(emitted[key])
