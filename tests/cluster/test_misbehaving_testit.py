"""However Test IT misbehaves, results get there: by themselves, or once a person has looked."""

import json
from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, assert_closed_once
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

PASSING = [
    pytest.param({"kind": "status", "code": 503, "every": 2}, id="503 to every second call"),
    pytest.param({"kind": "hang", "seconds": 30, "times": 1}, id="hangs once"),
    pytest.param({"kind": "hang", "seconds": 30, "times": 2}, id="hangs for a while"),
    pytest.param({"kind": "reset", "every": 2}, id="resets every second connection"),
    pytest.param({"kind": "reset", "times": 4}, id="resets connections for a while"),
]


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
    results = f"{stack.api}/api/v1/results"
    stack.call("POST", f"{results}/retry")
    pending = {"state": "pending"}
    until(
        lambda: not stack.call("GET", results, params=pending)["results"],
        "what was dead is delivered",
        60,
    )


def test_a_refused_token_parks_the_result_with_its_reason(stack_without_dead):
    stack = stack_without_dead

    (run_id,) = dead_runs(stack, 1)

    (listed,) = json.loads(stack.cli("results", "list", "--dead", "--run", run_id, "--json").stdout)
    shown = " ".join(stack.cli("results", "list", "--dead", "--run", run_id).stdout.split())
    assert (listed["external_id"], listed["state"]) == ("held", "dead")
    assert "Test IT answered 401" in listed["reason"]
    assert "syncsvc results retry" in listed["reason"]
    assert "dead" in shown
    assert "401" in shown


def test_a_dead_result_is_repaired_by_its_id_once_the_reason_is_gone(stack):
    (run_id,) = dead_runs(stack, 1)
    page = stack.call("GET", f"{stack.api}/api/v1/results", params={"run": run_id})
    (dead,) = page["results"]

    retried = stack.cli("results", "retry", dead["id"])

    assert retried.returncode == 0, retried.stderr
    assert_closed_once(stack.closed(run_id), "held")


def test_all_dead_results_are_repaired_at_once(stack):
    run_ids = dead_runs(stack, 2)

    retried = stack.cli("results", "retry", "--all", "--json")

    assert json.loads(retried.stdout) == {"retried": 2}, retried.stderr
    for run_id in run_ids:
        assert_closed_once(stack.closed(run_id), "held")


def dead_runs(stack, count: int) -> list[str]:
    """Play runs whose held result Test IT refuses, for want of a token that it takes."""
    run_ids = [stack.new_run("held") for _ in range(count)]
    for run_id in run_ids:
        stack.hold(run_id, "held")
    with stack.misbehaving({"kind": "status", "code": 401}):
        for run_id in run_ids:
            stack.complete(run_id)
        for run_id in run_ids:
            until(lambda run_id=run_id: says_dead(stack, run_id), "the result is dead", 60)
    return run_ids


def says_dead(stack, run_id: str) -> bool:
    return "could not be finalised" in stack.wait_completion(run_id)["message"]
