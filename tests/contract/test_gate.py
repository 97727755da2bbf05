"""What every home of turns promises, and the gate before a foreign server with it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import pytest

from syncsvc.coordination.gate.memory import MemoryTurns
from syncsvc.coordination.gate.model import LOOKING, Rate, Reason, Terms
from syncsvc.coordination.gate.ports import Turns
from syncsvc.coordination.gate.redis import RedisTurns
from syncsvc.coordination.gate.service import TurnGate
from syncsvc.errors import Unavailable
from syncsvc.stores.redis.scripts import Scripts, connect
from tests.contract.coordination_homes import RunningClock
from tests.support.builders import MINUTE, SECOND
from tests.support.valkey import own_valkey

TERM = 15 * SECOND
TWO = Terms(at_once=2, longest=TERM)
HOURS = Terms(at_once=2, longest=timedelta(hours=15))  # a slow machine's time is nothing to them
PROCESSES = 4


@dataclass
class World:
    """Turns as several processes see them, with time that a test moves."""

    turns: list[Turns]
    pass_: Callable[[timedelta], None]
    forgets: Callable[[], Awaitable[bool]]  # whether nobody holds a turn or waits at the place
    place: str = field(default_factory=lambda: f"https://{uuid.uuid4().hex}.example")

    def gates(self, terms: Terms) -> list[TurnGate]:
        return [TurnGate(turns, terms) for turns in self.turns]

    async def ask(self, ticket: str, terms: Terms = TWO, place: str | None = None):
        return await self.turns[0].ask(place or self.place, ticket, terms)

    async def comes(self, ticket: str, terms: Terms = TWO) -> bool:
        return (await self.ask(ticket, terms)).came

    async def give_back(self, ticket: str) -> None:
        await self.turns[0].give_back(self.place, ticket)


def in_memory() -> World:
    clock = RunningClock()
    home = MemoryTurns(clock)

    async def forgets() -> bool:
        known = home.places.get(world.place)
        return known is None or not (known.permits or known.waiting)

    world = World([home] * PROCESSES, clock.pass_, forgets)
    return world


def on_server(clients: list[Scripts]) -> World:
    homes = [RedisTurns(scripts) for scripts in clients]

    def pass_(time: timedelta) -> None:
        for home in homes:
            home.clock_shift += time

    async def forgets() -> bool:
        parts = [key async for key in clients[0].client.scan_iter("syncsvc:{gate:*")]
        return not [key for key in parts if not key.endswith(":state")]

    return World(list(homes), pass_, forgets)


@pytest.fixture(params=["memory", "redis"])
async def world(request, tmp_path) -> AsyncIterator[World]:
    if request.param == "memory":
        yield in_memory()
        return
    with own_valkey(tmp_path, keeps=False) as server:
        clients = [Scripts(connect(server.url)) for _ in range(PROCESSES)]
        yield on_server(clients)
        for each in clients:
            await each.close()


class Inside:
    """Counts who is inside at once, and the most there ever were.

    The first to come stay until so many are inside as it has `room` for.
    """

    def __init__(self, room: int = 1) -> None:
        self.now = self.most = self.passed = 0
        self.room, self.is_full = room, asyncio.Event()

    async def visit(self, gate: TurnGate, place: str, seconds: float = 0.002) -> None:
        async with gate.passing(place):
            self.now += 1
            self.most = max(self.most, self.now)
            if self.most >= self.room:
                self.is_full.set()
            await self.is_full.wait()
            await asyncio.wait((), timeout=0) if not seconds else await asyncio.sleep(seconds)
            self.now -= 1
            self.passed += 1


async def test_as_many_turns_come_as_may_be_under_way(world):
    assert [await world.comes(ticket) for ticket in "abc"] == [True, True, False]


async def test_a_turn_that_is_given_back_comes_to_the_next_in_line(world):
    for ticket in "abcd":
        await world.comes(ticket)
    await world.give_back("a")

    late, second, first = [await world.comes(ticket) for ticket in "edc"]

    assert (first, second, late) == (True, False, False)


async def test_one_that_asks_again_has_its_turn_once(world):
    await world.comes("a")

    assert await world.comes("a")
    assert await world.comes("b")


async def test_one_in_line_is_told_how_many_are_ahead(world):
    turns = [await world.ask(ticket) for ticket in "abcd"]

    assert [(turn.reason, turn.ahead) for turn in turns[2:]] == [
        (Reason.FULL, 0),
        (Reason.FULL, 1),
    ]


async def test_the_turn_of_a_holder_that_died_ends_after_its_term(world):
    await world.comes("dead", HOURS)
    await world.comes("dead too", HOURS)
    world.pass_(timedelta(hours=14))
    assert not await world.comes("a", HOURS)

    world.pass_(timedelta(hours=1))

    assert await world.comes("a", HOURS)


async def test_one_in_line_that_looks_no_more_loses_its_place(world):
    for ticket in ("a", "b", "dead"):
        await world.comes(ticket)
    await world.give_back("a")
    assert not await world.comes("c")

    world.pass_(LOOKING + SECOND)

    assert await world.comes("c")


async def test_a_pause_stops_everybody_and_the_longest_counts(world):
    for length in (10 * MINUTE, 60 * MINUTE, 5 * MINUTE):
        await world.turns[1].pause(world.place, length)
    world.pass_(59 * MINUTE)

    turn = await world.ask("a")

    assert (turn.came, turn.reason) == (False, Reason.PAUSED)
    assert timedelta(0) < turn.wait <= MINUTE
    world.pass_(MINUTE)
    assert await world.comes("a")


async def test_places_do_not_disturb_each_other(world):
    await world.comes("a")
    await world.comes("b")
    await world.turns[0].pause(world.place, MINUTE)

    assert (await world.ask("c", place="https://elsewhere.example")).came


async def test_a_bucket_gives_its_burst_and_then_its_rate(world):
    terms = Terms(at_once=100, longest=TERM, rate=Rate(per_second=1 / 60, burst=3))
    numbers = count()

    async def come() -> int:
        came = 0
        while (turn := await world.ask(f"t{next(numbers)}", terms)).came:
            came += 1
        assert turn.reason is Reason.RATE
        assert timedelta(0) < turn.wait <= MINUTE
        world.pass_(LOOKING)  # the one that was refused waits no more
        return came

    assert await come() == 3
    world.pass_(2 * MINUTE)
    assert await come() == 2
    world.pass_(60 * MINUTE)
    assert await come() == 3


async def test_one_that_asks_again_draws_once(world):
    terms = Terms(at_once=100, longest=TERM, rate=Rate(per_second=1 / 60, burst=2))

    assert [await world.comes(ticket, terms) for ticket in "aaab"] == [True] * 4
    assert not await world.comes("c", terms)


@pytest.mark.parametrize("at_once", [1, 3])
async def test_never_more_are_inside_than_may_be(world, at_once):
    terms = Terms(at_once, TERM, patience=2 * MINUTE)
    gates, inside = world.gates(terms), Inside(at_once)

    async with asyncio.timeout(60):
        await asyncio.gather(
            *(inside.visit(gates[number % PROCESSES], world.place) for number in range(120))
        )

    assert (inside.most, inside.passed) == (at_once, 120)
    assert await world.forgets()


async def test_processes_take_turns_about(world):
    gates = world.gates(Terms(1, TERM, patience=2 * MINUTE))
    visits: list[int] = []

    async def visit(number: int) -> None:
        async with gates[number].passing(world.place):
            visits.append(number)
            await asyncio.sleep(0.001)

    async with asyncio.timeout(60):
        await asyncio.gather(*(visit(number) for number in range(PROCESSES) for _ in range(20)))

    first_half = visits[: len(visits) // 2]
    assert min(first_half.count(number) for number in range(PROCESSES)) >= 5


async def test_everybody_waits_for_the_end_of_a_short_pause(world):
    gates, inside = world.gates(TWO), Inside()
    loop = asyncio.get_running_loop()
    began = loop.time()  # of the pause at the earliest: its answer may take any time
    await gates[0].pause(world.place, timedelta(seconds=0.2))

    await asyncio.gather(*(inside.visit(gate, world.place) for gate in gates))

    assert loop.time() - began >= 0.19
    assert inside.passed == PROCESSES


async def test_a_pause_beyond_the_patience_is_told_at_once(world):
    [gate, *_] = world.gates(TWO)
    await gate.pause(world.place, 10 * MINUTE)

    with pytest.raises(Unavailable, match="asked for a pause") as refused:
        async with asyncio.timeout(5), gate.passing(world.place):
            pass

    assert 9 * MINUTE < refused.value.retry_after <= 10 * MINUTE


async def test_a_rate_beyond_the_patience_is_told_at_once(world):
    [gate, *_] = world.gates(Terms(2, TERM, rate=Rate(per_second=1 / 60)))
    async with gate.passing(world.place):
        pass

    with pytest.raises(Unavailable, match="others came first") as refused:
        async with asyncio.timeout(5), gate.passing(world.place):
            pass

    assert 50 * SECOND < refused.value.retry_after <= MINUTE
    assert await world.forgets()


async def test_no_pause_is_no_pause(world):
    [gate, *_] = world.gates(TWO)

    await gate.pause(world.place, timedelta(0))

    async with gate.passing(world.place):
        assert not await world.forgets()


async def test_patience_ends_and_leaves_nothing_behind(world):
    [first, *_] = world.gates(Terms(1, TERM))
    others = world.gates(Terms(1, TERM, patience=timedelta(seconds=0.1)))

    async with first.passing(world.place):
        for gate in others[:2]:
            with pytest.raises(Unavailable, match=r"within 0\.1 s: 1 requests at once"):
                async with gate.passing(world.place):
                    pass

    assert await world.forgets()


async def test_a_cancelled_waiter_leaves_nothing_behind(world):
    gates, inside = world.gates(Terms(1, TERM)), Inside()
    async with gates[0].passing(world.place):
        waiting = [
            asyncio.create_task(inside.visit(gate, world.place)) for gate in gates for _ in range(3)
        ]
        await asyncio.wait(waiting, timeout=0.05)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    assert inside.passed == 0
    assert await world.forgets()


async def test_one_that_is_cancelled_at_any_moment_leaves_nothing_behind(world):
    gates, inside = world.gates(TWO), Inside()

    for moments in range(12):
        task = asyncio.create_task(inside.visit(gates[0], world.place))
        for _ in range(moments):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await inside.visit(gates[0], world.place)  # what was begun has been carried out by then
    assert await world.forgets()


async def test_one_whose_request_fails_gives_its_turn_back(world):
    [gate, *_] = world.gates(TWO)

    with pytest.raises(ConnectionError):
        async with gate.passing(world.place):
            raise ConnectionError

    assert await world.forgets()


async def test_a_server_that_is_gone_is_unavailable(tmp_path):
    with own_valkey(tmp_path) as server:
        scripts = Scripts(connect(server.url))
        gate = TurnGate(RedisTurns(scripts), TWO)
        server.stop()

        with pytest.raises(Unavailable, match="Redis"):
            async with gate.passing("https://a.example"):
                pass

        with pytest.raises(Unavailable, match="Redis"):
            await gate.pause("https://a.example", SECOND)
        await scripts.close()


async def test_a_turn_that_cannot_be_given_back_spoils_no_request(tmp_path):
    with own_valkey(tmp_path) as server:
        scripts = Scripts(connect(server.url))
        gate = TurnGate(RedisTurns(scripts), TWO)

        async with gate.passing("https://a.example"):
            server.stop()
            answer = "stored"

        assert answer == "stored"
        await scripts.close()


async def test_no_address_and_no_token_is_kept(tmp_path):
    with own_valkey(tmp_path) as server:
        scripts = Scripts(connect(server.url))
        gate = TurnGate(RedisTurns(scripts), TWO)

        async with gate.passing("https://secret-host.example"):
            names = [key async for key in scripts.client.scan_iter("*")]

        assert names
        assert not [name for name in names if "secret-host" in name]
        await scripts.close()
