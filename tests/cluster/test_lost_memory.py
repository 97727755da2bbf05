"""Redis holds what is about now: when it forgets, a run takes longer and loses nothing."""

import pytest

from tests.support.stack import Stack, assert_closed_once

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


def test_a_worker_that_reports_after_the_loss_is_known_again_and_ends_its_run(stack):
    reporting, silent = (stack.new_run("held", "other") for _ in range(2))
    for run_id in (reporting, silent):
        stack.hold(run_id, "held")

    forget(stack)
    stack.beat(reporting)

    stack.closed(silent)  # its worker was waited for no longer than the idle limit
    assert stack.run_state(reporting)["state"] == "InProgress"
    stack.post_result(reporting, "other", "Succeeded")
    stack.complete(reporting)
    assert_closed_once(stack.closed(reporting), "held")


def test_a_run_whose_workers_stay_silent_after_the_loss_ends_after_the_idle_limit(stack):
    run_id = stack.new_run("held")
    stack.hold(run_id, "held")
    stack.beat(run_id)  # with its roster, it would be waited for two minutes

    forget(stack)

    assert_closed_once(stack.closed(run_id, within=30), "held")


def forget(stack: Stack) -> None:
    with stack.redis() as redis:
        redis.flushall()
