"""Pushed results are delivered in batches, side by side, with no needless request."""

import asyncio

import pytest

from syncsvc.errors import Unavailable
from syncsvc.results.held.model import EntryState
from tests.support.pushed import TERMS, Fate, PushHouse, eventually, pushed


async def test_what_is_due_is_delivered_and_counted(open_house):
    await open_house.accept("one", "two")

    settled = await open_house.tick()

    assert settled == 2
    assert open_house.board.shows() == {
        "opener": "InProgress",
        "one": "Succeeded",
        "two": "Succeeded",
    }
    assert open_house.states() == {EntryState.HELD: 1, EntryState.DELIVERED: 2}


async def test_an_entry_knows_its_result_in_test_it(open_house):
    await open_house.accept("one")

    await open_house.tick()

    (row,) = [row for row in open_house.board.rows() if row.external_id == "one"]
    assert open_house.entry("one").target_id == row.id
    assert row.mark == open_house.entry("one").id


async def test_a_hundred_results_of_an_open_run_are_one_post_and_nothing_else(open_house):
    await open_house.accept(*[f"test {number}" for number in range(100)])

    await open_house.tick()

    assert open_house.board.calls == ["ensure_autotests", "post"]


async def test_results_of_one_test_go_out_one_after_another_in_requests_of_their_own(open_house):
    await open_house.accept(pushed("same"), pushed("same", duration_ms=18), pushed("other"))

    settled = await open_house.tick()

    assert settled == 3
    assert sorted(len(posts) for posts in open_house.board.posts) == [1, 2]


async def test_no_more_batches_are_under_way_at_once_than_agreed():
    house = PushHouse(limit=1)
    await house.accept("opener")
    await house.tick()
    house.board.gate = asyncio.Event()
    await house.accept(*[f"test {number}" for number in range(10)])

    at_it = asyncio.create_task(house.delivery.deliver_due())
    await eventually(lambda: house.board.posting == TERMS.at_once, "all lanes are busy")
    house.board.gate.set()
    await at_it

    assert house.board.most_posting == TERMS.at_once
    assert house.states()[EntryState.DELIVERED] == 10


async def test_a_batch_is_claimed_as_soon_as_another_one_ends():
    house = PushHouse(limit=1)
    await house.accept("opener")
    await house.tick()
    gates = [asyncio.Event() for _ in range(5)]
    coming, begun = iter(gates), []
    take = house.board.post

    async def post(*request):
        begun.append(request)
        await next(coming).wait()
        return await take(*request)

    house.board.post = post
    await house.accept(*[f"test {number}" for number in range(5)])
    at_it = asyncio.create_task(house.delivery.deliver_due())
    await eventually(lambda: len(begun) == TERMS.at_once, "four are under way")

    gates[0].set()
    gates[4].set()
    await eventually(lambda: house.states()[EntryState.DELIVERED] == 2, "the fifth is done")

    for gate in gates:
        gate.set()
    assert await at_it == 5


async def test_who_comes_while_the_process_is_at_it_is_sent_away_and_its_work_is_seen_to(
    open_house,
):
    open_house.board.gate = asyncio.Event()
    await open_house.accept("first")
    at_it = asyncio.create_task(open_house.delivery.deliver_due())
    await eventually(lambda: open_house.board.posting == 1, "the first is under way")

    await open_house.accept("second")
    sent_away = await open_house.delivery.deliver_due()

    assert sent_away == 0
    await eventually(lambda: open_house.board.posting == 2, "the second is under way too")
    open_house.board.gate.set()
    assert await at_it == 2


async def test_results_that_wait_behind_an_opening_follow_at_once():
    house = PushHouse(limit=2)
    await house.accept(*[f"test {number}" for number in range(9)])

    settled = await house.tick()

    assert settled == 9


async def test_nothing_new_is_begun_once_the_budget_is_used():
    house = PushHouse(limit=1)
    await house.accept("opener")
    await house.tick()
    await house.accept(*[f"test {number}" for number in range(8)])
    house.board.gate = asyncio.Event()
    at_it = asyncio.create_task(house.delivery.deliver_due())
    await eventually(lambda: house.board.posting == TERMS.at_once, "all lanes are busy")

    house.clock.pass_(TERMS.idle_limit / 30)
    house.board.gate.set()

    assert await at_it == TERMS.at_once
    assert await house.delivery.deliver_due() == 8 - TERMS.at_once


async def test_an_outbox_that_cannot_be_reached_ends_nothing_that_is_under_way(open_house):
    steps = []

    def second_claim_fails(step: str) -> Fate:
        steps.append(step)
        return Fate.REFUSED if steps.count("claim") == 2 and step == "claim" else Fate.WELL

    open_house.fate = second_claim_fails
    await open_house.accept("one")

    with pytest.raises(Unavailable, match="the database cannot be reached"):
        await open_house.delivery.deliver_due()

    assert open_house.entry("one").state is EntryState.DELIVERED
