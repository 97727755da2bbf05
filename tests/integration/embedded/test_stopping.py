"""Whatever happens to `up`, nothing of it is left running."""

import re
import signal
import time

import pytest

from tests.support.ports import own_port
from tests.support.waiting import until

LEAVES = re.compile(r"(\w+) leaves on SIG(\w+)")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_and_is_no_failure(start_up, all_gone, number):
    up = start_up()
    pids = up.pids()

    up.signal(number)

    assert up.code() == 0
    all_gone(pids)


def test_processes_stop_in_an_order_that_lets_each_finish_its_work(start_up):
    up = start_up(STUB_SANDBOX=str(own_port()))
    up.ready()

    up.signal(signal.SIGTERM)

    assert up.code() == 0
    left = [name for name, _ in LEAVES.findall(up.said())]
    assert set(left[:2]) == {"gateway", "beat"}
    assert left[2:] == ["worker", "flower", "sandbox"]
    assert up.said().index("sandbox leaves") < up.said().index("ready to exit")  # Valkey's words


@pytest.mark.alone
def test_all_are_gone_within_ten_seconds_though_none_of_them_wants_to(start_up, all_gone):
    up = start_up(STUB_IGNORES_SIGNALS="gateway,beat,worker,flower")
    pids = up.pids()
    began = time.monotonic()

    up.signal(signal.SIGTERM)

    assert up.code() == 0
    assert time.monotonic() - began < 10
    all_gone(pids)
    assert ("worker", "QUIT") in LEAVES.findall(up.said())


@pytest.mark.alone
def test_a_second_signal_stops_now(start_up, all_gone):
    up = start_up(STUB_IGNORES_SIGNALS="gateway,beat,worker,flower")
    pids = up.pids()
    up.signal(signal.SIGTERM)
    up.err.wait_for("gateway leaves on SIGTERM")
    began = time.monotonic()

    up.signal(signal.SIGTERM)

    assert up.code() == 0
    assert time.monotonic() - began < 2
    all_gone(pids)


def test_a_signal_before_everything_is_ready_stops_too(start_up):
    up = start_up(STUB_FAILS="worker")
    up.err.wait_for("worker exited with code 1")

    up.signal(signal.SIGINT)

    assert up.code() == 0
    assert up.out.lines == []


def test_kill_9_of_up_leaves_no_orphan(start_up, all_gone):
    up = start_up(STUB_SANDBOX=str(own_port()), STUB_IGNORES_SIGNALS="worker")
    pids = up.pids()

    up.signal(signal.SIGKILL)

    all_gone(pids)


def test_after_kill_9_the_next_up_starts_at_once(start_up):
    killed = start_up()
    killed.ready()
    killed.signal(signal.SIGKILL)
    killed.process.wait()  # one that nobody has waited for counts as alive

    following = start_up()

    assert following.pids()["valkey"]


def test_a_reader_that_stands_still_cannot_keep_up_from_stopping(start_up, all_gone):
    up = start_up(STUB_CHATTERS="gateway", unread=True)
    pids = up.pids()
    until(up.is_stuck, "the pipe is full")

    up.signal(signal.SIGTERM)

    assert up.code() == 0
    all_gone(pids)
