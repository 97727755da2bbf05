"""What every store of checkpoints promises."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from syncsvc.coordination.checkpoints.memory import MemoryCheckpoints
from syncsvc.coordination.checkpoints.model import Cause, Place, Policy, Standing, State, Terms
from syncsvc.coordination.checkpoints.ports import Batch, Checkpoints, Members, Waited
from syncsvc.coordination.checkpoints.redis import RedisCheckpoints
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.scripts import Scripts, connect
from tests.support.builders import NOON, SECOND

GRACE = SECOND
STEP = 2 * SECOND
MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ODD_NAMES = ["wörker|1", "a b", "🙂", "x" * 200, "{a}", "%7B", "~conn-1"]


@dataclass
class World:
    """A store, its clock, and what it announces."""

    store: Checkpoints
    place: Place
    passed: timedelta = timedelta(0)
    news: list[tuple[str, Standing]] = field(default_factory=list)
    calls: count = field(default_factory=lambda: count(1))
    pubsub: object = None

    def move(self, span: timedelta) -> None:
        self.passed += span
        if isinstance(self.store, RedisCheckpoints):
            self.store.clock_shift += span

    async def time_ms(self) -> int:
        """Read the clock that the store goes by."""
        if isinstance(self.store, RedisCheckpoints):
            seconds, micros = await self.store.scripts.client.time()
            return int(seconds) * 1000 + int(micros) // 1000 + self.passed // MILLISECOND
        return (NOON + self.passed - EPOCH) // MILLISECOND

    async def arrive(self, *workers, target=2, call=None, generation=None, lenient=False, **terms):
        """Give for each worker how it stands."""
        call = call or f"call-{next(self.calls)}"
        batch = Batch(self.place, Terms(target, **terms), workers, call, generation, lenient)
        answer = await self.store.arrive(batch)
        return [found for many, found in answer for _ in range(many)]

    def waited(self, generation=1, terms=None, **members):
        listed = Members(list(members), list(members.values()))
        return Waited(self.place, generation, terms or Terms(2), listed)

    async def tend(self, generation=1, **members):
        return await self.store.tend(self.waited(generation, **members), GRACE)

    async def tend_for(self, span, **members):
        """Tend often enough that everybody is judged; give how it stands in the end."""
        found = await self.tend(**members)
        for _ in range(span // STEP):
            self.move(STEP)
            found = await self.tend(**members)
        return found

    async def suspect(self, **members):
        await self.store.suspect(self.waited(**members), GRACE)

    async def withdraw(self, cause, **members):
        listed = Members(list(members), list(members.values()))
        return await self.store.withdraw(self.place, listed, cause)

    async def announced(self) -> list[Standing]:
        """Give what was announced of the checkpoint since the last time."""
        if self.pubsub is not None:
            await self._receive()
        told, self.news[:] = [said for _, said in self.news], []
        return told

    async def _receive(self) -> None:
        """Everything that was published before this marker is received before it."""
        marker = uuid.uuid4().hex
        await self.store.scripts.client.publish(keys.NEWS, marker)
        while True:
            message = await self.pubsub.get_message(timeout=5)
            if message is None or message["type"] != "message":
                continue
            if message["data"] == marker:
                return
            subject, _, body = message["data"].partition("\0")
            self.note(subject, body)

    def note(self, subject: str, body: str) -> None:
        if subject == f"checkpoint\n{self.place.run}\n{self.place.name}":
            self.news.append((subject, Standing.read(body)))


@pytest.fixture(params=["memory", "redis"])
async def world(request) -> AsyncIterator[World]:
    place = Place(f"run-{uuid.uuid4().hex}", "start")
    if request.param == "memory":
        store = MemoryCheckpoints(lambda *_: None, lambda: NOON + world.passed)
        world = World(store, place)
        store.announce = world.note
        yield world
        return
    scripts = Scripts(connect(request.getfixturevalue("valkey_url")))
    world = World(RedisCheckpoints(scripts, timedelta(hours=1)), place)
    world.pubsub = scripts.client.pubsub()
    await world.pubsub.subscribe(keys.NEWS)
    yield world
    await world.pubsub.aclose()
    await scripts.close()


def states(standings) -> list[str]:
    return [found.state.value for found in standings]


async def test_a_checkpoint_nobody_reached_is_unknown(world):
    found, arrived = await world.store.status(world.place)

    assert (found.state, found.generation, arrived) == (State.UNKNOWN, 1, {})


async def test_it_stays_open_until_enough_have_arrived(world):
    first = await world.arrive("a", target=3)
    second = await world.arrive("b", target=3)

    assert states(first + second) == ["open", "open"]
    assert [found.arrived for found in first + second] == [1, 2]


async def test_the_last_one_releases_all_and_one_announcement_says_so(world):
    await world.arrive("a")
    last = (await world.arrive("b"))[0]

    assert (last.state, last.generation, last.target, last.arrived) == (State.RELEASED, 1, 2, 2)
    assert await world.announced() == [last]
    assert last.start_at is not None


async def test_the_start_is_half_a_second_after_the_release(world):
    await world.arrive("a", target=2)

    before = await world.time_ms()
    last = (await world.arrive("b", target=2))[0]
    after = await world.time_ms()

    assert before <= last.start_at - 500 <= after


async def test_a_worker_that_arrives_twice_counts_once(world):
    found = await world.arrive("a", "a") + await world.arrive("a")

    assert states(found) == ["open"] * 3
    assert found[-1].arrived == 1


async def test_of_too_many_at_once_the_first_are_released_and_the_others_are_late(world):
    found = await world.arrive(*"abcde", target=3)

    assert states(found) == ["released"] * 3 + ["late"] * 2
    assert states(await world.announced()) == ["released"]


async def test_whoever_comes_after_the_release_is_late_whatever_its_terms(world):
    await world.arrive("a", "b")

    found = await world.arrive("c", target=7, policy=Policy.FAIL, cyclic=True)

    assert states(found) == ["late"]
    assert found[0].start_at is None


async def test_a_cyclic_one_begins_again_with_the_next_arrival(world):
    found = await world.arrive(*"abcde", cyclic=True)

    assert [(each.state.value, each.generation) for each in found] == [
        ("released", 1),
        ("released", 1),
        ("released", 2),
        ("released", 2),
        ("open", 3),
    ]
    assert [said.generation for said in await world.announced()] == [1, 2]


async def test_a_thousand_and_more_at_once_are_counted_each_once(world):
    names = [f"worker-{number}" for number in range(2_500)]

    found = await world.arrive(*names, *names[:10], target=2_501, policy=Policy.FAIL)

    assert found[-1].arrived == 2_500
    assert states(await world.arrive("last", target=2_501, policy=Policy.FAIL)) == ["released"]


@pytest.mark.parametrize(
    "terms", [{"target": 5}, {"target": 2, "policy": Policy.FAIL}, {"target": 2, "cyclic": True}]
)
async def test_terms_that_differ_from_the_first_ones_are_not_counted(world, terms):
    await world.arrive("a", target=2)

    found = await world.arrive("b", **terms)

    assert (found[0].state, found[0].asked, found[0].arrived) == (State.MISMATCH, 2, 1)


async def test_a_lenient_arrival_takes_the_terms_that_it_finds(world):
    await world.arrive("a", target=2, policy=Policy.FAIL)

    assert states(await world.arrive("b", target=9, lenient=True)) == ["released"]


@pytest.mark.parametrize("target", [0, -3])
async def test_a_lenient_target_of_nothing_releases_at_once(world, target):
    found = await world.arrive("a", "b", target=target, lenient=True)

    assert states(found) == ["released", "late"]


async def test_a_lenient_arrival_keeps_a_cyclic_one_cyclic(world):
    await world.arrive("a", "b", target=2, cyclic=True)

    found = await world.arrive("c", target=9, lenient=True)

    assert (found[0].state, found[0].target, found[0].cyclic) == (State.OPEN, 2, True)


async def test_terms_that_only_one_who_left_had_set_bind_nobody(world):
    await world.arrive("a", target=5, call="x")
    await world.withdraw(Cause.LEFT, a="x")

    assert states(await world.arrive("b", target=1)) == ["released"]


async def test_a_generation_that_is_over_is_passed(world):
    await world.arrive("a", "b", cyclic=True)

    found = await world.arrive("c", cyclic=True, generation=1)

    assert (states(found), found[0].generation) == (["late"], 1)


async def test_the_open_generation_may_be_named(world):
    await world.arrive("a", "b", cyclic=True)

    found = await world.arrive("c", cyclic=True, generation=2)
    again = await world.arrive("d", cyclic=True, generation=2)

    assert (states(found + again), again[0].generation) == (["open", "released"], 2)


async def test_a_generation_to_come_is_a_mismatch(world):
    await world.arrive("a", cyclic=True)

    found = await world.arrive("b", cyclic=True, generation=2)

    assert (states(found), found[0].generation) == (["mismatch"], 1)


async def test_a_batch_that_is_sent_again_gets_the_same_answer(world):
    one = await world.arrive(*"abc", target=2, call="x")
    again = await world.arrive(*"abc", target=2, call="x")

    assert again == one
    assert states(await world.announced()) == ["released"]


async def test_a_batch_of_several_generations_that_is_sent_again_gets_the_same_answer(world):
    one = await world.arrive(*"abcde", target=2, call="x", cyclic=True)
    await world.arrive("f", target=2, cyclic=True)
    again = await world.arrive(*"abcde", target=2, call="x", cyclic=True)

    assert again == one


async def test_an_arrival_sent_again_after_another_released_it_was_not_late(world):
    await world.arrive("a", call="x")
    await world.arrive("b", call="y")

    assert states(await world.arrive("a", call="x")) == ["released"]
    assert states(await world.arrive("a", call="z")) == ["late"]


async def test_leaving_takes_the_arrival_back_and_says_so(world):
    await world.arrive("a", call="x")
    await world.withdraw(Cause.LEFT, a="")

    left = (await world.announced())[0]
    assert (left.state, left.broken_by, left.reason) == (State.LEFT, ("a",), "x")
    assert states(await world.arrive("b")) == ["open"]


async def test_an_arrival_made_anew_is_not_taken_back_with_the_old_one(world):
    await world.arrive("a", call="old")
    await world.arrive("a", call="new")

    await world.withdraw(Cause.TIMED_OUT, a="old")

    assert states(await world.arrive("b")) == ["released"]


async def test_who_times_out_learns_how_it_stood_before(world):
    await world.arrive("a", call="x", target=3)
    await world.arrive("b", call="y", target=3)

    found = await world.withdraw(Cause.TIMED_OUT, a="x")

    assert (found.before.arrived, sorted(found.arrived)) == (2, ["a", "b"])
    assert (await world.arrive("c", target=3))[0].arrived == 2


async def test_who_times_out_too_late_learns_of_the_release(world):
    await world.arrive("a", call="x")
    await world.arrive("b")

    assert (await world.withdraw(Cause.TIMED_OUT, a="x")).of(1).state is State.RELEASED


async def test_who_times_out_after_the_next_generation_began_learns_of_its_own(world):
    await world.arrive("a", call="x", cyclic=True)
    released = (await world.arrive("b", cyclic=True))[0]
    await world.arrive("c", cyclic=True)

    found = await world.withdraw(Cause.TIMED_OUT, a="x")

    assert (found.of(1), found.of(2).state) == (released, State.OPEN)


async def test_who_times_out_after_the_next_generation_ended_learns_of_its_own(world):
    await world.arrive("a", call="x", cyclic=True)
    released = (await world.arrive("b", cyclic=True))[0]
    await world.arrive("c", "d", cyclic=True)

    assert (await world.withdraw(Cause.TIMED_OUT, a="x")).of(1) == released


async def test_who_times_out_long_after_its_generation_learns_that_it_is_late_in_it(world):
    await world.arrive("a", call="x", cyclic=True)
    await world.arrive(*"bcdef", cyclic=True)

    found = (await world.withdraw(Cause.TIMED_OUT, a="x")).of(1)

    assert (found.state, found.generation) == (State.LATE, 1)


async def test_who_times_out_in_what_the_store_forgot_learns_nothing(world):
    unknown = (await world.withdraw(Cause.TIMED_OUT, a="x")).of(2)
    await world.arrive("b", cyclic=True)
    older = (await world.withdraw(Cause.TIMED_OUT, a="x")).of(2)

    assert (unknown.state, older.state) == (State.UNKNOWN, State.UNKNOWN)


@pytest.mark.parametrize("cause", [Cause.LEFT, Cause.TIMED_OUT])
async def test_with_policy_fail_the_others_are_told_who_broke_it(world, cause):
    await world.arrive("a", "b", call="x", target=3, policy=Policy.FAIL)

    await world.withdraw(cause, b="x")

    broken = (await world.announced())[-1]
    assert (broken.state, broken.broken_by, broken.reason) == (State.BROKEN, ("b",), cause.value)
    assert await world.arrive("c", target=3, policy=Policy.FAIL) == [broken]


async def test_with_policy_shrink_the_others_are_released_without_it(world):
    await world.arrive("a", "b", call="x", target=3, policy=Policy.SHRINK)
    await world.withdraw(Cause.LEFT, b="x")

    found, _ = await world.store.status(world.place)
    last = await world.arrive("c", target=3, policy=Policy.SHRINK)

    assert (found.target, found.asked, found.arrived) == (2, 3, 1)
    assert states(last) == ["released"]


async def test_a_target_that_shrinks_to_those_who_are_there_releases_them(world):
    await world.arrive("a", "b", "c", call="x", target=4, policy=Policy.SHRINK)
    await world.suspect(c="x")
    world.move(GRACE)

    assert (await world.tend()).state is State.OPEN
    await world.withdraw(Cause.LEFT, b="x")
    assert (await world.arrive("d", target=4, policy=Policy.SHRINK))[0].state is State.RELEASED


async def test_one_that_will_not_come_releases_the_rest_when_the_target_shrinks(world):
    await world.arrive("a", "b", target=3, policy=Policy.SHRINK)

    await world.withdraw(Cause.LEFT, c="")

    released = (await world.announced())[-1]
    assert (released.state, released.target, released.arrived) == (State.RELEASED, 2, 2)


async def test_one_that_will_not_come_breaks_what_fails_without_it(world):
    await world.arrive("a", target=2, policy=Policy.FAIL)

    await world.withdraw(Cause.LEFT, c="")

    assert (await world.announced())[-1].broken_by == ("c",)


async def test_leaving_twice_counts_once(world):
    await world.arrive("a", "b", target=4, policy=Policy.SHRINK)

    for _ in range(3):
        await world.withdraw(Cause.LEFT, b="")

    found, _ = await world.store.status(world.place)
    assert (found.state, found.target, found.arrived) == (State.OPEN, 3, 1)


async def test_a_suspect_that_comes_back_counts_as_alive_and_once(world):
    await world.arrive("a", "b", call="x", target=3, policy=Policy.FAIL)
    await world.suspect(a="x")
    back = await world.arrive("a", call="y", target=3, policy=Policy.FAIL)
    world.move(2 * GRACE)

    assert (await world.tend()).state is State.OPEN
    assert back[0].arrived == 2


async def test_who_came_back_is_not_suspected_for_its_old_connection(world):
    await world.arrive("a", call="x", target=2, policy=Policy.FAIL)
    await world.arrive("a", call="y", target=2, policy=Policy.FAIL)
    await world.suspect(a="x")
    world.move(2 * GRACE)

    assert (await world.tend()).state is State.OPEN


async def test_a_suspect_that_stays_away_breaks_it_and_the_others_suspected_are_named_too(world):
    await world.arrive(*"abcd", call="x", target=5, policy=Policy.FAIL)
    await world.suspect(c="x")
    world.move(GRACE / 2)
    await world.suspect(a="x")
    world.move(GRACE / 2)

    broken = await world.tend()

    assert (broken.state, broken.broken_by, broken.reason) == (State.BROKEN, ("a", "c"), "gone")
    assert broken.arrived == 4


async def test_agents_whose_gateway_died_are_noticed_and_those_of_others_live(world):
    await world.arrive("a", call="x", target=3, policy=Policy.SHRINK)
    await world.arrive("b", call="y", target=3, policy=Policy.SHRINK)

    found = await world.tend_for(16 * SECOND, a="x")

    assert (found.state, found.target, found.arrived) == (State.OPEN, 2, 1)


async def test_nobody_died_of_a_time_in_which_nobody_could_be_tended(world):
    await world.arrive("a", call="x", target=3, policy=Policy.FAIL)
    await world.arrive("b", call="y", target=3, policy=Policy.FAIL)
    await world.tend(a="x", b="y")
    world.move(17 * SECOND)

    first = await world.tend(a="x")
    world.move(STEP)
    then = await world.tend(a="x")

    assert (first.state, then.state) == (State.OPEN, State.OPEN)


async def test_nobody_died_before_the_first_could_be_tended(world):
    await world.arrive("a", "b", call="x", target=3, policy=Policy.FAIL)
    world.move(17 * SECOND)

    assert (await world.tend(a="x")).state is State.OPEN


async def test_nobody_who_waits_is_named_beside_one_that_left_after_a_time_of_no_tending(world):
    await world.arrive("a", "b", call="x", target=3, policy=Policy.FAIL)
    world.move(17 * SECOND)

    await world.withdraw(Cause.TIMED_OUT, a="x")

    assert (await world.announced())[-1].broken_by == ("a",)


async def test_those_who_were_dead_all_the_time_are_noticed_a_term_later(world):
    await world.arrive("a", call="x", target=3, policy=Policy.FAIL)
    world.move(20 * SECOND)
    await world.arrive("b", call="y", target=3, policy=Policy.FAIL)

    await world.tend_for(12 * SECOND, b="y")
    found = await world.tend_for(4 * SECOND, b="y")

    assert (found.state, found.broken_by) == (State.BROKEN, ("a",))


async def test_a_generation_counted_again_is_judged_from_its_beginning(world):
    terms = Terms(3, Policy.FAIL)
    await world.store.again(world.waited(4, terms, a="x", b="x"))
    await world.store.suspect(world.waited(4, terms, a="x"), GRACE)
    world.move(GRACE)

    assert (await world.tend(generation=4, b="x")).broken_by == ("a",)


async def test_death_is_nothing_to_a_checkpoint_that_ignores_it(world):
    await world.arrive("a", call="x")
    await world.suspect(a="x")
    world.move(60 * SECOND)

    assert (await world.tend()).state is State.OPEN
    assert states(await world.arrive("b")) == ["released"]


async def test_tending_what_is_not_there_says_so(world):
    assert await world.tend() is None
    await world.arrive("a")
    assert await world.tend(generation=2) is None


async def test_tending_tells_how_the_generation_before_ended(world):
    released = (await world.arrive("a", "b", cyclic=True))[0]
    await world.arrive("c", cyclic=True)

    assert await world.tend(generation=1) == released


async def test_tending_what_ended_long_ago_says_late(world):
    await world.arrive(*"abcdef", cyclic=True)

    assert (await world.tend(generation=1)).state is State.LATE


async def test_an_abort_ends_it_for_those_who_wait_and_those_who_come(world):
    await world.arrive("a")

    aborted = await world.store.abort(world.place, "no more")

    assert (aborted.state, aborted.reason) == (State.ABORTED, "no more")
    assert await world.announced() == [aborted]
    assert await world.arrive("b", target=9) == [aborted]


async def test_an_abort_may_come_before_anybody(world):
    await world.store.abort(world.place, "no\nmore")

    found = await world.arrive("a", target=1)

    assert (found[0].state, found[0].reason) == (State.ABORTED, "no\nmore")


async def test_a_second_abort_changes_nothing(world):
    first = await world.store.abort(world.place, "one")

    assert await world.store.abort(world.place, "two") == first
    assert await world.announced() == [first]


async def test_what_was_released_cannot_be_aborted(world):
    await world.arrive("a", "b")

    assert (await world.store.abort(world.place, "too late")).state is State.RELEASED


async def test_an_abort_of_a_cyclic_one_ends_its_next_generation(world):
    await world.arrive("a", "b", cyclic=True)

    aborted = await world.store.abort(world.place, "enough")

    assert (aborted.state, aborted.generation) == (State.ABORTED, 2)


async def test_a_reset_begins_the_next_generation_with_terms_of_its_own(world):
    await world.arrive("a", "b")
    reset = await world.store.reset(world.place, "r", "reset")

    found = await world.arrive("a", target=5, policy=Policy.FAIL)

    assert (reset.state, reset.generation) == (State.UNKNOWN, 2)
    assert (found[0].state, found[0].generation, found[0].target) == (State.OPEN, 2, 5)


async def test_a_reset_sent_again_does_nothing(world):
    await world.arrive("a")
    await world.store.reset(world.place, "r", "reset")
    await world.arrive("b")

    again = await world.store.reset(world.place, "r", "reset")

    assert (again.state, again.generation) == (State.OPEN, 2)


async def test_a_reset_ends_the_wait_of_those_who_wait(world):
    await world.arrive("a")
    await world.store.reset(world.place, "r", "was reset")

    aborted = (await world.announced())[0]

    assert (aborted.state, aborted.generation, aborted.reason) == (State.ABORTED, 1, "was reset")
    assert await world.tend(generation=1) == aborted


async def test_a_reset_of_what_nobody_reached_is_nothing(world):
    assert (await world.store.reset(world.place, "r", "reset")).generation == 1


async def test_status_says_who_arrived_when(world):
    moments = [await world.time_ms()]
    await world.arrive("a", target=4)
    moments.append(await world.time_ms())
    world.move(3 * SECOND)
    moments.append(await world.time_ms())
    await world.arrive("b", target=4)
    moments.append(await world.time_ms())
    await world.arrive("a", target=4)

    found, arrived = await world.store.status(world.place)

    assert (found.state, found.target, found.arrived) == (State.OPEN, 4, 2)
    assert moments[0] <= arrived["a"] <= moments[1] < moments[2] <= arrived["b"] <= moments[3]


async def test_who_waits_is_counted_again_by_a_store_that_forgot(world):
    terms = Terms(3, Policy.FAIL, cyclic=True)
    found = await world.store.again(world.waited(4, terms, a="x", b="y"))

    assert (found.state, found.generation, found.arrived) == (State.OPEN, 4, 2)
    last = await world.arrive("c", target=3, policy=Policy.FAIL, cyclic=True)
    assert (last[0].state, last[0].generation) == (State.RELEASED, 4)


async def test_counting_again_changes_nothing_that_is_known(world):
    await world.arrive("a", call="x")
    await world.arrive("a", call="y")
    await world.store.again(world.waited(a="x"))

    await world.withdraw(Cause.LEFT, a="x")

    assert (await world.store.status(world.place))[0].arrived == 1


async def test_counting_again_may_release(world):
    await world.arrive("a")

    found = await world.store.again(world.waited(b="y"))

    assert found.state is State.RELEASED
    assert await world.announced() == [found]


async def test_counting_again_tells_of_a_release_that_was_missed(world):
    released = (await world.arrive("a", "b", call="x"))[0]

    assert await world.store.again(world.waited(a="x")) == released


async def test_an_ending_that_was_told_is_not_forgotten(world):
    ending = Standing(State.RELEASED, 1, 2, 2, 2, start_at=1234)
    await world.arrive("a")

    await world.store.restore(world.place, ending)

    assert await world.announced() == [ending]
    assert states(await world.arrive("c")) == ["late"]


async def test_an_old_ending_is_not_written_over_a_newer_one(world):
    ending = Standing(State.RELEASED, 1, 2, 2, 2, start_at=1234, cyclic=True)
    await world.arrive("a", "b", "c", cyclic=True)
    await world.announced()

    await world.store.restore(world.place, ending)

    assert await world.announced() == []
    assert (await world.store.status(world.place))[0].generation == 2


async def test_what_an_ending_follows_is_what_was_told_last(world):
    endings = [Standing(State.RELEASED, n, 2, 2, 2, start_at=n, cyclic=True) for n in (1, 2, 5)]
    for ending in endings[:2]:
        await world.store.restore(world.place, ending)
    follows = await world.tend(generation=1)
    await world.store.restore(world.place, endings[2])
    far = await world.tend(generation=4)

    assert follows == endings[0]
    assert far.state is State.LATE


async def test_what_is_forgotten_breaks_nothing(world):
    await world.arrive("a", "b", call="x", target=3, policy=Policy.FAIL)

    await world.withdraw(Cause.FORGOTTEN, a="x")

    found, arrived = await world.store.status(world.place)
    assert (found.state, list(arrived)) == (State.OPEN, ["b"])


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_any_name_comes_back_as_it_was(world, name):
    world.place = Place(f"{world.place.run}-{name}"[-200:], name)
    await world.arrive(name, call="x", policy=Policy.FAIL)
    _, arrived = await world.store.status(world.place)
    await world.withdraw(Cause.LEFT, **{name: "x"})

    assert list(arrived) == [name]
    assert (await world.announced())[-1].broken_by == (name,)


async def test_of_many_batches_at_once_exactly_so_many_are_released(world):
    answers = await asyncio.gather(*(world.arrive(f"w{n}", target=30) for n in range(50)))

    released = [each for each in answers if each[0].state is State.RELEASED]
    late = [each for each in answers if each[0].state is State.LATE]
    assert (len(released), len(late)) == (1, 20)
    assert len(await world.announced()) == 1


async def test_everything_that_is_kept_has_a_life(valkey_url, run_id):
    scripts = Scripts(connect(valkey_url))
    world = World(RedisCheckpoints(scripts, timedelta(hours=1)), Place(run_id, "start"))
    for terms in ({"policy": Policy.FAIL, "cyclic": True}, {"policy": Policy.SHRINK}, {}):
        world.place = Place(run_id, f"start-{len(terms)}")
        for worker in "abc":
            await world.arrive(worker, target=5, **terms)
        await world.withdraw(Cause.LEFT, c="")
        await world.arrive("d", target=5, **terms)

    names = [name async for name in scripts.client.scan_iter(f"*{run_id}*", count=1000)]
    lives = [await scripts.client.pttl(name) for name in names]
    await scripts.close()

    assert len(names) > 8
    assert min(lives) > 0
