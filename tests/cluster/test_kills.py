"""Whatever is killed between the cut and the end, the result becomes final exactly once."""

import signal

import pytest

from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]


def final_steps(run: dict) -> list[str]:
    """Give each step of the held result that made it final."""
    (held,) = [result for result in run["results"] if result["external_id"] == "held"]
    return [step["to"] for step in held["history"] if step["to"] == "Succeeded"]


@pytest.mark.parametrize("victim", ["gateway", "worker", "beat", "valkey"])
def test_a_process_killed_after_the_cut_costs_time_and_no_result(stack, victim):
    run_id = stack.new_run("held", "other")
    stack.hold(run_id, "held")

    stack.kill(victim)
    until(lambda: _is_ready(stack), "the gateway is ready again")
    stack.post_result(run_id, "other", "Succeeded")
    stack.complete(run_id)

    run = until(lambda: _completed(stack, run_id), "the run closes", within=90)
    assert final_steps(run) == ["Succeeded"]


def _is_ready(stack) -> bool:
    try:
        return stack.http.get(f"{stack.api}/ready").is_success
    except OSError:
        return False
    except Exception:
        return False


def _completed(stack, run_id):
    run = stack.run_state(run_id)
    return run if run["state"] == "Completed" else None
