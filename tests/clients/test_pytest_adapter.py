"""The published testit-adapter-pytest, unmodified: its run closes once, after the last result.

xdist's controller registers first and runs no test; a result is held all the same, because the
master gives way until it begins.
"""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.clients.outcome import (
    PATIENCE,
    assert_closed_once_after_the_last_result,
    assert_content,
    assert_held_results_became_final,
    assert_nothing_is_lost,
    closed,
    entries,
)
from tests.support.waiting import until

pytestmark = [pytest.mark.clients, pytest.mark.timeout(240)]  # the first one makes an environment

SINGLE: list[str] = []
XDIST = ["-n", "2"]
BULK = "--tmsImportRealtime=false"
REALTIME = "--tmsImportRealtime=true"


@pytest.mark.parametrize("processes", [SINGLE, XDIST], ids=["single", "xdist"])
@pytest.mark.parametrize("upload", [BULK, REALTIME], ids=["bulk", "realtime"])
class TestARunClosesOnceAfterItsLastResult:
    def test_when_the_run_was_there_before(self, adapter, stack, tmp_path, processes, upload):
        run_id = stack.new_run()

        session = adapter.run(
            stack, tmp_path, upload, *processes, adapter_mode="1", test_run_id=run_id
        )

        assert_content(session)
        assert_all_is_well(stack, closed(stack, run_id), processes)

    def test_when_the_adapter_creates_the_run(self, adapter, stack, tmp_path, processes, upload):
        name = str(tmp_path)

        session = adapter.run(
            stack, tmp_path, upload, *processes, adapter_mode="2", test_run_name=name
        )

        (run,) = [run for run in all_runs(stack) if run["name"] == name]
        assert_content(session)
        assert_all_is_well(stack, closed(stack, run["id"]), processes)


def test_a_worker_that_goes_on_alone_keeps_the_run_open(adapter, stack, tmp_path):
    run_id = stack.new_run()

    session = adapter.run(
        stack, tmp_path, BULK, *XDIST, last_test_seconds=5, adapter_mode="1", test_run_id=run_id
    )

    assert_content(session)
    assert_all_is_well(stack, closed(stack, run_id), XDIST)


def test_an_upload_that_takes_longer_than_the_quiet_period_is_waited_for(adapter, stack, tmp_path):
    run_id = stack.new_run()

    with slow_test_it(stack, latency=0.1):
        session = adapter.run(stack, tmp_path, BULK, adapter_mode="1", test_run_id=run_id)
        run = closed(stack, run_id)

    assert session.teardown_seconds > 2
    assert_content(session)
    assert_all_is_well(stack, run, SINGLE)


@pytest.mark.alone
def test_an_upload_that_begins_after_the_quiet_period_is_waited_for(adapter, stack, tmp_path):
    run_id = stack.new_run()

    with slow_test_it(stack, latency=0.3):  # the adapter looks 12 autotests up before it uploads
        session = adapter.run(stack, tmp_path, BULK, adapter_mode="1", test_run_id=run_id)
        run = closed(stack, run_id)

    assert_content(session)
    assert_all_is_well(stack, run, SINGLE)


def test_a_test_it_that_refuses_the_final_status_gets_it_again(adapter, stack, tmp_path):
    run_id = stack.new_run()
    refusal = {"kind": "status", "code": 503, "method": "PUT", "pattern": "[rR]esults/", "times": 4}

    with faults(stack, {"rules": [refusal]}):
        session = adapter.run(stack, tmp_path, BULK, adapter_mode="1", test_run_id=run_id)
        run = closed(stack, run_id)

    assert [entry["attempt"] for entry in entries(stack, run_id)] == [2]
    assert_content(session)
    assert_all_is_well(stack, run, SINGLE)


def test_a_result_that_cannot_be_held_goes_the_normal_way(adapter, stack, tmp_path):
    run_id = stack.new_run()

    with ThreadPoolExecutor(1) as thread:
        with no_outbox(stack):
            session = thread.submit(
                adapter.run,
                stack,
                tmp_path,
                BULK,
                last_test_seconds=5,  # it is held, however late the outbox is back
                adapter_mode="1",
                test_run_id=run_id,
            )
            until(lambda: "Status Code: 500" in log_of(tmp_path), "a result is refused", PATIENCE)
        session = session.result()
    run = closed(stack, run_id)

    assert session.exit_code == 1
    assert "Failed to send test result to Sync Storage: Status Code: 500" in session.output
    assert "shop-open" not in [entry["external_id"] for entry in entries(stack, run_id)]
    assert_all_is_well(stack, run, SINGLE)


def assert_all_is_well(stack, run, processes):
    assert_nothing_is_lost(run)
    assert_closed_once_after_the_last_result(run)
    assert_held_results_became_final(stack, run, at_most=2 if processes else 1)


def all_runs(stack):
    return stack.call("GET", f"{stack.sandbox}/__sandbox__/state")["runs"]


def log_of(folder):
    log = folder / "adapter.log"
    return log.read_text() if log.exists() else ""


@contextmanager
def faults(stack, plan):
    url = f"{stack.sandbox}/__sandbox__/faults"
    stack.call("PUT", url, json=plan)
    try:
        yield
    finally:
        stack.call("DELETE", url)


def slow_test_it(stack, latency):
    return faults(stack, {"latency": latency})


@contextmanager
def no_outbox(stack):
    """Take the outbox away, so that Sync Storage answers 500 to whoever hands a result over."""
    database = sqlite3.connect(stack.folder / "syncsvc.db", isolation_level=None, timeout=10)
    database.execute("ALTER TABLE outbox RENAME TO outbox_away")
    try:
        yield
    finally:
        database.execute("ALTER TABLE outbox_away RENAME TO outbox")
        database.close()
