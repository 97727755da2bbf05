"""testit-js-commons and testcafe-reporter-testit from npm: workers side by side, one closed run.

The reporter is called as TestCafe calls it; files are run as the Jest adapter runs them. The first
worker is the master and waits for completion at its end, the others look whether a result is
shown in progress before they load theirs.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from tests.clients.launched import launchable, log_of
from tests.clients.outcome import (
    PATIENCE,
    assert_closed_once_after_the_last_result,
    assert_held_results_became_final,
    closed,
    entries,
)
from tests.clients.programs import Program
from tests.support.ports import own_port
from tests.support.waiting import until

pytestmark = [pytest.mark.clients, pytest.mark.timeout(240)]  # the first one makes an environment


@pytest.fixture
def node(stack, node_modules, tmp_path):
    """Run scripts side by side, one worker each, and give how they ended.

    None begins before all of them have registered: a result of a worker that is early would close
    the run for the others. Nor does any end before the one has registered that they meet later.
    """

    def run(script, *workers, pace="100", meets="", **settings):
        together = ",".join(workers)

        def start(worker):
            program = Program(stack, "js", ["node", script, worker, pace, together, meets])
            mode = {"adapter_mode": "1", **settings}
            return program.run(tmp_path / worker, node_modules, **mode)

        with ThreadPoolExecutor(len(workers)) as threads:
            return list(threads.map(start, workers))

    return run


@pytest.mark.parametrize("script", ["testcafe.js", "file.js"])
def test_one_worker_waits_until_its_result_is_final(stack, node, script):
    run_id = stack.new_run()

    (ended,) = node(script, "a", test_run_id=run_id)

    assert_content(ended)
    assert stack.run_state(run_id)["state"] == "Completed"  # it has waited for that
    assert_all_is_well(stack, run_id, "a", held=1)


@pytest.mark.parametrize("script", ["testcafe.js", "file.js"])
def test_workers_side_by_side_close_their_run_once(stack, node, script):
    run_id = stack.new_run()

    ended = node(script, "a", "b", "c", test_run_id=run_id)

    for each in ended:
        assert_content(each)
    assert_all_is_well(stack, run_id, "a", "b", "c", held=3)


def test_a_run_that_the_adapter_makes_closes_once(stack, node, tmp_path):
    name = str(tmp_path)

    (ended,) = node("file.js", "a", adapter_mode="2", test_run_name=name)

    assert_content(ended)
    runs = stack.call("GET", f"{stack.sandbox}/__sandbox__/state")["runs"]
    (run,) = [run for run in runs if run["name"] == name]
    assert_all_is_well(stack, run["id"], "a", held=1)


def test_a_worker_that_comes_later_is_no_master_and_sees_the_result_in_progress(stack, node):
    run_id = stack.new_run()

    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(node, "file.js", "a", pace="1200", meets="b", test_run_id=run_id)
        looks = published(stack, run_id)
        (second,) = node("file.js", "b", test_run_id=run_id)
    (first,) = first.result()

    assert_content(first)
    assert_content(second)
    assert_all_is_well(stack, run_id, "a", "b", held=1)
    seen_at_its_first_look = ["/in_progress_published"] * (looks + 1)
    assert asked(stack, run_id, "_published") == seen_at_its_first_look
    assert [entry["external_id"] for entry in entries(stack, run_id)] == ["a-open"]


def test_a_master_that_ends_first_waits_in_vain_and_does_not_force(stack, node):
    run_id = stack.new_run()

    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(node, "file.js", "a", meets="b", test_run_id=run_id)
        published(stack, run_id)
        (second,) = node("file.js", "b", pace="4500", test_run_id=run_id)
    (first,) = first.result()

    assert_content(first)
    assert_content(second)
    assert_all_is_well(stack, run_id, "a", "b", held=1)
    assert asked(stack, run_id, "-completion") == ["/wait-completion"]


def test_a_cut_whose_answers_were_lost_is_repeated_and_its_result_final_once(stack):
    """JavaScript and Java repeat a cut; a second worker is told nothing else than the first."""
    run_id = stack.new_run("shop-open")
    stack.hold(run_id, "shop-open")

    for _ in range(2):
        stack.storage(
            f"/in_progress_test_result?testRunId={run_id}",
            autoTestExternalId="shop-open",
            statusCode="Passed",
            statusType="Succeeded",
        )
    stack.complete(run_id)

    run = closed(stack, run_id)
    (result,) = run["results"]
    assert (result["status"], result["finalised"]) == ("Succeeded", 1)
    assert {entry["state"] for entry in entries(stack, run_id)} == {"delivered"}
    assert_closed_once_after_the_last_result(run)


def test_node_ends_though_it_has_started_our_executable_itself(stack, node_modules, tmp_path):
    run_id = stack.new_run()

    with launchable(tmp_path):
        ended = Program(stack, "js", ["node", "file.js", "a"]).run(
            tmp_path,
            node_modules,
            adapter_mode="1",
            test_run_id=run_id,
            sync_storage_port=str(own_port()),
        )
        run = stack.closed(run_id)

    assert_content(ended)
    assert f"asked for by run {run_id}" in log_of(tmp_path)
    assert_closed_once_after_the_last_result(run)
    assert [each["to"] for each in row(run, "a-open")["history"]] == ["InProgress", "Succeeded"]


def published(stack, run_id):
    """Wait until Test IT shows a result in progress, and give how often we were asked for one."""
    looks = count(1)
    seen = until(lambda: next(looks) * stack.is_published(run_id), "a result is held", PATIENCE)
    until(lambda: stack.run_state(run_id)["results"], "Test IT shows it", PATIENCE)
    return seen


def asked(stack, run_id, what):
    """Give the paths with this end that were asked about a run, by Sync Storage's log."""
    lines = (stack.folder / "up.log").read_text().splitlines()
    requests = [json.loads(line.partition("|")[2]) for line in lines if run_id in line]
    paths = [each.get("path", "") for each in requests]
    return [path for path in paths if path.endswith(what)]


def assert_content(ended):
    """It ended by itself, and complained neither of Sync Storage nor of Test IT."""
    assert ended.exit_code == 0, ended.output
    assert "failed" not in ended.output.lower(), ended.output


def assert_all_is_well(stack, run_id, *workers, held):
    run = closed(stack, run_id)
    assert sorted((each["external_id"], each["status"]) for each in run["results"]) == sorted(
        (f"{worker}-{test}", status)
        for worker in workers
        for test, status in (("open", "Succeeded"), ("refund", "Failed"), ("close", "Succeeded"))
    )
    assert {each["finalised"] for each in run["results"]} == {1}
    assert_closed_once_after_the_last_result(run)
    assert_held_results_became_final(stack, run, at_most=held)


def row(run, external_id):
    (found,) = [each for each in run["results"] if each["external_id"] == external_id]
    return found
