"""Runs that a real operator has led, each as it ended there, looked at in its every frame."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from syncsvc.loadtests.model import Phase, Reason, Result
from syncsvc.loadtests.seen import ContainerState, Stage
from syncsvc.loadtests.verdict import advance
from tests.unit.loadtests.lives import ENDS, LOST, End, Life, a_container, a_pod, a_step, sight

OK, CROSSED, KILLED = ENDS[0], ENDS[1], ENDS[9]
ABORTED = End(108, Reason.ABORTED_BY_SCRIPT)


def ended(*ends: End, cleans_up: bool = False) -> Life:
    life = started(len(ends), cleans_up=cleans_up)
    for index, end in enumerate(ends, start=1):
        life.ends(index, end)
    life.finished()
    if cleans_up:
        life.deleted()
    return life


def started(runners: int, *, cleans_up: bool = False) -> Life:
    life = Life(runners, cleans_up)
    life.born()
    life.initialized()
    life.started()
    return life


def failing_at_first(exit_code: int | None) -> Life:
    life = Life()
    life.born()
    if exit_code is None:
        life.stage(Stage.ERROR)
    else:
        life.initialized(exit_code)
    return life


def without_image() -> Life:
    life = Life()
    life.born()
    life.stage(Stage.INITIALIZED)
    for index in (1, 2):
        waits = a_container(state=ContainerState.WAITING, reason="ImagePullBackOff")
        life.pods[f"{index}"] = replace(a_pod(index, waits), phase="Pending")
    life.stage(Stage.CREATED)
    return life


def never_looked_at() -> Life:
    life = Life(0)
    life.born()
    return life


def deleted_while_running() -> Life:
    life = started(2)
    life.deleted()
    return life


RUNS: dict[str, tuple[Callable[[], Life], tuple]] = {
    "ok": (lambda: ended(OK, OK), (Phase.FINISHED, Result.SUCCEEDED, None)),
    "thresholds": (
        lambda: ended(CROSSED, CROSSED),
        (Phase.FINISHED, Result.FAILED, Reason.THRESHOLDS),
    ),
    "cleanup": (lambda: ended(OK, cleans_up=True), (Phase.FINISHED, Result.SUCCEEDED, None)),
    "abort": (lambda: ended(ABORTED), (Phase.FINISHED, Result.FAILED, Reason.ABORTED_BY_SCRIPT)),
    "kill": (lambda: ended(KILLED, OK), (Phase.FINISHED, Result.FAILED, Reason.INFRA)),
    "pod deleted": (lambda: ended(LOST, OK), (Phase.FINISHED, Result.FAILED, Reason.RUNNER_LOST)),
    "image": (without_image, (Phase.STARTING, None, None)),
    "parallelism 0": (never_looked_at, (Phase.PENDING, None, None)),
    "initializer": (
        lambda: failing_at_first(1),
        (Phase.ERROR, Result.FAILED, Reason.INIT_FAILED),
    ),
    "arguments": (
        lambda: failing_at_first(None),
        (Phase.ERROR, Result.FAILED, Reason.INIT_FAILED),
    ),
    "deleted": (deleted_while_running, (Phase.GONE, Result.CANCELLED, Reason.DELETED)),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_recorded_run_gives_the_right_answer(name):
    life, expected = RUNS[name][0](), RUNS[name][1]

    step = a_step()
    for frame in [*life.frames, life.frames[-1], life.frames[-1]]:
        step = advance(step, sight(frame), frame.at)

    assert (step.phase, step.result, step.reason) == expected
