"""What every home of counters and signals promises."""

import asyncio
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncsvc.coordination.counters.model import LARGEST, SMALLEST, Counted, Kind
from syncsvc.coordination.counters.service import CounterService
from syncsvc.coordination.once import REMEMBERED, Once
from syncsvc.coordination.signals import Signals
from syncsvc.coordination.waiting import LOOK_AGAIN
from syncsvc.errors import Rejected
from tests.contract.coordination_homes import MemoryHome, open_home, redis_home

SOON = LOOK_AGAIN - 0.5  # seconds; whoever is not woken up would find it by itself a little later
LONG = 60.0  # seconds that no test waits


@pytest.fixture(params=["memory", "redis"])
async def home(request):
    async with open_home(request.param, lambda: request.getfixturevalue("valkey_url")) as home:
        yield home


@pytest.fixture
def counters(home):
    return CounterService(home.counters(), home.signals)


async def test_a_counter_that_nobody_added_to_is_0(counters, run_id):
    assert await counters.get(run_id, "c") == 0


async def test_what_is_added_adds_up(counters, run_id):
    values = [await counters.add(run_id, "c", delta) for delta in (1, 5, -9)]

    assert values == [1, 6, -3]
    assert await counters.get(run_id, "c") == -3


async def test_counters_of_other_names_and_runs_are_others(counters, run_id):
    await counters.add(run_id, "c", 7)

    assert await counters.get(run_id, "d") == 0
    assert await counters.get(run_id + "}x", "c") == 0


async def test_a_counter_and_a_signal_of_one_name_are_two(counters, run_id):
    await counters.add(run_id, "c", 7)

    assert await counters.send(run_id, "c") == 1


async def test_a_repeated_request_adds_once_and_gets_the_first_answer(counters, run_id):
    first = await counters.add(run_id, "c", 5, "request")
    await counters.add(run_id, "c", 1)

    assert await counters.add(run_id, "c", 5, "request") == first
    assert await counters.get(run_id, "c") == 6


async def test_one_request_id_for_two_counters_is_two_requests(counters, run_id):
    await counters.add(run_id, "c", 5, "request")

    assert await counters.add(run_id, "d", 7, "request") == 7


async def test_a_script_that_a_connection_repeats_adds_once(home, run_id):
    store, once = home.counters(), Once("id", REMEMBERED)
    counted = Counted(run_id, Kind.COUNTER, "c")

    answers = [await store.add(counted, 3, once) for _ in range(3)]

    assert answers == [3, 3, 3]


@pytest.mark.parametrize(("edge", "over"), [(LARGEST, 1), (SMALLEST, -1)])
async def test_a_sum_beyond_64_bits_is_refused_and_changes_nothing(counters, run_id, edge, over):
    await counters.add(run_id, "c", edge)

    with pytest.raises(Rejected, match=rf"delta: expected a sum .* found {edge}"):
        await counters.add(run_id, "c", over)

    assert await counters.get(run_id, "c") == edge


async def test_large_numbers_are_exact(counters, run_id):
    await counters.add(run_id, "c", 2**53)

    assert await counters.add(run_id, "c", 1) == 2**53 + 1


async def test_of_many_that_add_at_once_every_sum_is_given_once(counters, run_id):
    values = await asyncio.gather(*(counters.add(run_id, "c", 1) for _ in range(500)))

    assert sorted(values) == list(range(1, 501))


async def test_a_wait_for_what_is_reached_ends_at_once(counters, run_id):
    await counters.add(run_id, "c", 3)

    assert await counters.wait(run_id, "c", 3, 0) == 3


async def test_a_wait_that_ends_in_vain_gives_the_value(counters, run_id):
    await counters.add(run_id, "c", 3)

    assert await counters.wait(run_id, "c", 4, 0.01) == 3


async def test_waiting_ends_when_enough_was_counted(counters, run_id):
    waiting = [asyncio.create_task(counters.wait(run_id, "c", 3, LONG)) for _ in range(50)]

    for _ in range(3):
        await counters.add(run_id, "c", 1)

    async with asyncio.timeout(SOON):
        assert await asyncio.gather(*waiting) == [3] * 50


async def test_signals_are_numbered_and_waited_for(counters, run_id):
    waiting = asyncio.create_task(counters.wait_for_signals(run_id, "s", 3, LONG))

    seqs = await asyncio.gather(*(counters.send(run_id, "s") for _ in range(3)))

    assert sorted(seqs) == [1, 2, 3]
    async with asyncio.timeout(SOON):
        assert await waiting == 3


STEPS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.one_of(st.integers(-5, 5), st.sampled_from([LARGEST, SMALLEST, 2**53 + 1])),
        st.sampled_from([None, None, "r1", "r2"]),
    ),
    max_size=30,
)


async def _played(counters: CounterService, run: str, steps) -> list[object]:
    answers: list[object] = []
    for name, delta, request in steps:
        try:
            answers.append(await counters.add(run, name, delta, request))
        except Rejected as error:
            answers.append(str(error))
    return [*answers, await counters.get(run, "a"), await counters.get(run, "b")]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_any_sequence_gives_the_same_answers_in_every_home(valkey_url, steps):
    async def play() -> None:
        async with redis_home(valkey_url) as redis:
            run = uuid.uuid4().hex
            there = await _played(CounterService(redis.counters(), redis.signals), run, steps)
        here = await _played(CounterService(MemoryHome().counters(), Signals()), run, steps)
        assert here == there

    asyncio.run(play())
