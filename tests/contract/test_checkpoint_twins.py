"""The memory twin and the real store of checkpoints say the same of any story."""

import asyncio
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from syncsvc.coordination.checkpoints.memory import MemoryCheckpoints
from syncsvc.coordination.checkpoints.model import Cause, Place, Policy, Standing, State, Terms
from syncsvc.coordination.checkpoints.ports import Batch, Checkpoints, Members, Waited
from syncsvc.coordination.checkpoints.redis import RedisCheckpoints
from syncsvc.stores.redis.scripts import Scripts, connect
from tests.support.builders import NOON, SECOND

TOGETHER = 0.25  # seconds of a story: a server's clock runs meanwhile, and the twin's stands

WORKERS = st.sampled_from("abcde")
CALLS = st.sampled_from(["", "c1", "c2", "c3"])
GENERATIONS = st.sampled_from([1, 1, 2, 3])
TERMS = st.builds(
    Terms,
    target=st.sampled_from([3, 3, 3, 2, 1]),
    policy=st.shared(st.sampled_from(list(Policy)), key="policy"),
    cyclic=st.shared(st.booleans(), key="cyclic"),
)
MEMBERS = st.lists(
    st.tuples(WORKERS, CALLS), min_size=1, max_size=3, unique_by=lambda each: each[0]
)


@dataclass
class Moves:
    """Time that a test moves, for both."""

    passed: timedelta = timedelta(0)


def members(pairs) -> Members:
    return Members([worker for worker, _ in pairs], [call for _, call in pairs])


def waited(generation, terms, pairs):
    return lambda place: Waited(place, generation, terms, members(pairs))


ARRIVE = st.tuples(
    st.just("arrive"),
    TERMS,
    st.lists(WORKERS, min_size=1, max_size=7),
    st.one_of(st.none(), st.none(), GENERATIONS),
    st.sampled_from([False, False, True]),
)
AGAIN = st.tuples(st.just("again"), st.builds(waited, GENERATIONS, TERMS, MEMBERS))
TEND = st.tuples(st.just("tend"), st.builds(waited, GENERATIONS, TERMS, MEMBERS))
SUSPECT = st.tuples(st.just("suspect"), st.builds(waited, GENERATIONS, TERMS, MEMBERS))
WITHDRAW = st.tuples(
    st.just("withdraw"), MEMBERS, st.sampled_from([Cause.LEFT, Cause.TIMED_OUT, Cause.FORGOTTEN])
)
OTHERS = st.one_of(
    st.tuples(st.just("abort"), st.just("why")),
    st.tuples(st.just("reset"), st.sampled_from(["r1", "r2"])),
    st.tuples(st.just("restore"), GENERATIONS),
    st.tuples(st.just("move"), st.sampled_from([0.7, 0.7, 4, 20])),
)
STORIES = st.lists(st.one_of(ARRIVE, ARRIVE, AGAIN, TEND, SUSPECT, WITHDRAW, OTHERS), max_size=14)


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_both_say_the_same(valkey_url, data):
    stories = data.draw(st.lists(STORIES, min_size=4, max_size=4))

    asyncio.run(compare(valkey_url, stories))


async def compare(url: str, stories) -> None:
    scripts = Scripts(connect(url))
    try:
        for story in stories:
            moves, began = Moves(), monotonic()
            real = RedisCheckpoints(scripts, timedelta(hours=1))
            twin = MemoryCheckpoints(lambda *_: None, lambda moves=moves: NOON + moves.passed)
            place = Place(uuid.uuid4().hex, "start")
            for number, command in enumerate(story):
                found = await told(real, place, command, number)
                expected = await told(twin, place, command, number)
                assume(found == expected or monotonic() < began + TOGETHER)
                assert found == expected, (story[: number + 1], found, expected)
                if command[0] == "move":
                    moves.passed += command[1] * SECOND
                    real.clock_shift += command[1] * SECOND
    finally:
        await scripts.close()


async def told(store: Checkpoints, place: Place, command, number: int) -> Any:
    """Carry a command out and give all that can be seen, but for the moments."""
    answer = await carry_out(store, place, command, number)
    found, arrived = await store.status(place)
    return plain(answer), plain(found), sorted(arrived)


async def carry_out(store: Checkpoints, place: Place, command, number: int) -> Any:
    name, *given = command
    return await DO[name](store, place, number, *given)


async def arrive(store, place, number, *asked):
    terms, workers, generation, lenient = asked
    call = f"c{number + 1}"  # the first ones are those that others name
    return await store.arrive(Batch(place, terms, workers, call, generation, lenient))


async def withdraw(store, place, _number, pairs, cause):
    gone = await store.withdraw(place, members(pairs), cause)
    return [gone.before, sorted(gone.arrived), gone.last]


async def restore(store, place, _number, generation):
    ending = Standing(State.RELEASED, generation, 3, 3, 3, start_at=7, cyclic=True)
    await store.restore(place, ending)


async def nothing(*_):
    """Time moves beside the store."""


DO = {
    "arrive": arrive,
    "again": lambda store, place, _, build: store.again(build(place)),
    "tend": lambda store, place, _, build: store.tend(build(place), SECOND),
    "suspect": lambda store, place, _, build: store.suspect(build(place), SECOND),
    "withdraw": withdraw,
    "abort": lambda store, place, _, why: store.abort(place, why),
    "reset": lambda store, place, _, call: store.reset(place, call, "reset"),
    "restore": restore,
    "move": nothing,
}


def plain(said: Any) -> Any:
    if isinstance(said, Standing):
        return replace(said, start_at=said.start_at and 1)
    if isinstance(said, (list, tuple)):
        return [plain(each) for each in said]
    return said
