"""A held result becomes final when its run is over and quiet, once, whatever goes wrong."""

from datetime import timedelta

import pytest

from syncsvc.errors import Conflict, Rejected, Unavailable
from syncsvc.results.held.delivery import AT_ONCE, CLAIM
from syncsvc.results.held.model import EntryState, FinalStatus, StatusType
from tests.support.builders import LIVENESS, MINUTE, SECOND, TERMS, result, run
from tests.support.houses import House


@pytest.fixture
def house() -> House:
    return House()


async def test_nothing_is_final_while_a_worker_is_at_work(house):
    entry_id = await house.hold()
    house.clock.pass_(4 * MINUTE)

    await house.tick()

    assert house.entry(entry_id).state is EntryState.HELD
    assert house.board.written == []


async def test_a_result_is_final_once_all_are_done_and_the_quiet_period_has_passed(house):
    entry_id = await house.hold()
    await house.settle()

    await house.tick()

    assert house.entry(entry_id).state is EntryState.DELIVERED
    assert house.board.written == [("r1", FinalStatus(StatusType.SUCCEEDED, "Passed"))]


async def test_nothing_is_final_before_the_quiet_period_has_passed(house):
    await house.hold()
    await house.settle()
    house.clock.pass_(-SECOND)

    await house.tick()

    assert house.board.written == []


async def test_uploads_after_completed_start_the_quiet_period_again(house):
    await house.hold()
    await house.settle()
    house.board.results.append(result("late upload", external_id="other", status="Failed"))

    await house.tick()
    assert house.board.written == []
    house.clock.pass_(TERMS.quiet_period)
    await house.tick()

    assert [written for written, _ in house.board.written] == ["r1"]


async def test_a_server_that_does_not_count_results_holds_nobody_up(house):
    house.board.tells_counts = False
    entry_id = await house.hold()
    await house.settle()

    await house.tick()

    assert house.entry(entry_id).state is EntryState.DELIVERED


async def test_a_worker_that_comes_late_takes_the_result_back_into_hold(house):
    entry_id = await house.hold()
    await house.settle()
    await house.rosters.register("run", "late worker", house.clock())

    await house.tick()

    assert house.entry(entry_id).state is EntryState.HELD


async def test_a_forced_run_waits_for_nobody(house):
    entry_id = await house.hold()
    await house.outbox.release("run", house.clock(), forced=True)

    await house.delivery.deliver_due()

    assert house.entry(entry_id).state is EntryState.DELIVERED


async def test_a_run_whose_roster_was_lost_is_over_after_the_idle_limit(house):
    entry_id = await house.hold()
    house.rosters.lose("run")
    house.clock.pass_(LIVENESS.idle_limit - SECOND)
    await house.tick()
    assert house.entry(entry_id).state is EntryState.HELD

    house.clock.pass_(SECOND)
    await house.tick()
    house.clock.pass_(TERMS.quiet_period)
    await house.tick()

    assert house.entry(entry_id).state is EntryState.DELIVERED


async def test_a_result_that_its_worker_made_final_is_left_alone(house):
    entry_id = await house.hold()
    house.board.results = [result("r1", status="Failed")]
    await house.settle()

    await house.tick()

    assert house.entry(entry_id).state is EntryState.DELIVERED
    assert house.entry(entry_id).reason == "its worker had written the final result itself"
    assert house.board.written == []


async def test_a_repeat_after_a_crash_writes_nothing_twice(house):
    entry_id = await house.hold()
    await house.settle()
    claimed = await house.outbox.claim_due(house.clock(), CLAIM, 10)
    await house.outbox.aim({entry_id: "r1"})
    await house.board.finalise(run(), "r1", FinalStatus(StatusType.SUCCEEDED, None))
    assert [entry.id for entry in claimed] == [entry_id]  # and its holder is killed here

    house.clock.pass_(CLAIM)
    await house.tick()

    assert house.entry(entry_id).state is EntryState.DELIVERED
    assert len(house.board.written) == 1


async def test_a_crash_between_two_cuts_of_one_test_mixes_nothing_up(house):
    first, second = await house.hold(), await house.hold(code="Failed", kind="Failed")
    house.board.results = [result("r1", created_at="1"), result("r2", created_at="2")]
    await house.outbox.aim({first: "r1", second: "r2"})
    await house.board.finalise(run(), "r1", FinalStatus(StatusType.SUCCEEDED, None))
    await house.settle()

    await house.tick()

    assert [(r, s.type) for r, s in house.board.written][1:] == [("r2", StatusType.FAILED)]


async def test_a_result_that_is_missing_is_waited_for(house):
    house.board.results = []
    entry_id = await house.hold()
    await house.settle()
    await house.tick()
    assert house.entry(entry_id).state is EntryState.PENDING

    house.board.results = [result("r1")]
    house.clock.pass_(MINUTE)
    await house.tick()  # the number of results has changed: quiet starts again
    house.clock.pass_(TERMS.quiet_period)
    await house.tick()

    assert house.entry(entry_id).state is EntryState.DELIVERED


async def test_a_result_that_stays_missing_is_dead_with_its_name(house):
    house.board.results = []
    entry_id = await house.hold()
    await house.settle()

    house.clock.pass_(TERMS.missing_limit)
    await house.tick()

    assert house.entry(entry_id).state is EntryState.DEAD
    assert "no result of 'test'" in str(house.entry(entry_id).reason)


async def test_an_unavailable_server_is_tried_again_later(house):
    entry_id = await house.hold()
    await house.settle()
    house.board.failure = Unavailable("503")

    await house.tick()

    entry = house.entry(entry_id)
    assert (entry.state, entry.attempt, entry.reason) == (EntryState.PENDING, 1, "503")
    assert entry.due_at is not None
    assert entry.due_at > house.clock()


async def test_retry_after_is_kept(house):
    entry_id = await house.hold()
    await house.settle()
    house.board.failure = Unavailable("429", retry_after=5 * MINUTE)

    await house.tick()

    assert house.entry(entry_id).due_at == house.clock() + 5 * MINUTE


async def test_a_server_that_is_away_for_too_long_leaves_the_result_dead(house):
    entry_id = await house.hold()
    await house.settle()
    house.board.failure = Unavailable("503")
    house.clock.pass_(timedelta(hours=25))

    await house.tick()

    assert house.entry(entry_id).state is EntryState.DEAD
    assert house.entry(entry_id).reason == "503"


async def test_a_refused_token_leaves_the_result_dead_with_the_reason(house):
    entry_id = await house.hold()
    await house.settle()
    house.board.failure = Rejected("Test IT answered 401")

    await house.tick()

    assert house.entry(entry_id).state is EntryState.DEAD
    assert house.entry(entry_id).reason == "Test IT answered 401"


async def test_one_refused_result_does_not_keep_its_neighbour_back(house):
    bad, good = await house.hold("bad"), await house.hold("good")
    house.board.results = [result("r1", external_id="bad"), result("r2", external_id="good")]
    house.board.failures = {"r1": Rejected("400")}
    await house.settle()

    await house.tick()

    assert house.entry(bad).state is EntryState.DEAD
    assert house.entry(good).state is EntryState.DELIVERED


async def test_a_status_that_does_not_stay_is_written_again(house):
    entry_id = await house.hold()
    await house.settle()
    house.board.failures = {"r1": Conflict("shows InProgress")}
    await house.tick()
    assert house.entry(entry_id).state is EntryState.PENDING

    house.board.failures = {}
    house.clock.pass_(MINUTE)
    await house.tick()

    assert house.entry(entry_id).state is EntryState.DELIVERED


async def test_something_unexpected_in_one_run_is_an_attempt_and_not_the_end(house):
    entry_id = await house.hold()
    await house.settle()
    house.board.failure = ZeroDivisionError("a bug")

    await house.tick()

    assert house.entry(entry_id).state is EntryState.PENDING
    assert "ZeroDivisionError" in str(house.entry(entry_id).reason)


async def test_everything_that_is_due_is_tried_however_much_it_is(house):
    ids = [await house.hold(f"t{n}") for n in range(3 * AT_ONCE + 1)]
    house.board.results = [result(f"r{n}", external_id=f"t{n}") for n in range(len(ids))]
    await house.settle()

    assert await house.tick() == len(ids)

    assert {house.entry(entry_id).state for entry_id in ids} == {EntryState.DELIVERED}
