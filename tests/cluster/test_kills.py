"""Whatever is killed between the cut and the end, the result becomes final exactly once."""

from signal import SIGKILL, SIGTERM

import pytest

from tests.support.stack import assert_closed_once
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

VICTIMS = [
    pytest.param("gateway", SIGKILL, id="gateway"),
    pytest.param("worker", SIGKILL, id="task worker"),
    pytest.param("beat", SIGKILL, id="beat"),
    pytest.param("valkey", SIGKILL, id="Valkey"),
    pytest.param("valkey", SIGTERM, id="Valkey is restarted"),
]


@pytest.mark.parametrize(("victim", "how"), VICTIMS)
def test_a_process_killed_after_the_cut_costs_time_and_no_result(stack, victim, how):
    run_id = stack.new_run("held", "other")
    stack.hold(run_id, "held")
    stack.beat(run_id)

    stack.kill(victim, how)
    until(stack.is_ready, "the gateway is ready again", 60)
    stack.post_result(run_id, "other", "Succeeded")
    stack.complete(run_id)

    assert_closed_once(stack.closed(run_id), "held")


def test_a_task_worker_killed_while_it_delivers_repeats_without_finalising_twice(stack):
    written, unwritten = (stack.new_run("held") for _ in range(2))
    for run_id in (written, unwritten):
        stack.hold(run_id, "held")
    faults = [
        {"kind": "timeout_after_store", "seconds": 30, **put_to_held(stack, written)},
        {"kind": "hang", "seconds": 30, **put_to_held(stack, unwritten)},
    ]

    with stack.misbehaving(*faults):
        for run_id in (written, unwritten):
            stack.complete(run_id)
        until(lambda: min(stack.strikes()) >= 1, "both are being delivered")
        stack.kill("worker")

    assert_closed_once(stack.closed(written), "held")
    assert_closed_once(stack.closed(unwritten), "held")


def put_to_held(stack, run_id: str) -> dict[str, str]:
    """Mean the one call that makes the held result of a run final."""
    (held,) = stack.run_state(run_id)["results"]
    return {"method": "PUT", "pattern": f"/testResults/{held['id']}$"}
