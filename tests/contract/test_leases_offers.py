"""What falls free is offered to the next in line; dead ones cost those behind them little."""

from collections.abc import AsyncIterator

import pytest

from syncsvc.coordination.leases.model import ALIVE, OFFER, LeaseKind, Outcome
from tests.contract.lease_homes import TTL, World, in_memory, on_server
from tests.support.builders import SECOND

LOCK, RWLOCK, SEMAPHORE, LEADER = LeaseKind


@pytest.fixture(params=["memory", "redis"])
async def world(request, run_id) -> AsyncIterator[World]:
    if request.param == "memory":
        yield in_memory(run_id)
        return
    async with on_server(run_id, request.getfixturevalue("valkey_url")) as world:
        yield world


async def offered(world: World, worker: str = "b", kind: LeaseKind = LOCK) -> int:
    """Give the token of what a worker is offered, and has not claimed."""
    holders = (await world.leases.look(world.lease(kind))).holders
    (token,) = [each.token for each in holders if each.worker == worker]
    return token


@pytest.fixture
async def handed(world) -> World:
    """Give a lock that `a` gave back, that `b` is offered, and that `c` waits for."""
    for name in "abc":
        await world.ask(name)
    await world.release("a")
    return world


async def test_an_offer_is_shown_as_held_but_not_for_long(handed):
    view = await handed.leases.look(handed.lease())

    assert [holder.worker for holder in view.holders] == ["b"]
    assert view.leader.ends_in <= OFFER


async def test_a_claim_keeps_the_token_and_begins_the_full_time(handed):
    token = await offered(handed)
    handed.pass_(OFFER / 2)

    mine = (await handed.ask("b")).mine

    assert mine.token == token
    assert mine.ends_in > TTL - SECOND / 2


async def test_what_is_not_claimed_goes_to_the_next_by_a_larger_token(handed):
    unclaimed = await offered(handed)
    handed.pass_(OFFER)

    assert await handed.holders() == {"c"}
    assert await offered(handed, "c") > unclaimed


async def test_the_token_of_an_offer_that_lapsed_is_good_for_nothing(handed):
    token = await offered(handed)
    handed.pass_(OFFER)

    renewed = await handed.leases.renew(handed.lease(), "b", token, TTL)
    released = await handed.leases.release(handed.lease(), "b", token, None)

    assert (renewed.outcome, released.outcome) == (Outcome.LOST, Outcome.LOST)


async def test_whoever_claims_too_late_waits_again_behind_the_others(handed):
    await handed.ask("d")
    handed.pass_(OFFER)
    await handed.ask("c")

    assert (await handed.ask("b")).place == 2


async def test_whoever_claims_before_anybody_notes_that_it_is_late_is_not_late(handed):
    token = await offered(handed)
    handed.pass_(3 * OFFER)

    mine = (await handed.ask("b")).mine

    assert mine.token == token
    assert mine.ends_in > TTL - SECOND / 2


async def test_other_terms_claim_nothing(world):
    await world.ask("a", SEMAPHORE, limit=2, weight=2)
    await world.ask("b", SEMAPHORE, limit=2, weight=2)
    await world.release("a", SEMAPHORE)

    refused = await world.answer("b", SEMAPHORE, limit=2, weight=1)
    world.pass_(OFFER)

    assert refused.outcome is Outcome.OTHER_WEIGHT
    assert await world.holders(SEMAPHORE) == set()


async def test_renewing_what_is_offered_claims_it(handed):
    answer = await handed.leases.renew(handed.lease(), "b", await offered(handed), 30 * TTL)
    handed.pass_(29 * TTL)

    assert answer.outcome is Outcome.DONE
    assert await handed.holders() == {"b"}


async def test_what_is_offered_may_be_given_back_unclaimed(handed):
    token = await offered(handed)

    answers = [await handed.leases.release(handed.lease(), "b", token, None) for _ in range(2)]

    assert [answer.outcome for answer in answers] == [Outcome.DONE, Outcome.DONE]
    assert await handed.holders() == {"c"}


async def test_one_whose_time_has_passed_claims_what_it_was_offered(handed):
    view = await handed.leases.withdraw(handed.lease(), "b", "of b", release=False)

    assert view.mine.ends_in > TTL - SECOND / 2


async def test_a_claim_belongs_to_the_call_that_makes_it(handed):
    await handed.ask("b", ticket="next connection")

    await handed.leases.withdraw(handed.lease(), "b", "next connection", release=True)

    assert await handed.holders() == {"c"}


async def test_a_call_that_gives_up_leaves_the_place_of_the_next_and_tells_it(world):
    await world.ask("a", ttl=SECOND)
    await world.ask("b", ticket="lost connection")
    await world.ask("b", ticket="next connection")
    world.pass_(SECOND)

    await world.leases.withdraw(world.lease(), "b", "lost connection", release=True)

    token = await offered(world)
    assert await world.hear() == (f"{world.lease().subject}\nb", str(token))


async def test_readers_that_claim_stay_and_those_that_do_not_go(world):
    await world.write("writer")
    for name in ("a", "b", "dead"):
        await world.read(name)
    await world.write("next")
    await world.release("writer", RWLOCK)

    await world.read("a")
    await world.read("b")
    world.pass_(OFFER)

    assert await world.holders(RWLOCK) == {"a", "b"}
    assert (await world.write("next")).place == 1


async def test_permits_that_are_not_claimed_are_free_for_the_next(world):
    await world.ask("a", SEMAPHORE, limit=3, weight=3)
    for name, weight in (("b", 1), ("dead", 2), ("c", 2)):
        await world.ask(name, SEMAPHORE, limit=3, weight=weight)
    await world.release("a", SEMAPHORE)
    await world.ask("b", SEMAPHORE, limit=3)

    world.pass_(OFFER)

    assert await world.holders(SEMAPHORE) == {"b", "c"}


async def test_an_heir_that_does_not_claim_gives_way_to_the_next(world):
    for name in ("a", "b", "dead"):
        await world.ask(name, LEADER)
    await world.release("a", LEADER, heir="dead")

    world.pass_(OFFER)

    assert await world.holders(LEADER) == {"b"}


async def test_those_who_observe_are_told_of_each_that_is_offered_to_lead(world):
    for name in ("a", "dead", "b"):
        await world.ask(name, LEADER)
    await world.release("a", LEADER)
    first = await offered(world, "dead", LEADER)
    world.pass_(OFFER)
    second = await offered(world, "b", LEADER)

    told = [await world.hear() for _ in range(6)]

    observed = [body for subject, body in told if subject == world.lease(LEADER).subject]
    assert observed[1:] == [str(first), str(second)]


async def test_a_place_that_nobody_looks_after_is_passed_by_at_once(world):
    await world.ask("a")
    await world.ask("dead")
    world.pass_(ALIVE / 2)
    await world.ask("b")
    world.pass_(ALIVE / 2)

    await world.release("a")

    assert await world.holders() == {"b"}


async def test_all_that_waited_at_a_gateway_that_died_cost_one_offer(world):
    await world.ask("a", gateway="dead")
    for i in range(100):
        await world.ask(f"dead {i}", gateway="dead")
    await world.ask("b", gateway="live")
    await world.release("a")

    world.pass_(OFFER)
    view = await world.leases.look(world.lease())

    assert ([holder.worker for holder in view.holders], view.waiters) == (["b"], 0)


@pytest.mark.parametrize("looks", ["b", "c"])
async def test_those_at_a_gateway_that_has_looked_since_keep_their_places(world, looks):
    await world.ask("a")
    for name in ("left behind", "b", "c"):
        await world.ask(name, gateway="live")
    await world.release("a")
    world.pass_(OFFER / 2)
    await world.ask(looks, gateway="live")

    world.pass_(OFFER / 2)

    assert await world.holders() == {"b"}
    assert (await world.ask("c", gateway="live")).place == 1


async def test_one_that_looks_when_an_offer_has_lapsed_shows_that_its_gateway_lives(world):
    await world.ask("a")
    for name in ("left behind", "b", "c"):
        await world.ask(name, gateway="live")
    await world.release("a")
    world.pass_(OFFER)

    place = (await world.ask("c", gateway="live")).place

    assert place == 1
    assert await world.holders() == {"b"}


async def test_those_at_another_gateway_keep_their_order(world):
    await world.ask("a")
    for name in ("dead", "b", "dead too", "c"):
        await world.ask(name, gateway=name.split()[0])
    await world.release("a")

    world.pass_(OFFER)

    assert await world.holders() == {"b"}
    assert (await world.ask("c", gateway="c")).place == 1
