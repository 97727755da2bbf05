"""What may be in Test IT already is looked up before it is posted again."""

from datetime import timedelta

import pytest

from syncsvc.results.held.model import EntryState
from tests.support.pushed import AFTER_CLAIM, TERMS, Fate, Killed, pushed


def once(call: str, fate: Fate, *, skip: int = 0):
    """Give a fate that strikes one call, after `skip` of them went well."""
    met = []

    def decide(name: str) -> Fate:
        met.append(name)
        return fate if name == call and met.count(call) == skip + 1 else Fate.WELL

    return decide


async def test_a_lost_answer_is_looked_up_and_the_results_are_not_posted_again(open_house):
    await open_house.accept(*[f"test {number}" for number in range(100)])
    open_house.board.fate = once("post", Fate.UNHEARD)

    await open_house.tick()
    assert open_house.entry("test 1").sent_at is not None
    await open_house.tick(AFTER_CLAIM)

    assert open_house.board.calls == ["ensure_autotests", "post", "shown"]
    assert open_house.states()[EntryState.DELIVERED] == 100


async def test_what_test_it_refused_for_now_is_posted_again_without_a_look(open_house):
    await open_house.accept("one")
    open_house.board.fate = once("post", Fate.REFUSED)

    await open_house.tick()
    assert open_house.entry("one").sent_at is None
    await open_house.tick(AFTER_CLAIM)

    assert "shown" not in open_house.board.calls
    assert open_house.board.marks()[open_house.entry("one").id] == 1


@pytest.mark.parametrize("fate", [Fate.KILLED_BEFORE, Fate.KILLED_AFTER])
async def test_who_takes_over_from_a_dead_task_worker_posts_only_what_is_not_there(
    open_house, fate
):
    await open_house.accept("one", "two")
    open_house.board.fate = once("post", fate)

    with pytest.raises(BaseExceptionGroup) as died:
        await open_house.tick()
    open_house.restart()
    await open_house.tick(AFTER_CLAIM)

    assert died.group_contains(Killed)
    assert sorted(open_house.board.marks().values()) == [1, 1, 1]
    assert open_house.states()[EntryState.DELIVERED] == 2


async def test_nobody_looks_sooner_than_a_request_may_still_be_carried_out(open_house):
    await open_house.accept("one")
    asked = {}

    def fate(call):
        asked[call] = open_house.clock()
        return Fate.UNHEARD if call == "post" else Fate.WELL

    open_house.board.fate = fate
    await open_house.tick()

    assert asked["shown"] - asked["post"] >= timedelta(seconds=2)


async def test_a_foreign_result_of_the_same_test_is_never_taken_for_ours(open_house):
    await open_house.accept(pushed("one", duration_ms=None, started_at=None))
    open_house.board.add("one", "Succeeded", mark=None)
    open_house.board.fate = once("post", Fate.KILLED_BEFORE)

    with pytest.raises(BaseExceptionGroup):
        await open_house.tick()
    open_house.restart()
    await open_house.tick(AFTER_CLAIM)

    assert open_house.board.marks()[open_house.entry("one").id] == 1
    assert open_house.board.marks()[None] == 1


async def test_no_mark_is_read_where_there_is_no_doubt(open_house):
    await open_house.accept("one", "two")
    open_house.board.add("one", "Failed", mark=None)
    open_house.board.fate = once("post", Fate.UNHEARD)

    await open_house.tick()
    await open_house.tick(AFTER_CLAIM)

    assert open_house.board.calls.count("mark_of") == 1  # of two results, which is ours?
    assert open_house.entry("two").state is EntryState.DELIVERED


async def test_of_two_alike_that_were_posted_each_gets_its_own(open_house):
    await open_house.accept(pushed("same", message="first"), pushed("same", message="second"))
    first = await open_house.outbox.claim(open_house.clock(), TERMS.claim, 100)
    second = await open_house.outbox.claim(open_house.clock(), TERMS.claim, 100)
    for batch in (first, second):
        await open_house.outbox.sending(batch.entries, open_house.clock())
    (lost,), (there,) = first.entries, second.entries
    open_house.board.add("same", "Succeeded", mark=there.id, result=there.result)

    await open_house.tick(AFTER_CLAIM)

    rows = {row.mark: row.id for row in open_house.board.rows() if row.external_id == "same"}
    assert sorted(rows) == sorted([lost.id, there.id])
    assert {entry: open_house.outbox.rows[entry].target_id for entry in rows} == rows


async def test_what_another_entry_has_is_not_taken_for_ours(open_house):
    await open_house.accept(pushed("same", message="first"))
    await open_house.tick()
    await open_house.accept(pushed("same", message="second"))
    open_house.board.fate = once("post", Fate.KILLED_BEFORE)
    with pytest.raises(BaseExceptionGroup):
        await open_house.tick()
    open_house.restart()

    await open_house.tick(AFTER_CLAIM)

    told = [row.result.message for row in open_house.board.rows() if row.external_id == "same"]
    assert told == ["first", "second"]


async def test_an_opening_result_that_is_there_in_progress_is_held(house):
    await house.accept("one", "two")
    house.board.fate = once("post", Fate.UNHEARD)

    await house.tick()
    await house.tick(AFTER_CLAIM)

    assert house.entry("one").state is EntryState.HELD
    assert house.entry("two").state is EntryState.DELIVERED
    assert len(house.board.posts) == 1
    assert (await house.outbox.push("run")).phase == "open"


async def test_who_lost_the_claim_posts_nothing(open_house):
    await open_house.accept("one")
    ensure = open_house.board.ensure_autotests

    async def slowly(*request):
        await ensure(*request)
        open_house.clock.pass_(AFTER_CLAIM)
        await open_house.outbox.claim(open_house.clock(), AFTER_CLAIM, 100)

    open_house.board.ensure_autotests = slowly

    assert await open_house.delivery.deliver_due() == 0
    assert open_house.board.posts == []
    assert open_house.entry("one").attempt == 0
