"""What every home of the outbox of pushed results promises."""

import asyncio
from datetime import datetime, timedelta

import pytest

from syncsvc.errors import Rejected, Unknown
from syncsvc.results.held.model import EntryState
from syncsvc.results.held.ports import Filter
from syncsvc.results.pushed.model import Link, Phase, Result, Step
from syncsvc.results.pushed.ports import Accepted
from tests.support.builders import MINUTE, NOON, SECOND, push, pushed_result, run

HELD, PENDING, DELIVERED, DEAD = EntryState
LONG_AGO = NOON - timedelta(days=1)  # nobody is idle since
LATER = NOON + timedelta(days=1)


@pytest.fixture(autouse=True)
async def open_runs(push_home):
    for name in ("run", "other"):
        await push_home[0].put(run(name))
        await push_home[1].open(push(name))


async def accept(pushed, *tests: str, run_id: str = "run", now: datetime = NOON) -> Accepted:
    return await pushed.accept(run_id, [pushed_result(test) for test in tests], now)


async def claimed(pushed, *tests: str, run_id: str = "run"):
    """Accept results of these tests and claim them."""
    await accept(pushed, *(tests or ("test",)), run_id=run_id)
    return await pushed.claim(NOON, MINUTE, 100)


async def settled(pushed, state: EntryState, *, at: datetime = NOON, run_id: str = "run"):
    """Accept one result and settle it."""
    batch = await claimed(pushed, run_id=run_id)
    await pushed.settle({e.id: None for e in batch.entries}, state, at, "because")
    return batch.entries[0]


def names(batch) -> list[str]:
    return sorted(entry.result.external_id for entry in batch.entries)


async def test_an_external_id_that_fits_no_index_is_refused_with_its_place(pushed):
    wide = "".join(chr(0x10000 + (7919 * n) % 0xFFFF) for n in range(1000))  # 4 bytes each

    with pytest.raises(Rejected, match=r"results\[1\].external_id: expected .* found 4000 bytes"):
        await accept(pushed, "small", wide)

    assert await pushed.counts("run") == {}


async def test_an_external_id_of_two_thousand_bytes_is_kept(pushed):
    wide = "".join(chr(0x400 + (97 * n) % 0x3FF) for n in range(1000))  # 2 bytes each

    assert await accept(pushed, wide) == Accepted(1, 0)


async def test_an_accepted_result_is_kept_with_all_its_fields(pushed):
    whole = Result(
        external_id="test",
        status="failed",
        started_at=NOON,
        duration_ms=7,
        message="no",
        labels=("a", "b"),
        parameters={"browser": "lynx"},
        links=(Link(url="https://example.test"),),
        steps=(Step(name="outer", steps=(Step(name="inner"),)),),
    )

    await pushed.accept("run", [whole], NOON)

    (entry,) = await pushed.entries(Filter())
    assert entry.result.steps[0].steps[0].name == "inner"
    assert (entry.result.message, dict(entry.result.parameters)) == ("no", {"browser": "lynx"})
    assert (entry.result.started_at, list(entry.result.labels)) == (NOON, ["a", "b"])
    assert (entry.state, entry.attempt, entry.accepted_at, entry.due_at) == (PENDING, 0, NOON, NOON)


async def test_a_push_needs_a_run_that_is_known(pushed):
    with pytest.raises(Unknown, match="'stranger'"):
        await pushed.open(push("stranger"))


async def test_opening_again_keeps_how_far_a_push_is_and_takes_the_newer_project(pushed):
    await pushed.opened("run")

    again = await pushed.open(push("run", project_id="moved"))

    assert (again.phase, again.project_id) == (Phase.OPEN, "moved")
    assert await pushed.push("run") == again


async def test_results_of_a_run_without_a_push_are_refused_by_name(pushed):
    with pytest.raises(Unknown, match="'stranger'"):
        await accept(pushed, "test", run_id="stranger")


async def test_a_stranger_among_many_does_not_harm_the_others(pushed):
    calls = [accept(pushed, "test", run_id=name) for name in ("run", "stranger", "other")]

    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(answer) for answer in answers] == [Accepted, Unknown, Accepted]


async def test_a_key_makes_handing_over_repeatable(pushed):
    results = [pushed_result("one", key="1"), pushed_result("two", key="2"), pushed_result("free")]
    assert await pushed.accept("run", results, NOON) == Accepted(new=3, known=0)

    again = await pushed.accept("run", results, NOON)

    assert again == Accepted(new=1, known=2)
    assert await pushed.counts("run") == {PENDING: 4}


async def test_of_one_key_within_a_request_the_first_is_kept(pushed):
    results = [pushed_result("first", key="1"), pushed_result("second", key="1")]

    assert await pushed.accept("run", results, NOON) == Accepted(new=1, known=1)

    assert names(await pushed.claim(NOON, MINUTE, 10)) == ["first"]


async def test_the_same_key_in_another_run_is_another_result(pushed):
    results = [pushed_result(key="1")]
    await pushed.accept("run", results, NOON)

    assert await pushed.accept("other", results, NOON) == Accepted(new=1, known=0)


async def test_many_that_hand_over_the_same_at_once_store_it_once(pushed):
    forth = [pushed_result(f"t{i}", key=str(i)) for i in range(200)]
    calls = [pushed.accept("run", order, NOON) for order in (forth, forth[::-1]) * 3]

    answers = await asyncio.gather(*calls)

    assert sum(answer.new for answer in answers) == 200
    assert await pushed.counts("run") == {PENDING: 200}


async def test_a_result_that_names_a_file_nobody_sent_is_refused_whole(pushed):
    results = [pushed_result("plain"), pushed_result("rich", files=["0" * 64])]

    with pytest.raises(Rejected, match="upload it first"):
        await pushed.accept("run", results, NOON)

    assert await pushed.counts() == {}


async def test_a_claimed_result_is_nobody_elses(pushed):
    batch = await claimed(pushed, "one", "two")

    assert names(batch) == ["one", "two"]
    assert (batch.opens, batch.more) == (True, False)
    assert await pushed.claim(NOON, MINUTE, 100) is None


async def test_a_claim_whose_holder_died_is_due_again_after_its_term(pushed):
    lost = await claimed(pushed)

    again = await pushed.claim(NOON + MINUTE, MINUTE, 100)

    assert [e.id for e in again.entries] == [e.id for e in lost.entries]
    assert again.opens
    assert not await pushed.sending(lost.entries, NOON)
    await pushed.retry_later(lost.entries, NOON, "late", count=True)
    assert (await pushed.get(again.entries[0].id)).attempt == 0
    assert await pushed.sending(again.entries, NOON)


async def test_who_lost_one_of_many_marks_none_as_sent(pushed):
    batch = await claimed(pushed, "one", "two")
    await pushed.settle({batch.entries[0].id: None}, DEAD, NOON, "because")

    assert not await pushed.sending(batch.entries, NOON)

    assert (await pushed.get(batch.entries[1].id)).sent_at is None


async def test_a_batch_has_each_test_once(pushed):
    await accept(pushed, "same", "same", "other", "same")

    batch = await pushed.claim(NOON, MINUTE, 100)

    assert names(batch) == ["other", "same"]
    assert batch.more


async def test_a_test_with_many_results_does_not_keep_others_from_a_batch(pushed):
    await accept(pushed, *["same"] * 50, "one", "two", "three", "four", "five")

    batch = await pushed.claim(NOON, MINUTE, 4)

    assert len(set(names(batch))) == len(batch.entries) == 4


async def test_a_batch_is_no_larger_than_its_limit(pushed):
    await accept(pushed, "one", "two", "three")

    batch = await pushed.claim(NOON, MINUTE, 2)

    assert (len(batch.entries), batch.more) == (2, True)


async def test_two_that_claim_at_once_share_nothing_and_leave_nobody_out(pushed):
    await pushed.opened("run")
    await accept(pushed, *[f"t{i}" for i in range(60)])

    batches = await asyncio.gather(*[pushed.claim(NOON, MINUTE, 20) for _ in range(3)])

    ids = [entry.id for batch in batches for entry in batch.entries]
    assert len(ids) == len(set(ids)) == 60
    assert not any(batch.opens for batch in batches)


async def test_a_new_run_has_one_batch_out(pushed):
    await accept(pushed, "one", "two")

    batches = await asyncio.gather(*[pushed.claim(NOON, MINUTE, 1) for _ in range(4)])

    (first,) = [batch for batch in batches if batch]
    assert (first.opens, first.more) == (True, True)


async def test_an_open_run_has_as_many_batches_out_as_wanted(pushed):
    await accept(pushed, "one", "two")
    await pushed.claim(NOON, MINUTE, 1)

    await pushed.opened("run")

    second = await pushed.claim(NOON, MINUTE, 1)
    assert (second.opens, second.push.phase) == (False, Phase.OPEN)


async def test_a_new_run_whose_batch_failed_is_opened_by_the_next(pushed):
    await accept(pushed, "one", "two")
    first = await pushed.claim(NOON, MINUTE, 1)
    await pushed.retry_later(first.entries, NOON + MINUTE, "503", count=True)

    second = await pushed.claim(NOON, MINUTE, 1)

    assert second.opens
    assert names(first) != names(second)


async def test_runs_take_turns(pushed):
    await pushed.opened("run")
    await pushed.opened("other")
    for name in ("run", "other"):
        await accept(pushed, "one", "two", run_id=name)

    turns = [await pushed.claim(NOON + i * SECOND, MINUTE, 1) for i in range(4)]

    order = [batch.push.run_id for batch in turns]
    assert order[:2] == order[2:]
    assert set(order) == {"run", "other"}


async def test_what_is_being_sent_is_written_down_before(pushed):
    batch = await claimed(pushed)

    assert await pushed.sending(batch.entries, NOON + SECOND)

    assert (await pushed.get(batch.entries[0].id)).sent_at == NOON + SECOND


async def test_a_failed_attempt_is_counted_and_due_later_and_still_perhaps_sent(pushed):
    batch = await claimed(pushed)
    await pushed.sending(batch.entries, NOON)

    await pushed.retry_later(batch.entries, NOON + MINUTE, "503", count=True)

    entry = await pushed.get(batch.entries[0].id)
    assert (entry.attempt, entry.reason, entry.sent_at, entry.claim) == (1, "503", NOON, None)
    assert await pushed.claim(NOON + MINUTE - SECOND, MINUTE, 10) is None
    assert await pushed.claim(NOON + MINUTE, MINUTE, 10) is not None


async def test_waiting_for_ones_turn_is_no_attempt(pushed):
    batch = await claimed(pushed)

    await pushed.retry_later(batch.entries, NOON, "busy", count=False)

    assert (await pushed.get(batch.entries[0].id)).attempt == 0


async def test_what_test_it_does_not_have_was_not_sent(pushed):
    batch = await claimed(pushed)
    await pushed.sending(batch.entries, NOON)

    await pushed.not_sent(batch.entries)

    entry = await pushed.get(batch.entries[0].id)
    assert (entry.sent_at, entry.claim) == (None, batch.entries[0].claim)


@pytest.mark.parametrize("state", [DELIVERED, DEAD])
async def test_a_settled_entry_stays_as_it_is(pushed, state):
    entry = await settled(pushed, state)

    for another in (DELIVERED, DEAD, HELD):
        assert await pushed.settle({entry.id: "else"}, another, LATER, "else") == 0

    stored = await pushed.get(entry.id)
    assert (stored.state, stored.reason, stored.settled_at) == (state, "because", NOON)
    assert await pushed.claim(LATER, MINUTE, 10) is None


async def test_a_held_entry_is_delivered_later_and_keeps_its_target(pushed):
    batch = await claimed(pushed)
    (entry,) = batch.entries
    assert await pushed.settle({entry.id: "target"}, HELD, NOON, None) == 1

    assert await pushed.settle({entry.id: None}, DELIVERED, NOON + SECOND, None) == 1

    stored = await pushed.get(entry.id)
    assert (stored.state, stored.target_id) == (DELIVERED, "target")
    assert await pushed.targets("run", ["test", "another"]) == {"target"}
    assert await pushed.targets("run", ["another"]) == set()


async def test_entries_of_one_batch_may_have_targets_of_their_own(pushed):
    batch = await claimed(pushed, "one", "two")
    wanted = {e.id: f"target of {e.result.external_id}" for e in batch.entries}

    assert await pushed.settle({**wanted, "stranger": None}, DELIVERED, NOON, None) == 2

    assert {e.id: e.target_id for e in await pushed.entries(Filter())} == wanted


async def test_nobody_ends_a_run_that_has_something_pending(pushed):
    await claimed(pushed)
    await pushed.ask_complete("run", NOON)

    assert await pushed.claim_ending(NOON, MINUTE, LONG_AGO) is None


async def test_a_run_is_ended_when_somebody_asked_and_nothing_is_pending(pushed):
    held = await settled(pushed, HELD)
    assert await pushed.claim_ending(NOON, MINUTE, LONG_AGO) is None
    assert (await pushed.ask_complete("run", NOON)).complete_asked_at == NOON

    ending, entries = await pushed.claim_ending(NOON, MINUTE, LONG_AGO)

    assert ending.run_id == "run"
    assert [entry.id for entry in entries] == [held.id]
    assert await pushed.claim_ending(NOON, MINUTE, LONG_AGO) is None
    assert await pushed.claim_ending(NOON + MINUTE, MINUTE, LONG_AGO) is not None


async def test_an_idle_run_is_ended_unasked(pushed):
    await settled(pushed, DELIVERED)
    await accept(pushed, "test", run_id="other")

    ending, entries = await pushed.claim_ending(LATER, MINUTE, NOON + SECOND)

    assert (ending.run_id, list(entries)) == ("run", [])


async def test_nobody_asks_a_run_without_a_push_to_end(pushed):
    assert await pushed.ask_complete("stranger", NOON) is None


async def test_an_ending_that_failed_is_tried_again_later(pushed):
    await pushed.ask_complete("run", NOON)
    await pushed.claim_ending(NOON, MINUTE, LONG_AGO)

    await pushed.end_later("run", NOON + 2 * MINUTE, "503")

    assert await pushed.claim_ending(NOON + MINUTE, MINUTE, LONG_AGO) is None
    ending, _ = await pushed.claim_ending(NOON + 2 * MINUTE, MINUTE, LONG_AGO)
    assert (ending.attempt, ending.reason) == (1, "503")


async def test_a_run_that_ended_is_not_ended_again(pushed):
    await pushed.ask_complete("run", NOON)
    ending, _ = await pushed.claim_ending(NOON, MINUTE, LONG_AGO)

    assert await pushed.ended("run", ending.accepted_at, NOON + SECOND)

    done = await pushed.push("run")
    assert (done.phase, done.completed_at) == (Phase.COMPLETED, NOON + SECOND)
    assert await pushed.claim_ending(LATER, MINUTE, LONG_AGO) is None


async def test_a_result_that_came_meanwhile_keeps_its_run_from_ending(pushed):
    await pushed.ask_complete("run", NOON)
    ending, _ = await pushed.claim_ending(NOON, MINUTE, LONG_AGO)
    await accept(pushed, "late", now=NOON + SECOND)

    assert not await pushed.ended("run", ending.accepted_at, NOON + SECOND)

    assert (await pushed.push("run")).phase is Phase.NEW


async def test_a_run_with_a_held_entry_has_not_ended(pushed):
    await settled(pushed, HELD)

    assert not await pushed.ended("run", NOON, NOON)


async def complete(pushed, run_id: str = "run", at: datetime = NOON) -> None:
    await pushed.ask_complete(run_id, at)
    assert await pushed.ended(run_id, (await pushed.push(run_id)).accepted_at, at)


async def test_a_completed_push_is_new_again_when_a_result_comes(pushed):
    await complete(pushed)

    await accept(pushed, "late", now=NOON + MINUTE)

    again = await pushed.push("run")
    assert (again.phase, again.complete_asked_at, again.completed_at) == (Phase.NEW, None, None)
    assert again.accepted_at == NOON + MINUTE
    assert (await pushed.claim(NOON + MINUTE, MINUTE, 10)).opens


async def test_a_result_that_is_known_does_not_open_a_completed_push(pushed):
    results = [pushed_result(key="1")]
    await pushed.accept("run", results, NOON)
    batch = await pushed.claim(NOON, MINUTE, 10)
    await pushed.settle({batch.entries[0].id: None}, DELIVERED, NOON, None)
    await complete(pushed)

    await pushed.accept("run", results, LATER)

    push_ = await pushed.push("run")
    assert (push_.phase, push_.accepted_at) == (Phase.COMPLETED, NOON)


async def test_entries_are_listed_newest_first_page_by_page(pushed):
    for test in ("one", "two", "three"):
        await accept(pushed, test)

    first = await pushed.entries(Filter(limit=2))
    second = await pushed.entries(Filter(limit=2, before=first[-1].id))

    assert [e.result.external_id for e in [*first, *second]] == ["three", "two", "one"]


async def test_a_list_can_be_narrowed_by_run_and_state(pushed):
    dead = await settled(pushed, DEAD)
    await accept(pushed, "test", run_id="other")

    assert [e.id for e in await pushed.entries(Filter(run_id="run"))] == [dead.id]
    assert [e.id for e in await pushed.entries(Filter(state=DEAD))] == [dead.id]
    assert await pushed.counts() == {DEAD: 1, PENDING: 1}
    assert await pushed.counts("other") == {PENDING: 1}


async def test_a_dead_entry_that_is_revived_starts_again_and_may_be_there(pushed):
    batch = await claimed(pushed)
    await pushed.sending(batch.entries, NOON)
    await pushed.settle({batch.entries[0].id: None}, DEAD, NOON, "401")

    assert await pushed.revive(batch.entries[0].id, None, NOON + MINUTE) == 1

    (again,) = (await pushed.claim(NOON + MINUTE, MINUTE, 10)).entries
    assert (again.attempt, again.revived_at, again.settled_at) == (0, NOON + MINUTE, None)
    assert again.sent_at == NOON


async def test_a_revived_entry_opens_its_completed_run_which_ends_by_itself(pushed):
    await settled(pushed, DEAD)
    await complete(pushed)

    assert await pushed.revive(None, "run", NOON) == 1

    again = await pushed.push("run")
    assert (again.phase, again.complete_asked_at) == (Phase.NEW, NOON)


async def test_only_the_dead_that_are_meant_are_revived_or_dropped(pushed):
    await settled(pushed, DEAD)
    await accept(pushed, "test", run_id="other")

    assert await pushed.revive(None, "other", NOON) == 0
    assert await pushed.drop(None, "other") == 0
    assert await pushed.drop("stranger", None) == 0
    assert await pushed.counts() == {DEAD: 1, PENDING: 1}


async def test_a_dropped_entry_is_gone(pushed):
    dead = await settled(pushed, DEAD)

    assert await pushed.drop(dead.id, None) == 1

    assert await pushed.get(dead.id) is None


async def test_only_what_was_delivered_long_ago_is_forgotten(pushed):
    await settled(pushed, DELIVERED)
    await settled(pushed, DEAD, run_id="other")

    assert await pushed.forget(NOON) == 0
    assert await pushed.forget(NOON + SECOND) == 1
    assert await pushed.counts() == {DEAD: 1}


async def test_a_completed_push_is_forgotten_when_nothing_of_it_is_left(pushed):
    await settled(pushed, DELIVERED)
    await complete(pushed)
    await settled(pushed, DEAD, run_id="other")
    await complete(pushed, "other")

    await pushed.forget(LATER)

    assert await pushed.push("run") is None
    assert await pushed.push("other") is not None


async def test_what_was_seen_of_a_run_is_unknown_again_when_the_push_is_new_again(pushed):
    assert (await pushed.push("run")).planned is None
    await pushed.looked("run", planned=True)
    assert (await pushed.push("run")).planned is True
    await complete(pushed)

    await accept(pushed, "late", now=NOON + MINUTE)

    assert (await pushed.push("run")).planned is None


async def test_a_run_that_was_closed_too_early_is_begun_anew(pushed):
    await pushed.opened("run")
    await pushed.looked("run", planned=False)
    await accept(pushed, "late", now=NOON + SECOND)

    assert not await pushed.ended("run", NOON, NOON + SECOND)

    anew = await pushed.push("run")
    assert (anew.phase, anew.planned) == (Phase.NEW, None)


async def test_no_two_entries_aim_at_one_result(pushed):
    await accept(pushed, "test", "test", "test")
    first, second, third = [e.id for e in await pushed.entries(Filter())]
    assert await pushed.aim("run", {first: "A"}) == {first}

    aimed = await pushed.aim("run", {first: "A", second: "A", third: "B", "stranger": "C"})

    assert aimed == {first, third}
    assert await pushed.targets("run", ["test"]) == {"A", "B"}


async def test_an_entry_keeps_the_target_that_it_has(pushed):
    await accept(pushed, "test")
    (entry,) = await pushed.entries(Filter())
    await pushed.aim("run", {entry.id: "A"})

    assert await pushed.aim("run", {entry.id: "B"}) == set()

    assert (await pushed.get(entry.id)).target_id == "A"


async def test_of_many_that_aim_at_one_result_at_once_one_has_it(pushed):
    await accept(pushed, *["test"] * 5)
    entries = await pushed.entries(Filter())

    answers = await asyncio.gather(*[pushed.aim("run", {e.id: "A"}) for e in entries])

    assert sum(len(answer) for answer in answers) == 1


async def test_a_test_is_contested_when_several_of_its_entries_were_posted_untraced(pushed):
    await pushed.opened("run")
    await accept(pushed, "same", "same", "single")
    for _ in range(2):
        batch = await pushed.claim(NOON, MINUTE, 10)
        await pushed.sending(batch.entries, NOON)
    assert await pushed.contested("run", ["same", "single", "none"]) == {"same"}

    await pushed.aim("run", {batch.entries[0].id: "A"})

    assert await pushed.contested("run", ["same", "single"]) == set()


@pytest.mark.parametrize("held", [True, False])
async def test_an_entry_whose_result_test_it_lost_begins_anew(pushed, held):
    batch = await claimed(pushed)
    (entry,) = batch.entries
    await pushed.sending(batch.entries, NOON)
    await pushed.aim("run", {entry.id: "A"})
    if held:
        await pushed.settle({entry.id: None}, HELD, NOON, None)

    await pushed.lost([entry], NOON + SECOND)

    anew = await pushed.get(entry.id)
    assert (anew.state, anew.due_at, anew.claim) == (PENDING, NOON + SECOND, None)
    assert (anew.sent_at, anew.target_id) == (None, None)


async def test_what_is_delivered_or_has_no_result_yet_cannot_be_lost(pushed):
    delivered = await settled(pushed, DELIVERED)
    waiting = await claimed(pushed, run_id="other")

    await pushed.lost([delivered, *waiting.entries], NOON)

    assert (await pushed.get(delivered.id)).state is DELIVERED
    assert (await pushed.get(waiting.entries[0].id)).claim == waiting.entries[0].claim


async def test_the_oldest_pending_entry_of_a_run_is_told(pushed):
    assert await pushed.oldest_pending("run") is None
    await settled(pushed, DELIVERED)
    await accept(pushed, "older")
    await accept(pushed, "newer")

    assert (await pushed.oldest_pending("run")).result.external_id == "older"
