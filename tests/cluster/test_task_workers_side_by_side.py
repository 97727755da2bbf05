"""Several task workers drain one outbox, and no result is finalised by two of them."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from signal import SIGTERM

import pytest

from tests.support.stack import Stack, assert_closed_once, running_stack
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

RUNS = 12
HELD = tuple(f"held-{number}" for number in range(4))
SLOW = 0.02  # seconds that each call of Test IT takes, so that there is a middle


@pytest.fixture(scope="module")
def stack_of_two(tmp_path_factory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("two")
    with running_stack(folder, "--workers", "2", quiet_period="500ms") as started:
        yield started


def test_many_runs_finish_at_once_while_a_task_worker_restarts(stack_of_two):
    stack = stack_of_two
    with ThreadPoolExecutor(4) as agents:
        run_ids = list(agents.map(lambda _: run_that_holds(stack), range(RUNS)))

        with stack.misbehaving(refusing(stack, run_ids[::2]), latency=SLOW):
            list(agents.map(stack.complete, run_ids))
            until(lambda: final_results(stack, run_ids) > 0, "some are final")
            stack.kill("worker-1", SIGTERM)
            assert final_results(stack, run_ids) < RUNS * len(HELD)

    for run_id in run_ids:
        assert_closed_once(stack.closed(run_id), *HELD)
    counts = {state: len(listed(stack, state)) for state in ("held", "pending", "dead")}
    assert counts == {"held": 0, "pending": 0, "dead": 0}


def run_that_holds(stack: Stack) -> str:
    run_id = stack.new_run(*HELD)
    for test in HELD:
        stack.hold(run_id, test)
    return run_id


def refusing(stack: Stack, run_ids: list[str]) -> dict:
    """Let no result of some runs become final, so that there is a middle for as long as needed."""
    held = [result["id"] for run_id in run_ids for result in stack.run_state(run_id)["results"]]
    pattern = f"/testResults/({'|'.join(held)})$"
    return {"kind": "status", "code": 503, "method": "PUT", "pattern": pattern}


def final_results(stack: Stack, run_ids: list[str]) -> int:
    tallies = [stack.run_state(run_id)["tally"] for run_id in run_ids]
    return sum(tally.get("Succeeded", 0) for tally in tallies)


def listed(stack: Stack, state: str) -> list[dict]:
    found = stack.cli("results", "list", "--state", state, "--json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)
