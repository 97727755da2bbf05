"""The same client in code without an event loop, with threads, forks and interruptions."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from syncsvc.client import LeaseLost, NotGranted, NotReachable, TimedOut, connect_sync
from syncsvc.errors import Rejected, Unknown
from tests.support.elsewhere import Elsewhere


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as elsewhere:
        yield elsewhere


@pytest.fixture
def run(elsewhere):
    with connect_sync(elsewhere.url, run="r1", worker="w1") as run:
        yield run


def test_calls_return_what_they_return(run):
    assert run.worker == "w1"
    assert run.counter("n").add(2) == 2
    assert run.data.put("key", [1]) > 0
    assert run.data.get("key").value == [1]


def test_errors_are_those_of_the_client(run):
    with pytest.raises(Unknown):
        run.data.get("nothing")
    with pytest.raises(TimedOut):
        run.signal("never").wait(timeout=0)


def test_blocks_are_blocks(run):
    with run.lock("database", ttl=60) as lease:
        assert lease.held
        assert lease.token > 0
        assert not lease.lost.is_set()
        with pytest.raises(NotGranted), run.lock("database", wait=0):
            pass

    assert not lease.held


def test_a_fence_is_given_as_the_view_that_it_is(run):
    with run.leader("master").campaign() as lease:
        version = run.data.put("schema", 2, fence=lease)

    assert run.data.get("schema").version == version


def test_what_goes_wrong_inside_a_block_comes_out_of_it(run):
    with pytest.raises(ZeroDivisionError), run.lock("database"):
        raise ZeroDivisionError


def test_a_lost_lease_is_told(run, elsewhere):
    def hold():
        with run.lock("database", ttl=1.5) as lease:
            elsewhere.do(elsewhere.server.leases.lose)
            lease.lost.wait()

    with pytest.raises(LeaseLost):
        hold()


def test_a_block_that_cannot_be_ended_is_not_begun(run):
    with pytest.raises(Rejected, match="cancel_when_lost"):
        run.lock("database", cancel_when_lost=True).__enter__()


def test_iterators_are_iterators(run):
    for n in range(3):
        run.topic("log").publish(n)

    assert [entry.payload for entry in run.topic("log").read(follow=False)] == [0, 1, 2]


def test_names_that_are_not_there_are_missed(run):
    with pytest.raises(AttributeError, match="_private"):
        _ = run._private
    with pytest.raises(AttributeError, match="flight"):
        _ = run.flight
    assert {"checkpoint", "lock", "data"} <= set(dir(run))


def test_threads_share_a_connection(run, elsewhere):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: run.counter("n").add(), range(40)))

    assert run.counter("n").get() == 40
    assert len(elsewhere.server.lines) == 1


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT mean what it means in a terminal, also where this runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interruption_ends_the_wait_and_leaves_the_connection(run, elsewhere):
    def interrupt():
        elsewhere.until_asked("signal.wait")
        os.kill(os.getpid(), signal.SIGINT)

    with ThreadPoolExecutor(1) as thread:
        sent = thread.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            run.signal("never").wait(timeout=60)
        sent.result()

    elsewhere.until_asked("cancel")
    assert run.counter("n").add() == 1


def test_a_call_from_a_callback_of_the_client_is_refused(run, elsewhere):
    told = []

    def on_lost():
        try:
            run.counter("n").add()
        except Rejected as error:
            told.append(str(error))

    def hold():
        with run.lock("database", ttl=1.5, on_lost=on_lost) as lease:
            elsewhere.do(elsewhere.server.leases.lose)
            lease.lost.wait()

    with pytest.raises(LeaseLost):
        hold()

    assert told == ["a blocking call: expected another thread than the client's own"]


def test_a_connection_that_cannot_be_made_leaves_no_thread():
    before = set(threading.enumerate())  # of which some may be ending

    with pytest.raises(NotReachable):
        connect_sync("ws://127.0.0.1:1", run="r1", connect_within=0.1).__enter__()

    assert set(threading.enumerate()) <= before


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of Python 3.12: it is meant
@pytest.mark.parametrize(("worker", "expected"), [("w1", "w1-{pid}"), (None, None)])
def test_a_forked_child_is_a_worker_of_its_own(elsewhere, worker, expected):
    with connect_sync(elsewhere.url, run="r1", worker=worker) as run:
        counter = run.counter("n")
        counter.add()
        child = os.fork()
        if child == 0:
            _in_child(run, counter)
        _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 0
        assert counter.add() == 3
        name = run.data.get("child").value
        assert name == expected.format(pid=child) if expected else name != run.worker


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_that_leaves_its_parents_block_gives_nothing_back(run):
    lease, presence = run.lock("database"), run.presence("parent")
    with presence, lease:
        child = os.fork()
        if child == 0:
            _leave_in_child(lease, presence)
        _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 0
        assert lease.held
        assert [holder.worker for holder in lease.status().holders] == ["w1"]
        assert [present.about for present in run.workers()] == ["parent"]


def _leave_in_child(lease, presence):
    code = 1
    try:
        presence.__exit__(None, None, None)
        try:
            lease.__exit__(None, None, None)
        except LeaseLost:
            code = 0
    finally:
        os._exit(code)


def _in_child(run, counter):
    """Use the parent's run, and leave without pytest's own ending."""
    code = 1
    try:
        counter.add()
        run.data.put("child", run.worker)
        code = 0
    finally:
        os._exit(code)
