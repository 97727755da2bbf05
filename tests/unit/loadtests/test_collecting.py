import asyncio
from dataclasses import replace

import pytest

from syncsvc.errors import Conflict, Unavailable
from syncsvc.loadtests.clusters import Forbidden, NoLog
from syncsvc.loadtests.model import LogsState
from syncsvc.loadtests.seen import ContainerKind, ContainerSeen, ContainerState, Stage
from tests.support.builders import SECOND
from tests.support.clusters import FakeCluster, stamped
from tests.support.loadtest_cycles import World

SUMMARY = b"".join(
    b"2026-01-01T12:00:59.000000Z " + line + b"\n"
    for line in (
        b"",
        b"  \xe2\x96\x88 TOTAL RESULTS ",
        b"",
        b"    HTTP",
        b"    http_reqs......................: 20     9.9/s",
        b"",
    )
)


@pytest.fixture
def world() -> World:
    return World()


def lines(first: int, last: int, step: int = 1) -> bytes:
    return b"".join(stamped(number * step) for number in range(first, last))


async def test_a_log_is_kept_byte_by_byte_over_many_cycles(world):
    world.launch()
    for part in range(10):
        world.main.emit("checkout", lines(part * 7, part * 7 + 7, step=300))
        await world.cycle()
    world.main.end("checkout", 0)

    await world.cycle()

    assert world.text_of() == lines(0, 70, step=300)
    assert world.log_of().state is LogsState.COMPLETE


async def test_a_process_killed_between_reading_and_keeping_loses_no_line_and_doubles_none(world):
    world.launch()
    world.main.emit("checkout", lines(0, 50))
    await world.cycle()
    world.main.emit("checkout", lines(50, 90))
    world.home.dies_at = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await world.cycle()
    world.home.dies_at = None
    world.restart()
    world.main.emit("checkout", lines(90, 100))

    await world.cycle()

    assert world.text_of() == lines(0, 100)


async def test_steps_are_complete_once_each_log_was_read_after_its_end(world):
    world.launch(runners=2)
    await world.cycle()
    world.main.emit("checkout", lines(0, 3))
    world.main.end("checkout", 0, 0)

    await world.cycle()
    calls = world.main.calls["log"]
    await world.cycle()

    assert world.of().logs is LogsState.COMPLETE
    assert (calls, world.main.calls["log"]) == (4, 4)
    assert world.main.calls["list"] == 2  # nothing is under way any more


async def test_a_log_of_a_runner_that_still_runs_keeps_the_step_open(world):
    world.launch(runners=2)
    world.main.emit("checkout", lines(0, 3))
    world.main.end_runner("checkout", 1, 0)

    await world.cycle()

    assert world.log_of(index=1).state is LogsState.COMPLETE
    assert world.log_of(index=2).state is LogsState.PARTIAL
    assert world.of().logs is LogsState.PARTIAL


async def test_what_is_silent_is_not_written(world):
    world.launch()
    world.main.emit("checkout", lines(0, 3))
    await world.cycle()

    report = await world.cycle()

    assert (world.home.appends, report.logs_updated) == (1, 0)


async def test_a_run_that_cleans_up_at_once_says_which_logs_are_lost(world):
    world.launch(runners=2, cleans_up=True)
    world.main.emit("checkout", lines(0, 3))
    await world.cycle()
    world.main.remove("checkout")

    await world.cycle()

    assert world.of().logs is LogsState.LOST
    assert world.of().logs_detail == (
        "2 of 2 logs: its last lines were not read: container 'k6' of pod 'checkout-1-x' "
        "has no log: the pod is gone"
    )
    assert world.text_of() == lines(0, 3)


async def test_runners_that_were_never_seen_are_named_as_lost(world):
    world.launch(runners=3)
    del world.main.pods["load", "checkout-2-x"]
    world.main.end_runner("checkout", 1, 0)
    world.main.end_runner("checkout", 3, 0)
    run = world.main.runs["load", "checkout"]
    world.main.runs["load", "checkout"] = replace(run, stage=Stage.FINISHED)

    await world.cycle()

    assert world.of().logs is LogsState.LOST
    assert world.of().logs_detail == "runner 2 of 3: its pod was gone before its log was read"


async def test_a_run_of_which_no_container_was_seen_has_lost_its_logs(world):
    world.launch(stage=Stage.STARTED)
    world.main.pods.clear()
    await world.cycle()
    del world.main.runs["load", "checkout"]

    await world.cycle()

    assert world.of().logs is LogsState.LOST
    assert world.of().logs_detail == "no container of it was seen before its pods were gone"


async def test_a_summary_is_kept_once_a_runners_log_is_complete(world):
    world.launch(runners=2)
    world.main.emit("checkout", lines(0, 3) + SUMMARY, index=2)
    await world.cycle()
    before = dict(world.home.rows)
    world.main.end("checkout", 0, 0)

    await world.cycle()

    rows = world.home.rows["id-checkout"]
    assert before == {}
    assert list(rows) == [2]
    assert ("http_reqs", "count", 20.0) in {(row.metric, row.stat, row.value) for row in rows[2]}


async def test_a_summary_is_kept_before_its_log_is_called_complete(world):
    world.launch()
    world.main.emit("checkout", SUMMARY)
    world.main.end("checkout", 0)
    world.home.dies_at = asyncio.CancelledError()

    with pytest.raises(asyncio.CancelledError):
        await world.cycle()

    assert world.home.rows["id-checkout"]
    assert not world.home.kept


async def test_a_summary_in_the_part_that_was_kept_is_found_when_the_rest_is_lost(world):
    world.launch()
    world.main.emit("checkout", lines(0, 3) + SUMMARY)
    await world.cycle()
    world.main.remove("checkout")

    await world.cycle()

    assert world.home.rows["id-checkout"][1]


async def test_a_log_larger_than_one_read_is_read_on_in_the_same_cycle(world):
    world.limited(piece=1000)
    world.launch()
    world.main.emit("checkout", lines(0, 500))
    world.main.end("checkout", 0)

    await world.cycle()

    assert world.text_of() == lines(0, 500)
    assert world.of().logs is LogsState.COMPLETE


async def test_a_line_longer_than_one_read_is_read_with_more_room(world):
    world.limited(piece=100)
    world.launch()
    long = stamped(1, "x" * 5000)
    world.main.emit("checkout", long)

    await world.cycle()

    assert world.text_of() == long


async def test_no_more_calls_are_made_than_a_cycle_may_take(world):
    world.limited(calls=13, at_once=1)
    for number in range(30):
        world.launch(f"run-{number}")

    report = await world.cycle()

    assert (report.calls, world.main.calls["log"]) == (13, 10)


async def test_what_there_was_no_room_for_comes_first_the_next_time(world):
    world.limited(calls=8, at_once=1)
    for number in range(10):
        world.launch(f"run-{number}")

    await world.cycle()
    await world.cycle()

    assert len({pod for pod, _, _ in world.main.reads}) == 10


async def test_logs_that_have_ended_are_read_before_those_that_go_on(world):
    world.limited(calls=4, at_once=1)
    for number in range(10):
        world.launch(f"run-{number}")
    world.main.end("run-7", 0)

    await world.cycle()

    assert [pod for pod, _, _ in world.main.reads] == ["run-7-1-x"]


async def test_nothing_is_read_after_the_deadline(world):
    class Slow(FakeCluster):
        async def log(self, *args, **more):
            world.now += 4 * SECOND
            return await super().log(*args, **more)

    world.clusters["main"] = Slow(world.clock)
    world.limited(at_once=1)
    for number in range(30):
        world.launch(f"run-{number}")

    report = await world.cycle()

    assert world.main.calls["log"] == 4
    assert report.duration == 16 * SECOND


async def test_a_log_that_hangs_is_given_up_in_time(world):
    class Hanging(FakeCluster):
        async def log(self, namespace, pod, container, **more):
            if pod == "stuck-1-x":
                await asyncio.Event().wait()
            return await super().log(namespace, pod, container, **more)

    world.clusters["main"] = Hanging(world.clock)
    world.launch("stuck")
    world.launch("well")
    world.main.emit("well", lines(0, 3))
    world.terms = replace(world.terms, logs=replace(world.terms.logs, limit=SECOND / 100))
    world.restart()

    report = await world.cycle()

    assert world.text_of("well") == lines(0, 3)
    assert [error.name for error in report.step_errors] == ["stuck"]


async def test_a_right_that_lacks_for_one_log_is_not_asked_for_again_and_again(world):
    world.limited(at_once=1)
    for number in range(20):
        world.launch(f"run-{number}")
        world.main.log_errors[f"run-{number}-1-x"] = Forbidden("get pods/log in 'load' refused")

    report = await world.cycle()

    assert world.main.calls["log"] == 1
    assert report.errors == 20
    assert {error.error for error in report.step_errors} == {"get pods/log in 'load' refused"}


async def test_a_log_that_cannot_be_read_now_is_read_later(world):
    world.launch()
    world.main.emit("checkout", lines(0, 3))
    world.main.log_errors["checkout-1-x"] = Unavailable("the kubelet is down")
    world.main.end("checkout", 0)
    await world.cycle()
    between = world.of().logs
    world.main.log_errors.clear()

    await world.cycle()

    assert between is LogsState.NONE
    assert (world.of().logs, world.text_of()) == (LogsState.COMPLETE, lines(0, 3))


async def test_a_runner_seen_once_and_never_read_is_told_as_lost(world):
    world.launch()
    world.main.log_errors["checkout-1-x"] = Unavailable("the kubelet is down")
    await world.cycle()
    world.main.remove("checkout")
    world.main.log_errors.clear()

    await world.cycle()

    assert world.log_of().state is LogsState.LOST


async def test_a_log_that_is_not_there_for_once_is_asked_for_again(world):
    world.launch()
    world.main.emit("checkout", lines(0, 3))
    world.main.end("checkout", 0)
    world.main.log_errors["checkout-1-x"] = NoLog("the pod is gone")
    await world.cycle()
    between = world.of().logs
    world.main.log_errors.clear()

    await world.cycle()

    assert between is LogsState.NONE
    assert (world.of().logs, world.text_of()) == (LogsState.COMPLETE, lines(0, 3))


async def test_a_log_of_an_ended_container_that_is_not_there_twice_is_lost(world):
    world.launch()
    world.main.end("checkout", 0)
    world.main.log_errors["checkout-1-x"] = NoLog("the node has lost it")

    await world.cycle()
    await world.cycle()

    assert world.of().logs is LogsState.LOST
    assert "the node has lost it" in world.of().logs_detail


async def test_a_log_that_was_rotated_says_that_lines_may_be_missing(world):
    world.launch()
    world.main.emit("checkout", lines(0, 3))
    await world.cycle()
    world.main.logs["load", "checkout-1-x", "k6"] = lines(9000, 9003)

    await world.cycle()

    assert world.text_of() == lines(0, 3) + lines(9000, 9003)
    assert world.log_of().detail.startswith("lines may be missing")


async def test_what_is_no_log_is_an_error_and_not_kept(world):
    world.launch()
    world.main.emit("checkout", b"failed to watch file: too many open files\n")

    report = await world.cycle()

    assert report.step_errors[0].error == (
        "checkout-1-x: found no log, but: failed to watch file: too many open files"
    )
    assert world.text_of() == b""


async def test_sidecars_are_read_where_their_name_is_wished_for(world):
    def beside(*names):
        return tuple(
            ContainerSeen(name, ContainerKind.SIDECAR, ContainerState.RUNNING) for name in names
        )

    world.limited(beside=("tracer-*",))
    world.launch()
    key = ("load", "checkout-1-x")
    pod = world.main.pods[key]
    names = ("istio-proxy", "tracer-1")
    world.main.pods[key] = replace(pod, containers=(*pod.containers, *beside(*names)))
    for name in names:
        world.main.logs[*key, name] = stamped(1)

    await world.cycle()

    assert {log.source.container for log in world.home.kept.values()} == {"k6", "tracer-1"}


async def test_a_newer_cycle_keeps_an_older_one_from_writing_logs(world):
    class Slow(FakeCluster):
        async def log(self, *args, **more):
            await world.home.begin(world.now)
            return await super().log(*args, **more)

    world.clusters["main"] = Slow(world.clock)
    world.launch()
    world.main.emit("checkout", lines(0, 3))

    with pytest.raises(Conflict):
        await world.cycle()

    assert not world.home.kept
