"""Redis holds what is about now: when it forgets, a run takes longer and loses nothing."""

from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, assert_closed_once, running_stack

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def impatient_stack(tmp_path_factory) -> Iterator[Stack]:
    """Run a stack that counts a silent worker as gone after three seconds."""
    folder = tmp_path_factory.mktemp("impatient")
    settings = {"quiet_period": "1s", "testit_timeout": "2s", "idle_limit": "3s"}
    with running_stack(folder, **settings) as started:
        yield started


def test_a_worker_that_reports_after_the_loss_is_known_again_and_ends_its_run(impatient_stack):
    stack = impatient_stack
    reporting, silent = (stack.new_run("held", "other") for _ in range(2))
    for run_id in (reporting, silent):
        stack.hold(run_id, "held")

    forget(stack)
    stack.storage("/keep_alive", pid="worker-1-1", testRunId=reporting)

    stack.closed(silent)  # its worker was waited for no longer than the idle limit
    assert stack.run_state(reporting)["state"] == "InProgress"
    stack.post_result(reporting, "other", "Succeeded")
    stack.complete(reporting)
    assert_closed_once(stack.closed(reporting), "held")


def test_a_run_whose_workers_stay_silent_after_the_loss_ends_after_the_idle_limit(impatient_stack):
    stack = impatient_stack
    run_id = stack.new_run("held")
    stack.hold(run_id, "held")

    forget(stack)

    assert_closed_once(stack.closed(run_id, within=30), "held")


def forget(stack: Stack) -> None:
    with stack.redis() as redis:
        redis.flushall()
