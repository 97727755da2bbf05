"""What every home of the outbox promises."""

import asyncio

import pytest

from syncsvc.errors import Unknown
from syncsvc.results.held.model import EntryState
from syncsvc.results.held.ports import Filter
from tests.support.builders import MINUTE, NOON, SECOND, cut, run

HELD, PENDING, DELIVERED, DEAD = EntryState


@pytest.fixture(autouse=True)
async def known_runs(runs):
    await runs.put(run("run"))
    await runs.put(run("other"))


async def due(outbox, *, run_id: str = "run"):
    """Hold one result, release it and claim it."""
    await outbox.hold(cut(run_id=run_id), NOON)
    await outbox.release(run_id, NOON, forced=False)
    (claimed,) = await outbox.claim_due(NOON, MINUTE, 10)
    return claimed


async def test_a_held_result_is_kept_with_all_its_fields(outbox):
    entry_id = await outbox.hold(cut("test", code="passed"), NOON)

    entry = await outbox.get(entry_id)

    assert entry.cut == cut("test", code="passed")
    assert (entry.state, entry.attempt, entry.held_at) == (HELD, 0, NOON)


async def test_a_result_of_a_run_that_nobody_registered_is_refused_by_name(outbox):
    with pytest.raises(Unknown, match=r"testRunId: .* 'stranger'"):
        await outbox.hold(cut(run_id="stranger"), NOON)


async def test_a_stranger_among_many_does_not_harm_the_others(outbox):
    calls = [outbox.hold(cut(run_id=name), NOON) for name in ["run", "stranger", "other"]]

    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(answer) for answer in answers] == [str, Unknown, str]


async def test_held_runs_are_told_with_their_newest_moment(outbox):
    await outbox.hold(cut(), NOON)
    await outbox.hold(cut(), NOON + SECOND)

    assert list(await outbox.held_runs()) == [("run", NOON + SECOND)]


async def test_a_held_result_is_not_due(outbox):
    await outbox.hold(cut(), NOON)

    assert list(await outbox.claim_due(NOON + MINUTE, MINUTE, 10)) == []


async def test_a_released_result_is_due_once(outbox):
    claimed = await due(outbox)

    assert (claimed.state, claimed.released_at) == (PENDING, NOON)
    assert list(await outbox.claim_due(NOON, MINUTE, 10)) == []


async def test_a_claim_whose_holder_died_is_due_again_after_its_term(outbox):
    claimed = await due(outbox)

    (again,) = await outbox.claim_due(NOON + MINUTE, MINUTE, 10)

    assert again.id == claimed.id
    assert not await outbox.settle(claimed, DELIVERED, NOON, None)
    assert await outbox.settle(again, DELIVERED, NOON, None)


async def test_two_that_claim_at_once_share_nothing(outbox):
    for _ in range(20):
        await outbox.hold(cut(), NOON)
    await outbox.release("run", NOON, forced=False)

    one, two = await asyncio.gather(
        outbox.claim_due(NOON, MINUTE, 15), outbox.claim_due(NOON, MINUTE, 15)
    )

    assert not {e.id for e in one} & {e.id for e in two}
    assert len({e.id for e in one} | {e.id for e in two}) >= 15


async def test_a_target_is_remembered(outbox):
    claimed = await due(outbox)

    await outbox.aim({claimed.id: "result"})

    assert (await outbox.get(claimed.id)).target_id == "result"
    assert list(await outbox.aimed("run")) == ["result"]


async def test_an_entry_put_back_has_lost_no_attempt(outbox):
    claimed = await due(outbox)

    assert await outbox.put_back(claimed, HELD, None)

    entry = await outbox.get(claimed.id)
    assert (entry.state, entry.attempt, entry.due_at) == (HELD, 0, None)


async def test_a_failed_attempt_is_counted_and_due_later(outbox):
    claimed = await due(outbox)

    assert await outbox.retry_later(claimed, NOON + MINUTE, "503")

    entry = await outbox.get(claimed.id)
    assert (entry.state, entry.attempt, entry.reason) == (PENDING, 1, "503")
    assert list(await outbox.claim_due(NOON + MINUTE - SECOND, MINUTE, 10)) == []
    assert len(await outbox.claim_due(NOON + MINUTE, MINUTE, 10)) == 1


@pytest.mark.parametrize("state", [DELIVERED, DEAD])
async def test_a_settled_entry_is_never_due(outbox, state):
    claimed = await due(outbox)

    assert await outbox.settle(claimed, state, NOON + SECOND, "because")

    entry = await outbox.get(claimed.id)
    assert (entry.state, entry.reason, entry.settled_at) == (state, "because", NOON + SECOND)
    assert list(await outbox.claim_due(NOON + 60 * MINUTE, MINUTE, 10)) == []


async def test_a_dead_entry_that_is_revived_starts_again(outbox):
    claimed = await due(outbox)
    await outbox.settle(claimed, DEAD, NOON, "401")

    assert await outbox.revive(claimed.id, NOON + MINUTE) == 1

    (again,) = await outbox.claim_due(NOON + MINUTE, MINUTE, 10)
    assert (again.id, again.attempt, again.released_at) == (claimed.id, 0, NOON + MINUTE)


async def test_only_the_dead_are_revived(outbox):
    entry_id = await outbox.hold(cut(), NOON)

    assert await outbox.revive(entry_id, NOON) == 0
    assert await outbox.revive(None, NOON) == 0


async def test_a_forced_release_hurries_what_is_pending_too(outbox):
    claimed = await due(outbox)
    await outbox.put_back(claimed, PENDING, NOON + 60 * MINUTE)

    assert await outbox.release("run", NOON, forced=True) == 1

    (hurried,) = await outbox.claim_due(NOON, MINUTE, 10)
    assert hurried.forced


async def test_entries_are_listed_newest_first_page_by_page(outbox):
    ids = [await outbox.hold(cut(f"t{i}"), NOON + i * SECOND) for i in range(5)]

    first = await outbox.entries(Filter(limit=2))
    second = await outbox.entries(Filter(limit=2, before=first[-1].id))

    assert [e.id for e in [*first, *second]] == ids[::-1][:4]


async def test_a_list_can_be_narrowed_by_run_and_state(outbox):
    await outbox.hold(cut(run_id="other"), NOON)
    claimed = await due(outbox)

    assert [e.id for e in await outbox.entries(Filter(run_id="run"))] == [claimed.id]
    assert [e.id for e in await outbox.entries(Filter(state=PENDING))] == [claimed.id]


async def test_entries_are_counted_by_state(outbox):
    await outbox.hold(cut(run_id="other"), NOON)
    await due(outbox)

    assert await outbox.counts() == {HELD: 1, PENDING: 1}
    assert await outbox.counts("other") == {HELD: 1}


async def test_a_run_holds_something_until_it_is_settled(outbox):
    assert not await outbox.is_held("run")
    claimed = await due(outbox)
    assert await outbox.is_held("run")

    await outbox.settle(claimed, DELIVERED, NOON, None)

    assert not await outbox.is_held("run")


async def test_only_what_was_delivered_long_ago_is_forgotten(outbox):
    claimed = await due(outbox)
    await outbox.settle(claimed, DELIVERED, NOON, None)
    await outbox.hold(cut(run_id="other"), NOON)

    assert await outbox.forget(NOON) == 0
    assert await outbox.forget(NOON + SECOND) == 1
    assert await outbox.counts() == {HELD: 1}


async def test_a_written_result_is_delivered_and_due_once_more(outbox):
    claimed = await due(outbox)

    assert await outbox.written(claimed, NOON, NOON + MINUTE, "remark")

    assert await outbox.counts("run") == {DELIVERED: 1}
    assert not await outbox.is_held("run")
    assert list(await outbox.claim_due(NOON + MINUTE - SECOND, MINUTE, 10)) == []
    (again,) = await outbox.claim_due(NOON + MINUTE, MINUTE, 10)
    assert (again.is_looked_at_again, again.writes, again.settled_at) == (True, 1, NOON)
    assert await outbox.settle(again, DELIVERED, NOON + MINUTE, again.reason)
    assert list(await outbox.claim_due(NOON + 60 * MINUTE, MINUTE, 10)) == []


async def test_a_written_result_whose_claim_was_lost_changes_nothing(outbox):
    claimed = await due(outbox)
    await outbox.claim_due(NOON + MINUTE, MINUTE, 10)

    assert not await outbox.written(claimed, NOON, NOON + MINUTE, None)


async def test_a_result_taken_back_is_not_settled_and_keeps_how_often_it_was_written(outbox):
    claimed = await due(outbox)
    await outbox.written(claimed, NOON, NOON, None)
    (again,) = await outbox.claim_due(NOON, MINUTE, 10)

    assert await outbox.put_back(again, PENDING, NOON + MINUTE)

    entry = await outbox.get(claimed.id)
    assert (entry.state, entry.writes, entry.settled_at) == (PENDING, 1, None)


async def test_what_is_to_be_looked_at_again_is_not_hurried_and_not_forgotten(outbox):
    claimed = await due(outbox)
    await outbox.written(claimed, NOON, NOON + MINUTE, None)

    assert await outbox.release("run", NOON, forced=True) == 0
    assert await outbox.forget(NOON + SECOND) == 0


async def dead(outbox, run_id="run"):
    claimed = await due(outbox, run_id=run_id)
    await outbox.settle(claimed, DEAD, NOON, "401")
    return claimed.id


async def test_only_the_dead_are_dropped_one_by_its_id(outbox):
    one, two = await dead(outbox), await dead(outbox)
    held = await outbox.hold(cut(), NOON)

    assert await outbox.drop(held, None) == 0
    assert await outbox.drop(one, None) == 1

    assert await outbox.get(one) is None
    assert (await outbox.get(two)).state is DEAD


async def test_the_dead_of_one_run_or_of_all_are_dropped(outbox):
    for run_id in ("run", "run", "other", "other"):
        await dead(outbox, run_id)

    assert await outbox.drop(None, "run") == 2
    assert await outbox.drop(None, "stranger") == 0
    assert await outbox.drop(None, None) == 2
    assert await outbox.counts() == {}


async def test_a_cut_that_comes_after_a_forced_release_is_held(outbox):
    await outbox.hold(cut(), NOON)
    await outbox.release("run", NOON, forced=True)

    later = await outbox.hold(cut("later"), NOON)

    assert ((await outbox.get(later)).state, (await outbox.get(later)).forced) == (HELD, False)
