import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from syncsvc.errors import Unavailable
from syncsvc.loadtests.clusters import Forbidden
from syncsvc.loadtests.hearing import Room
from syncsvc.loadtests.model import LogsState, Phase, Reason, Result
from syncsvc.loadtests.seen import (
    ContainerKind,
    ContainerSeen,
    ContainerState,
    PodSeen,
    Role,
    Stage,
)
from tests.support.builders import MINUTE, NOON, SECOND
from tests.support.clusters import a_test_run, stamped
from tests.support.virtual_time import settle
from tests.support.witnessing import WitnessWorld


@pytest.fixture
async def world():
    world = WitnessWorld()
    yield world
    await world.polling.close()


def lines(first: int, last: int, step: int = 1) -> bytes:
    return b"".join(stamped(number * step) for number in range(first, last))


async def is_witnessed(world: WitnessWorld, runners: int = 1) -> None:
    world.launch(runners=runners, cleans_up=True)
    await world.poll()


async def ends_and_is_removed(world: WitnessWorld, *codes: int) -> None:
    """Let a run end and be cleaned up before any list shows it."""
    world.main.lists_wait = asyncio.Event()
    world.main.end("checkout", *codes)
    await settle()
    world.main.remove("checkout")
    await settle()
    world.main.lists_wait.set()


async def test_a_run_that_is_removed_at_its_end_keeps_its_result_and_its_whole_logs(world):
    await is_witnessed(world, runners=2)
    world.main.emit("checkout", lines(0, 30))
    world.main.emit("checkout", lines(0, 20), index=2)

    await ends_and_is_removed(world, 0, 0)
    step = await world.is_settled()

    assert (step.phase, step.result, step.logs) == (
        Phase.FINISHED,
        Result.SUCCEEDED,
        LogsState.COMPLETE,
    )
    assert world.text_of() == lines(0, 30)
    assert world.text_of(index=2) == lines(0, 20)


async def test_it_fails_with_the_runner_that_crossed_a_threshold(world):
    await is_witnessed(world, runners=3)

    await ends_and_is_removed(world, 0, 99, 0)
    step = await world.is_settled()

    assert (step.result, step.reason) == (Result.FAILED, Reason.THRESHOLDS)
    assert "runner 2 of 3" in step.detail


async def test_what_cycles_have_kept_is_gone_on_with(world):
    await is_witnessed(world)
    world.main.emit("checkout", lines(0, 30))
    await world.passes()
    world.main.emit("checkout", lines(30, 40))

    await ends_and_is_removed(world, 0)
    await world.is_settled()

    assert world.log_of().state is LogsState.COMPLETE
    assert world.text_of() == lines(0, 40)


async def test_a_killed_witness_leaves_a_loss_that_is_stated_and_no_success(world):
    await is_witnessed(world)
    world.main.emit("checkout", lines(0, 30))
    await world.is_killed()
    await ends_and_is_removed(world, 0)

    step = await world.is_settled()

    assert (step.phase, step.result, step.reason) == (Phase.GONE, Result.UNKNOWN, Reason.UNKNOWN)
    assert (step.logs, world.log_of().state) == (LogsState.LOST, LogsState.LOST)
    assert "the pod is gone" in step.logs_detail


async def test_a_run_that_lives_between_two_cycles_is_seen_when_it_was_registered_before(world):
    world.step("checkout")
    await world.poll()
    world.main.launch("checkout", cleans_up=True)
    world.main.emit("checkout", lines(0, 9))
    await world.passes(2 * SECOND)

    await ends_and_is_removed(world, 0)
    await world.is_settled()

    assert (world.of().result, world.of().logs) == (Result.SUCCEEDED, LogsState.COMPLETE)
    assert world.text_of() == lines(0, 9)


async def test_a_run_that_no_list_has_ever_shown_is_seen_all_the_same(world):
    world.step("checkout")
    await world.poll()
    world.main.lists_wait = asyncio.Event()
    world.main.launch("checkout", cleans_up=True)
    world.main.emit("checkout", lines(0, 9))
    await settle()
    world.main.end("checkout", 99)
    await settle()
    world.main.remove("checkout")
    await settle()
    world.main.lists_wait.set()

    step = await world.is_settled()

    assert (step.uid, step.reason, step.logs) == (
        "uid-checkout",
        Reason.THRESHOLDS,
        LogsState.COMPLETE,
    )
    assert world.text_of() == lines(0, 9)


@pytest.mark.parametrize("is_listed", [True, False])
async def test_a_run_that_fails_without_a_pod_is_seen_before_it_is_removed(world, is_listed):
    world.step("checkout")
    await world.poll()
    if not is_listed:
        world.main.lists_wait = asyncio.Event()
    made = a_test_run("checkout", "load", stage=Stage.INITIALIZATION, cleans_up=True)
    for run in (made, replace(made, stage=Stage.ERROR)):
        world.main.put_run(run)
        await settle()
    world.main.remove("checkout")
    await settle()
    if world.main.lists_wait is not None:
        world.main.lists_wait.set()

    step = await world.is_settled()

    assert (step.phase, step.reason) == (Phase.ERROR, Reason.INIT_FAILED)


async def test_a_run_that_is_made_is_looked_at_at_once(world):
    world.step("checkout")
    await world.poll()

    world.main.put_run(a_test_run("checkout", "load", stage=None))
    await world.passes(2 * SECOND)

    assert world.of().uid == "uid-checkout"
    assert world.main.streams == 0  # nothing of it may be lost


async def test_streams_that_break_off_leave_no_gap_and_no_line_twice(world):
    await is_witnessed(world)
    for part in range(6):
        world.main.emit("checkout", lines(part * 10, part * 10 + 10, step=97))
        await settle()
        world.main.hang_up(Unavailable("the connection broke"))
        world.main.emit("checkout", stamped(part * 970 + 971, "while nobody listened"))
        await world.passes(11 * SECOND if part == 3 else SECOND)
    emitted = world.main.logs["load", "checkout-1-x", "k6"]

    await ends_and_is_removed(world, 0)
    await world.is_settled()

    assert world.log_of().state is LogsState.COMPLETE
    assert world.text_of() == emitted


async def test_a_log_that_broke_off_for_good_is_lost_and_the_verdict_is_not(world):
    await is_witnessed(world)
    world.main.emit("checkout", lines(0, 30))
    await settle()
    world.main.hang_up(Unavailable("the connection broke"))
    await ends_and_is_removed(world, 99)

    step = await world.is_settled()

    assert (step.result, step.reason, step.logs) == (
        Result.FAILED,
        Reason.THRESHOLDS,
        LogsState.LOST,
    )
    assert "not to its end" in step.logs_detail


async def test_a_watch_goes_on_after_it_was_forgotten_or_away(world):
    await is_witnessed(world, runners=2)
    world.main.down = Unavailable("the API server is away")
    world.main.hang_up(world.main.down)
    await world.passes(MINUTE)
    world.main.down = None
    await world.passes(15 * SECOND)
    world.main.emit("checkout", lines(0, 5), index=2)

    await ends_and_is_removed(world, 0, 108)
    await world.is_settled()

    assert (world.of().reason, world.of().logs) == (Reason.ABORTED_BY_SCRIPT, LogsState.COMPLETE)
    assert world.text_of(index=2) == lines(0, 5)


async def test_a_cluster_that_is_away_harms_no_other(world):
    world.clusters["second"] = type(world.main)(world.clock)
    world.clusters["second"].launch("there", cleans_up=True)
    world.clusters["second"].down = Unavailable("no route")
    world.step("there", cluster="second")
    world.step("nowhere", cluster="moon")
    await is_witnessed(world)

    await ends_and_is_removed(world, 0)
    await world.is_settled()

    assert world.of().result is Result.SUCCEEDED


async def test_a_deletion_after_the_end_does_not_make_it_a_deleted_run(world):
    await is_witnessed(world)
    world.main.lists_wait = asyncio.Event()
    world.main.end("checkout", 105)
    await settle()
    ended = world.main.pods["load", "checkout-1-x"]
    world.main.put(replace(ended, deleting_at=NOON + SECOND))
    await settle()
    world.main.remove("checkout")
    await settle()
    world.main.lists_wait.set()

    step = await world.is_settled()

    assert (step.phase, step.result, step.reason) == (
        Phase.FINISHED,
        Result.CANCELLED,
        Reason.SIGNAL,
    )


async def test_a_runner_that_is_deleted_while_it_runs_leaves_what_was_heard_of_it(world):
    await is_witnessed(world)
    world.main.emit("checkout", lines(0, 12))
    await settle()
    world.main.remove("checkout")

    step = await world.is_settled()

    assert (step.phase, step.result) == (Phase.GONE, Result.UNKNOWN)
    assert (step.logs, world.text_of()) == (LogsState.LOST, lines(0, 12))


async def test_the_initializer_s_end_and_log_are_witnessed_too(world):
    world.launch(runners=0, cleans_up=True)
    world.main.put(an_initializer(ContainerState.RUNNING))
    world.main.logs["load", "checkout-initializer-x", "k6"] = lines(0, 3)
    await world.poll()
    world.main.put(an_initializer(ContainerState.TERMINATED, 107))
    await settle()
    world.main.remove("checkout")

    step = await world.is_settled()

    assert (step.phase, step.reason, step.logs) == (
        Phase.ERROR,
        Reason.INIT_FAILED,
        LogsState.COMPLETE,
    )


def an_initializer(state: ContainerState, code: int | None = None) -> PodSeen:
    k6 = ContainerSeen("k6", ContainerKind.MAIN, state, exit_code=code, started_at=NOON)
    name = "checkout-initializer-x"
    return PodSeen(
        "load", name, f"uid-{name}", "checkout", Role.INITIALIZER, created_at=NOON, containers=(k6,)
    )


async def test_only_what_may_be_lost_is_witnessed(world):
    world.launch()

    await world.poll()

    assert world.main.streams == 0
    assert world.job.busy_by is None


async def test_nothing_stays_open_once_all_is_kept(world):
    await is_witnessed(world, runners=4)
    assert world.main.streams == 4 + 2  # logs and watches

    await ends_and_is_removed(world, 0, 0, 0, 0)
    await world.is_settled()

    assert (world.main.streams, world.room.taken, world.room.used) == (0, 0, 0)


async def test_beyond_the_number_of_streams_the_loss_is_logged_and_stated(world):
    world.room.logs = 2
    with capture_logs() as logs:
        await is_witnessed(world, runners=3)

    await ends_and_is_removed(world, 0, 0, 0)
    await world.is_settled()

    assert [each["event"] for each in logs].count("no more logs can be followed") == 1
    assert (world.of().result, world.of().logs) == (Result.SUCCEEDED, LogsState.LOST)
    assert world.of().logs_detail.startswith("1 of 3 logs")


async def test_lines_that_had_no_room_are_a_loss_that_is_stated(world):
    world.room = Room(size=600)
    world.restart()
    await is_witnessed(world)
    world.main.emit("checkout", lines(0, 100))

    await ends_and_is_removed(world, 0)
    await world.is_settled()

    assert (world.of().result, world.of().logs) == (Result.SUCCEEDED, LogsState.LOST)
    assert "had no room" in world.of().logs_detail


async def test_much_that_is_unread_is_read_at_once_and_forgotten(world):
    world.room = Room(small=1000)
    world.restart()
    await is_witnessed(world)
    text = b"".join(stamped(number * 20, "x" * 1000) for number in range(1100))
    world.main.emit("checkout", text)

    await world.passes(3 * SECOND)
    used = world.room.used
    world.main.emit("checkout", stamped(90_000))
    await ends_and_is_removed(world, 0)
    await world.is_settled()

    assert world.home.fence >= 2
    assert used < len(text) / 5
    assert world.log_of().state is LogsState.COMPLETE
    assert world.text_of() == text + stamped(90_000)


async def test_without_the_right_to_watch_cycles_go_on_as_ever(world):
    await is_witnessed(world)
    world.main.errors["load"] = Forbidden("watch pods in namespace 'load' refused")
    world.main.hang_up(Unavailable("the connection broke"))
    await world.passes(MINUTE)
    del world.main.errors["load"]
    world.main.end("checkout", 0)

    await world.passes(MINUTE)

    assert (world.of().result, world.of().logs) == (Result.SUCCEEDED, LogsState.COMPLETE)
