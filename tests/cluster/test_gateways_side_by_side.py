"""Several gateways serve one run as if they were one: nothing of it is in a process."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.stack import Stack, assert_closed_once, second_gateway

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def shared_second(shared_stack) -> Iterator[Stack]:
    with second_gateway(shared_stack) as started:
        yield started


@pytest.fixture
def second(stack, shared_second) -> Stack:
    """Give the shared stack, all of it up, as seen through its second gateway."""
    assert shared_second.is_ready()
    assert shared_second.sync_storage != stack.sync_storage
    return shared_second


def test_a_cut_at_one_gateway_is_finalised_after_completion_at_the_other(stack, second):
    first = stack
    run_id = first.new_run("held", "other")
    first.hold(run_id, "held", worker="worker-1")
    second.register(run_id, worker="worker-2")
    second.begin(run_id, worker="worker-2")
    second.post_result(run_id, "other", "Succeeded")

    first.complete(run_id, worker="worker-2")
    second.complete(run_id, worker="worker-1")

    assert_closed_once(first.closed(run_id), "held")


def test_what_is_published_through_one_gateway_is_known_to_the_other(stack, second):
    run_id = stack.new_run("held")
    before = [gateway.is_published(run_id) for gateway in (stack, second)]

    stack.hold(run_id, "held")

    assert before == [False, False]
    assert [gateway.is_published(run_id) for gateway in (stack, second)] == [True, True]

    stack.complete(run_id)
    stack.closed(run_id)


def test_whoever_waits_at_either_gateway_learns_of_the_end(stack, second):
    run_id = stack.new_run("held")
    stack.hold(run_id, "held")

    with ThreadPoolExecutor(2) as waiters:
        stack.complete(run_id)
        answers = list(waiters.map(lambda at: at.wait_completion(run_id), [stack, second]))

    assert [answer["completed"] for answer in answers] == [True, True]
    assert_closed_once(stack.run_state(run_id), "held")


def test_once_the_master_has_begun_no_gateway_names_another(stack, second):
    run_id = stack.new_run("held")

    starter = stack.register(run_id, worker="starts the others and runs no test")
    heir = second.register(run_id, worker="worker-1")
    second.begin(run_id, worker="worker-1")
    later = [
        gateway.register(run_id, worker=f"worker-{number}")
        for number, gateway in enumerate([stack, second, stack, second], start=2)
    ]

    assert (starter, heir) == (True, True)
    assert later == [False, False, False, False]
