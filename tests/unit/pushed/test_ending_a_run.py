"""A run ends when all is there and somebody asked for it, or nobody came for long."""

from datetime import timedelta

from syncsvc.errors import Denied, Rejected, Unavailable
from syncsvc.results.held.model import EntryState
from syncsvc.results.pushed.model import Phase
from tests.support.builders import MINUTE, SECOND
from tests.support.pushed import AFTER_CLAIM, TERMS, Fate, pushed


async def phase(house) -> Phase:
    return (await house.outbox.push("run")).phase


async def test_the_held_result_becomes_final_and_test_it_closes_the_run(open_house):
    await open_house.accept("one")
    await open_house.complete()

    await open_house.tick()

    assert open_house.board.shows() == {"opener": "Succeeded", "one": "Succeeded"}
    assert open_house.board.runs["run"].closings == 1
    assert "complete_run" not in open_house.board.calls
    assert open_house.states() == {EntryState.DELIVERED: 2}
    assert await phase(open_house) is Phase.COMPLETED


async def test_the_status_that_is_written_is_the_one_that_was_pushed(house):
    await house.accept(pushed("opener", "failed"))
    await house.tick()

    await house.complete()
    await house.tick()

    assert house.board.shows() == {"opener": "Failed"}


async def test_nothing_ends_while_something_is_pending(open_house):
    await open_house.accept("one")
    open_house.board.fate = lambda call: Fate.REFUSED if call == "post" else Fate.WELL
    await open_house.complete()

    await open_house.tick()

    assert open_house.board.shows() == {"opener": "InProgress"}
    assert await phase(open_house) is Phase.OPEN


async def test_a_run_nobody_completes_ends_after_its_silence(open_house):
    await open_house.tick(TERMS.idle_limit)
    assert await phase(open_house) is Phase.OPEN

    await open_house.tick(SECOND)

    assert open_house.board.shows() == {"opener": "Succeeded"}
    assert open_house.board.calls == ["finalise"]
    assert await phase(open_house) is Phase.COMPLETED


async def test_a_run_that_waits_for_other_results_is_completed_when_asked(open_house):
    open_house.board.add("somebody else's")
    await open_house.complete()

    await open_house.tick()

    assert open_house.board.runs["run"].state == "Completed"
    assert open_house.board.calls == ["finalise", "run_info", "complete_run"]


async def test_a_run_without_results_is_completed_when_asked(house):
    await house.accept()
    await house.complete()

    await house.tick()

    assert house.board.runs["run"].state == "Completed"
    assert await phase(house) is Phase.COMPLETED


async def test_an_ending_that_fails_is_tried_again_with_the_reason(open_house):
    await open_house.complete()
    open_house.board.fate = lambda _call: Unavailable("503")
    await open_house.tick()
    push = await open_house.outbox.push("run")

    open_house.board.fate = lambda _call: Fate.WELL
    await open_house.tick(MINUTE)

    assert (push.attempt, push.reason) == (1, "503")
    assert await phase(open_house) is Phase.COMPLETED


async def test_a_refused_token_delays_the_end_by_a_minute(open_house):
    await open_house.complete()
    open_house.board.fate = lambda _call: Denied("401")
    await open_house.tick()
    open_house.board.calls.clear()

    await open_house.tick(MINUTE - SECOND)
    assert open_house.board.calls == []
    open_house.board.fate = lambda _call: Fate.WELL
    await open_house.tick(SECOND)

    assert await phase(open_house) is Phase.COMPLETED


async def test_an_end_that_fails_for_a_day_is_given_up_with_the_reason(open_house):
    await open_house.complete()
    open_house.board.fate = lambda _call: Unavailable("503")

    await open_house.tick(TERMS.give_up_after)

    assert open_house.entry("opener").state is EntryState.DEAD
    assert open_house.entry("opener").reason == "503"
    assert await phase(open_house) is Phase.COMPLETED


async def test_a_run_that_is_gone_is_given_up(open_house):
    await open_house.complete()
    open_house.runs.rows.clear()

    await open_house.tick()

    assert open_house.entry("opener").state is EntryState.DEAD
    assert await phase(open_house) is Phase.COMPLETED


async def test_a_held_result_that_vanished_is_posted_again_as_final(open_house):
    open_house.board.runs["run"].rows.clear()
    await open_house.complete()

    await open_house.tick()
    await open_house.tick(AFTER_CLAIM)

    assert open_house.board.shows() == {"opener": "Succeeded"}
    assert open_house.states() == {EntryState.DELIVERED: 1}
    assert await phase(open_house) is Phase.COMPLETED


async def test_a_final_status_that_is_refused_leaves_a_dead_entry_and_a_completed_run(
    open_house,
):
    await open_house.complete()
    open_house.board.fate = lambda call: (
        Rejected("no such status") if call == "finalise" else Fate.WELL
    )

    await open_house.tick()

    assert open_house.entry("opener").state is EntryState.DEAD
    assert open_house.entry("opener").reason == "no such status"
    assert open_house.board.runs["run"].state == "Completed"


async def test_a_code_of_another_type_gives_way_to_the_status(house):
    await house.accept(pushed("opener", status_code="Failed"))
    await house.tick()
    finalise = house.board.finalise

    async def strict(run, result_id, status):
        if status.code == "Failed":
            raise Rejected("the code does not go with the type")
        await finalise(run, result_id, status)

    house.board.finalise = strict
    await house.complete()
    await house.tick()

    assert house.board.shows() == {"opener": "Succeeded"}


async def test_a_result_that_comes_after_the_end_opens_the_run_anew(open_house):
    open_house.board.takes_late = True
    await open_house.complete()
    await open_house.tick()

    await open_house.accept("late")
    await open_house.tick()
    assert open_house.entry("late").state is EntryState.HELD
    await open_house.complete()
    await open_house.tick()

    assert open_house.board.shows() == {"opener": "Succeeded", "late": "Succeeded"}
    assert await phase(open_house) is Phase.COMPLETED


async def test_a_run_is_not_ended_by_two_at_once(open_house):
    await open_house.complete()
    claim = await open_house.outbox.claim_ending(
        open_house.clock(), timedelta(minutes=1), open_house.clock()
    )

    await open_house.tick()

    assert claim is not None
    assert open_house.board.calls == []
