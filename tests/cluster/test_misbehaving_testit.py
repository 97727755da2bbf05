"""However Test IT misbehaves, results get there: by themselves, or once a person has looked."""

import json
from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, assert_closed_once
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

PASSING = [
    pytest.param({"kind": "status", "code": 503, "every": 2}, id="503 to every second call"),
    pytest.param({"kind": "hang", "seconds": 30, "times": 1}, id="hangs once"),
    pytest.param({"kind": "hang", "seconds": 30, "times": 3}, id="hangs for a while"),
    pytest.param({"kind": "reset", "every": 2}, id="resets every second connection"),
    pytest.param({"kind": "reset", "times": 6}, id="resets connections for a while"),
]
REFUSES = {"kind": "status", "code": 401}


@pytest.mark.parametrize("fault", PASSING)
def test_a_result_gets_there_though_test_it_misbehaves(stack, fault):
    run_id = stack.new_run("held", "other")
    stack.hold(run_id, "held")
    stack.post_result(run_id, "other", "Succeeded")

    with stack.misbehaving(fault):
        stack.complete(run_id)
        run = stack.closed(run_id)
        struck = stack.strikes()[0]

    assert struck >= 1
    assert_closed_once(run, "held")


@pytest.fixture
def stack_without_dead(stack) -> Iterator[Stack]:
    yield stack
    stack.call("POST", f"{stack.api}/api/v1/results/retry")


def test_a_refused_token_parks_the_result_with_its_reason(stack_without_dead):
    stack = stack_without_dead

    with stack.misbehaving(REFUSES):
        run_id = dead_run(stack)
        shown = stack.cli("results", "list", "--dead", "--run", run_id)
        (listed,) = json.loads(
            stack.cli("results", "list", "--dead", "--run", run_id, "--json").stdout
        )

    assert "Test IT answered 401" in listed["reason"]
    assert "syncsvc results retry" in listed["reason"]
    assert listed["external_id"] == "held"
    assert "held" in shown.stdout
    assert "dead" in shown.stdout


def test_a_dead_result_is_repaired_by_its_id_once_the_reason_is_gone(stack):
    with stack.misbehaving(REFUSES):
        run_id = dead_run(stack)
    (dead,) = json.loads(stack.cli("results", "list", "--dead", "--run", run_id, "--json").stdout)

    retried = stack.cli("results", "retry", dead["id"])

    assert retried.returncode == 0, retried.stderr
    assert_closed_once(stack.closed(run_id), "held")


def test_all_dead_results_are_repaired_at_once(stack):
    with stack.misbehaving(REFUSES):
        run_ids = [dead_run(stack), dead_run(stack)]

    retried = stack.cli("results", "retry", "--all", "--json")

    assert json.loads(retried.stdout) == {"retried": 2}, retried.stderr
    for run_id in run_ids:
        assert_closed_once(stack.closed(run_id), "held")


def dead_run(stack) -> str:
    """Play a run whose held result cannot be delivered."""
    run_id = stack.new_run("held")
    stack.hold(run_id, "held")
    stack.complete(run_id)
    until(lambda: "could not be" in stack.wait_completion(run_id)["message"], "the result is dead")
    return run_id
