"""Published adapters for behave, Robot Framework and nose2, and older ones for pytest.

The result that was handed over becomes final once, after the last upload, and the run closes by
itself, once. Older pytest adapters show nothing in progress: their first result is final at once.
"""

import pytest

from tests.clients.outcome import (
    assert_closed_once_after_the_last_result,
    assert_held_results_became_final,
    closed,
    entries,
)
from tests.clients.programs import BEHAVE, NOSE, ROBOT, Program, older_pytest

pytestmark = [pytest.mark.clients, pytest.mark.timeout(240)]  # the first one makes an environment

ROWS = [("shop-close", "Succeeded"), ("shop-open", "Succeeded"), ("shop-refund", "Failed")]
FRAMEWORKS = [BEHAVE, ROBOT, NOSE]
OLDER = [older_pytest("4.2.8"), older_pytest("5.1.4")]


@pytest.fixture
def run_suite(stack, python_of, tmp_path):
    """Run a framework's suite with TMS_ settings and give how it ended."""

    def run(framework, **settings):
        command = [python_of(framework), *framework.arguments]
        return Program(stack, framework.suite, command).run(tmp_path, **settings)

    return run


@pytest.mark.parametrize("realtime", ["false", "true"], ids=["bulk", "realtime"])
@pytest.mark.parametrize("framework", FRAMEWORKS, ids=str)
def test_a_run_that_was_there_closes_once_after_its_last_result(
    stack, run_suite, framework, realtime
):
    run_id = stack.new_run()

    ended = run_suite(framework, adapter_mode="1", test_run_id=run_id, import_realtime=realtime)

    assert ended.exit_code == 1, ended.output
    assert_all_is_well(stack, closed(stack, run_id))


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=str)
def test_a_run_that_the_adapter_makes_closes_once_after_its_last_result(
    stack, run_suite, tmp_path, framework
):
    ended = run_suite(framework, adapter_mode="2", test_run_name=str(tmp_path))

    assert ended.exit_code == 1, ended.output
    runs = stack.call("GET", f"{stack.sandbox}/__sandbox__/state")["runs"]
    (run,) = [run for run in runs if run["name"] == str(tmp_path)]
    assert_all_is_well(stack, closed(stack, run["id"]))


@pytest.mark.parametrize("framework", OLDER, ids=str)
def test_an_older_pytest_adapter_leaves_nothing_in_progress(stack, run_suite, framework):
    run_id = stack.new_run()

    ended = run_suite(framework, adapter_mode="1", test_run_id=run_id)

    assert ended.exit_code == 1, ended.output
    run = closed(stack, run_id)
    assert rows(run) == ROWS
    assert {entry["state"] for entry in entries(stack, run_id)} == {"delivered"}


def assert_all_is_well(stack, run):
    assert rows(run) == ROWS
    assert {result["finalised"] for result in run["results"]} == {1}
    assert_closed_once_after_the_last_result(run)
    assert_held_results_became_final(stack, run, at_most=1)


def rows(run):
    return sorted((result["external_id"], result["status"]) for result in run["results"])
