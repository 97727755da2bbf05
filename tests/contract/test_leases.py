"""What every home of leases promises."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from syncsvc.coordination.leases.model import (
    ALIVE,
    CALLS,
    Lease,
    LeaseKind,
    Outcome,
    Wish,
)
from syncsvc.coordination.leases.redis import RedisLeases
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.scripts import Scripts, connect
from tests.contract.lease_homes import LIFE, TTL, World, in_memory, on_server
from tests.support.builders import SECOND

LOCK, RWLOCK, SEMAPHORE, LEADER = LeaseKind


@pytest.fixture(params=["memory", "redis"])
async def world(request, run_id) -> AsyncIterator[World]:
    if request.param == "memory":
        yield in_memory(run_id)
        return
    async with on_server(run_id, request.getfixturevalue("valkey_url")) as world:
        yield world


@pytest.fixture
async def forget(world) -> Callable:
    """Lose everything that is kept, as a server without persistence does when it restarts."""

    async def forget(kind: LeaseKind = LOCK) -> None:
        world.lose()
        if isinstance(world.leases, RedisLeases):
            every = keys.lease_keys(world.run, kind, "it", LIFE)
            await world.leases.scripts.client.delete(*(key.name for key in every))

    return forget


async def test_a_lock_is_held_by_one(world):
    first, second = await world.ask("a"), await world.ask("b")

    assert (first.mine.worker, second.mine) == ("a", None)
    assert [holder.worker for holder in second.holders] == ["a"]
    assert second.place == 1


async def test_asking_again_keeps_the_token_and_gives_the_time_anew(world):
    first = await world.ask("a")
    world.pass_(20 * SECOND)

    again = await world.ask("a")

    assert again.mine.token == first.mine.token
    assert again.mine.ends_in > 29 * SECOND


async def test_asking_again_never_shortens_a_lease(world):
    await world.ask("a", ttl=3600 * SECOND)

    assert (await world.ask("a", ttl=SECOND)).mine.ends_in > 3540 * SECOND


async def test_whoever_does_not_queue_leaves_nothing_behind(world):
    await world.ask("a")

    answer = await world.answer("b", queue=False)

    assert (answer.view.mine, answer.view.place, answer.view.waiters) == (None, None, 0)


async def test_those_who_wait_are_served_in_their_order(world):
    await world.ask("a")
    places = [(await world.ask(name)).place for name in ("d", "b", "c")]
    served = []

    for _ in range(3):
        (holder,) = await world.holders()
        await world.release(holder)
        served += await world.holders()

    assert (places, served) == ([1, 2, 3], ["d", "b", "c"])


async def test_looking_again_keeps_the_place(world):
    for name in ("a", "b", "c"):
        await world.ask(name)

    assert (await world.ask("b")).place == 1
    assert (await world.answer("b", queue=False)).view.place == 1


async def test_whoever_does_not_queue_overtakes_nobody(world):
    await world.ask("a", SEMAPHORE, limit=3, weight=2)
    await world.ask("b", SEMAPHORE, limit=3, weight=2)

    answer = await world.answer("c", SEMAPHORE, queue=False, limit=3)

    assert answer.view.mine is None


async def test_readers_share(world):
    assert (await world.read("a")).mine
    assert (await world.read("b")).mine
    assert not (await world.write("c")).mine


async def test_a_reader_does_not_overtake_a_writer_that_waits(world):
    await world.read("a")
    await world.write("writer")
    late = await world.read("b")

    await world.release("a", RWLOCK)

    assert (late.mine, late.place) == (None, 2)
    assert await world.holders(RWLOCK) == {"writer"}


async def test_readers_behind_a_writer_come_in_together(world):
    await world.write("writer")
    for name in ("a", "b", "c"):
        await world.read(name)

    await world.release("writer", RWLOCK)

    assert await world.holders(RWLOCK) == {"a", "b", "c"}


async def test_a_semaphore_gives_as_many_permits_as_it_has(world):
    asked = [await world.ask(name, SEMAPHORE, limit=3) for name in "abcd"]

    assert [view.mine is not None for view in asked] == [True, True, True, False]


async def test_one_that_wants_much_is_not_starved_by_those_that_want_little(world):
    await world.ask("a", SEMAPHORE, limit=3)
    await world.ask("much", SEMAPHORE, limit=3, weight=3)
    little = await world.ask("little", SEMAPHORE, limit=3)

    await world.release("a", SEMAPHORE)

    assert little.place == 2
    assert await world.holders(SEMAPHORE) == {"much"}


async def test_another_limit_than_the_others_is_refused(world):
    await world.ask("a", SEMAPHORE, limit=3)

    refused = await world.answer("b", SEMAPHORE, limit=4)

    assert (refused.outcome, refused.view.limit) == (Outcome.OTHER_LIMIT, 3)


async def test_a_semaphore_that_nobody_uses_takes_another_limit(world):
    await world.ask("a", SEMAPHORE, limit=3)
    await world.release("a", SEMAPHORE)

    assert (await world.ask("b", SEMAPHORE, limit=4)).mine


@pytest.mark.parametrize("holder", ["a", "b"])
async def test_a_worker_cannot_hold_or_wait_for_other_permits_than_before(world, holder):
    await world.ask(holder, SEMAPHORE, limit=3, weight=3)
    await world.ask("a", SEMAPHORE, limit=3, weight=3)

    refused = await world.answer("a", SEMAPHORE, limit=3, weight=1)

    assert (refused.outcome, refused.view.bound) == (Outcome.OTHER_WEIGHT, 3)


async def test_kinds_of_one_name_have_nothing_to_do_with_each_other(world):
    asked = [await world.ask("a", LOCK), await world.ask("b", LEADER), await world.read("c")]

    assert all(view.mine for view in asked)


async def test_a_lease_that_ended_goes_to_the_next(world):
    await world.ask("a", ttl=5 * SECOND)
    await world.ask("b")

    world.pass_(5 * SECOND)

    assert await world.holders() == {"b"}


async def test_a_lease_that_is_renewed_does_not_end(world):
    held = await world.ask("a", ttl=500 * SECOND)
    world.pass_(400 * SECOND)

    answer = await world.leases.renew(world.lease(), "a", held.mine.token, 500 * SECOND)
    world.pass_(400 * SECOND)

    assert answer.outcome is Outcome.DONE
    assert await world.holders() == {"a"}


async def test_a_lease_that_ended_cannot_be_renewed_or_given_back(world):
    held = await world.ask("a", ttl=5 * SECOND)
    await world.ask("b")
    world.pass_(5 * SECOND)

    renewed = await world.leases.renew(world.lease(), "a", held.mine.token, TTL)
    released = await world.leases.release(world.lease(), "a", held.mine.token, None)

    assert (renewed.outcome, released.outcome) == (Outcome.LOST, Outcome.LOST)
    assert [holder.worker for holder in released.view.holders] == ["b"]


async def test_an_older_token_renews_nothing_and_gives_nothing_back(world):
    old = (await world.ask("a")).mine.token
    await world.release("a")
    await world.ask("a")

    renewed = await world.leases.renew(world.lease(), "a", old, TTL)
    released = await world.leases.release(world.lease(), "a", old, None)

    assert (renewed.outcome, released.outcome) == (Outcome.LOST, Outcome.DONE)
    assert await world.holders() == {"a"}


async def test_nobody_gives_back_what_another_holds(world):
    token = (await world.ask("a")).mine.token

    answer = await world.leases.release(world.lease(), "b", token, None)

    assert answer.outcome is Outcome.LOST
    assert await world.holders() == {"a"}


async def test_giving_back_twice_is_harmless(world):
    token = (await world.ask("a")).mine.token

    answers = [await world.leases.release(world.lease(), "a", token, None) for _ in range(2)]

    assert [answer.outcome for answer in answers] == [Outcome.DONE, Outcome.DONE]


async def test_one_that_waits_and_is_not_heard_of_is_passed_by(world):
    await world.ask("a", ttl=60 * SECOND)
    await world.ask("dead")
    world.pass_(10 * SECOND)
    await world.ask("b")
    world.pass_(5 * SECOND)

    await world.release("a")

    assert await world.holders() == {"b"}


async def test_one_that_looks_again_in_time_keeps_its_place_for_longer(world):
    await world.ask("a", ttl=60 * SECOND)
    for _ in range(3):
        await world.ask("b")
        world.pass_(ALIVE - SECOND)

    await world.release("a")

    assert await world.holders() == {"b"}


async def test_a_leader_hands_over_to_the_one_it_names(world):
    for name in ("a", "b", "c"):
        await world.ask(name, LEADER)

    outcome = await world.release("a", LEADER, heir="c")

    assert outcome is Outcome.DONE
    assert await world.holders(LEADER) == {"c"}
    assert (await world.ask("b", LEADER)).place == 1


@pytest.mark.parametrize("heir", ["stranger", "a", "dead"])
async def test_a_leader_keeps_its_lease_when_the_heir_does_not_wait(world, heir):
    await world.ask("a", LEADER)
    await world.ask("b", LEADER)
    await world.ask("dead", LEADER)
    world.pass_(10 * SECOND)
    await world.ask("b", LEADER)
    world.pass_(5 * SECOND)

    assert await world.release("a", LEADER, heir=heir) is Outcome.ABSENT
    assert await world.holders(LEADER) == {"a"}


async def test_each_grant_has_a_larger_token(world):
    tokens = []
    for name in "abcabc":
        tokens.append((await world.ask(name)).mine.token)
        await world.release(name)

    assert tokens == sorted(set(tokens))


async def test_tokens_grow_on_after_everything_was_lost(world, forget):
    before = (await world.ask("a")).mine.token

    await forget()
    world.pass_(SECOND)

    assert (await world.ask("b")).mine.token > before


async def test_tokens_grow_on_when_the_clock_goes_back(world):
    before = (await world.ask("a")).mine.token
    await world.release("a")

    world.pass_(-5 * SECOND)

    assert (await world.ask("b")).mine.token == before + 1


async def test_one_that_gives_up_leaves_the_queue(world):
    for name in ("a", "b", "c"):
        await world.ask(name)

    view = await world.leases.withdraw(world.lease(), "b", "of b", release=True)

    assert (view.mine, view.place, view.waiters) == (None, None, 1)


async def test_one_that_gives_up_gives_back_what_it_was_granted_meanwhile(world):
    for name in ("a", "b", "c"):
        await world.ask(name)
    await world.release("a")

    await world.leases.withdraw(world.lease(), "b", "of b", release=True)

    assert await world.holders() == {"c"}


async def test_one_whose_time_has_passed_keeps_what_it_was_granted_meanwhile(world):
    await world.ask("a")
    await world.ask("b")
    await world.release("a")

    view = await world.leases.withdraw(world.lease(), "b", "of b", release=False)

    assert view.mine.worker == "b"


async def test_a_call_that_gives_up_takes_nothing_from_a_later_one(world):
    await world.ask("a")
    await world.ask("b", ticket="lost connection")
    await world.ask("b", ticket="next connection")

    await world.leases.withdraw(world.lease(), "b", "lost connection", release=True)

    assert (await world.ask("b")).place == 1


async def test_what_two_calls_know_of_goes_when_the_last_of_them_gives_up(world):
    await world.ask("a", ticket="one")
    await world.ask("a", ticket="another")
    held = []

    for ticket in ("one", "one", "another"):
        await world.leases.withdraw(world.lease(), "a", ticket, release=True)
        held.append(await world.holders())

    assert held == [{"a"}, {"a"}, set()]


async def test_a_call_that_was_told_of_it_in_the_end_keeps_it_from_one_that_gives_up(world):
    await world.ask("a", ticket="one")
    await world.leases.withdraw(world.lease(), "a", "another", release=False)

    await world.leases.withdraw(world.lease(), "a", "one", release=True)

    assert await world.holders() == {"a"}


async def test_one_that_renews_knows_what_it_holds_though_its_call_gives_up(world):
    token = (await world.ask("a")).mine.token
    await world.leases.renew(world.lease(), "a", token, TTL)

    await world.leases.withdraw(world.lease(), "a", "of a", release=True)

    assert await world.holders() == {"a"}


@pytest.mark.parametrize(("calls", "left"), [(CALLS, set()), (CALLS + 1, {"a"})])
async def test_of_more_calls_than_are_noted_one_never_gives_up(world, calls, left):
    tickets = [str(i) for i in range(calls)]
    for ticket in tickets:
        await world.ask("a", ticket=ticket)

    for ticket in tickets:
        await world.leases.withdraw(world.lease(), "a", ticket, release=True)

    assert await world.holders() == left


async def test_a_grant_is_told_to_the_one_it_is_for(world):
    await world.ask("a")
    await world.ask("b")
    await world.ask("c")

    await world.release("a")

    token = (await world.ask("b")).mine.token
    assert await world.hear() == (f"lease\n{world.run}\nlock\nit\nb", str(token))


async def test_whoever_is_first_in_line_from_now_on_is_told_to_look(world):
    await world.ask("a")
    await world.ask("b")
    await world.ask("c")

    await world.leases.withdraw(world.lease(), "b", "of b", release=True)

    assert await world.hear() == (f"lease\n{world.run}\nlock\nit\nc", "")
    assert world.heard.empty()


async def test_whoever_is_first_in_line_is_told_when_a_lease_will_end_sooner(world):
    token = (await world.ask("a")).mine.token
    await world.ask("b")
    await world.ask("c")

    await world.leases.renew(world.lease(), "a", token, 2 * TTL)
    await world.leases.renew(world.lease(), "a", token, SECOND)

    assert await world.hear() == (f"lease\n{world.run}\nlock\nit\nb", "")
    assert world.heard.empty()


async def test_those_who_observe_are_told_of_each_leader_and_of_nobody(world):
    subject = f"lease\n{world.run}\nleader\nit"
    await world.ask("a", LEADER)
    led = await world.hear()

    await world.release("a", LEADER)

    assert led[0] == subject
    assert int(led[1]) > 0
    assert await world.hear() == (subject, "")


async def test_those_who_observe_are_told_when_somebody_finds_that_a_lease_has_ended(world):
    await world.ask("a", LEADER)
    await world.hear()
    world.pass_(TTL)

    await world.leases.look(world.lease(LEADER))

    assert await world.hear() == (f"lease\n{world.run}\nleader\nit", "")


@pytest.mark.parametrize("name", ["wörker|1|2", "a b", "h:w:", "🙂", "x" * 200, "{}"])
async def test_any_name_comes_back_as_it_was(world, name):
    await world.ask("a")
    await world.ask(name)
    await world.release("a")

    assert await world.holders() == {name}


async def test_of_many_that_ask_at_once_one_holds_and_all_are_in_line(world):
    asked = [world.ask(f"w{i}") for i in range(300)]

    views = await asyncio.gather(*asked)

    assert sorted(view.place or 0 for view in views) == list(range(300))
    assert max(view.waiters for view in views) == 299


async def test_no_more_holders_are_shown_than_fit_and_all_are_counted(world):
    for i in range(120):
        await world.read(f"w{i}")

    view = await world.leases.look(world.lease(RWLOCK))

    assert (len(view.holders), view.used) == (100, 120)


async def test_what_is_kept_outlives_every_lease_in_it(valkey_url, run_id):
    scripts = Scripts(connect(valkey_url))
    leases, lease = RedisLeases(scripts, life=60 * SECOND), Lease(run_id, LOCK, "it")

    await leases.acquire(lease, Wish("a", ttl=3600 * SECOND), queue=False)
    await leases.acquire(lease, Wish("b", ttl=SECOND), queue=True)

    touched = keys.lease_keys(run_id, LOCK, "it", SECOND)
    lives = [await scripts.client.pttl(key.name) for key in touched[:3]]
    assert all(life > 3_600_000 for life in lives)
    await scripts.close()
