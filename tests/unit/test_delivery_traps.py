"""What workers do to results that were final already, and to runs that were over."""

from dataclasses import replace

import pytest

from syncsvc.errors import Rejected, Unavailable
from syncsvc.results.held.model import MOST_WRITES, Entry, EntryState, StatusType
from syncsvc.runs.model import WorkerStatus
from tests.support.builders import MINUTE, SECOND, TERMS, result
from tests.support.houses import House

IN_PROGRESS = WorkerStatus.IN_PROGRESS


@pytest.fixture
def house() -> House:
    return House()


async def delivered(house: House) -> Entry:
    """Hold one result, let its run end, and make it final."""
    entry_id = await house.hold()
    await house.settle()
    await house.tick()
    assert house.entry(entry_id).state is EntryState.DELIVERED
    return house.entry(entry_id)


def write_back(house: House) -> None:
    """Do what Python 4 does at the end of its session."""
    house.board.results = [
        replace(r, status_type="InProgress") if r.id == "r1" else r for r in house.board.results
    ]


async def look_again(house: House) -> None:
    house.clock.pass_(TERMS.verify_after)
    await house.tick()


async def test_a_delivered_result_is_looked_at_once_more_and_then_never(house):
    entry = await delivered(house)
    assert entry.due_at == house.clock() + TERMS.verify_after

    await look_again(house)

    assert house.entry(entry.id).due_at is None
    assert house.entry(entry.id).state is EntryState.DELIVERED
    assert len(house.board.written) == 1


async def test_a_result_that_was_written_back_is_made_final_again(house):
    entry = await delivered(house)
    write_back(house)

    await look_again(house)
    assert house.entry(entry.id).state is EntryState.PENDING
    house.clock.pass_(MINUTE)
    await house.tick()

    assert house.entry(entry.id).state is EntryState.DELIVERED
    assert [written for written, _ in house.board.written] == ["r1", "r1"]


async def test_a_result_that_is_always_written_back_is_dead_in_the_end(house):
    entry = await delivered(house)

    for _ in range(2 * MOST_WRITES):
        write_back(house)
        house.clock.pass_(5 * MINUTE)
        await house.tick()

    assert house.entry(entry.id).state is EntryState.DEAD
    assert "something writes it back" in str(house.entry(entry.id).reason)
    assert len(house.board.written) == MOST_WRITES


async def test_another_final_status_that_somebody_wrote_later_is_left_alone(house):
    entry = await delivered(house)
    house.board.results = [result("r1", status="Failed")]

    await look_again(house)

    assert house.entry(entry.id).state is EntryState.DELIVERED
    assert len(house.board.written) == 1


async def test_a_server_that_is_away_is_looked_at_later(house):
    entry = await delivered(house)
    house.board.failure = Unavailable("503")

    await look_again(house)

    assert house.entry(entry.id).is_looked_at_again
    house.board.failure = None
    await look_again(house)
    assert house.entry(entry.id).due_at is None


async def test_a_result_that_may_not_be_looked_at_again_is_not_dead(house):
    entry = await delivered(house)
    house.board.failure = Rejected("401")

    await look_again(house)

    assert house.entry(entry.id).state is EntryState.DELIVERED
    assert house.entry(entry.id).due_at is None


async def test_a_worker_that_begins_again_has_its_next_cut_held_and_made_final(house):
    await delivered(house)
    house.board.results.append(result("r2", external_id="second"))

    second = await house.hold("second")
    await house.rosters.report("run", "worker", IN_PROGRESS, house.clock())
    await look_again(house)
    assert house.entry(second).state is EntryState.HELD
    await house.settle()
    await house.tick()

    assert house.entry(second).state is EntryState.DELIVERED
    assert [written for written, _ in house.board.written] == ["r1", "r2"]


async def test_completed_that_is_taken_back_before_the_quiet_period_ends_opens_the_run(house):
    entry_id = await house.hold()
    for _ in range(3):  # Kotlin, Go and Flutter complete after each test
        await house.settle()
        await house.rosters.report("run", "worker", IN_PROGRESS, house.clock())
        await house.tick()

    assert house.entry(entry_id).state is EntryState.HELD
    assert house.board.written == []


async def test_a_run_that_is_left_open_is_completed_when_its_results_have_stayed_final(house):
    house.board.completes_itself = False
    await delivered(house)
    assert house.board.completed == 0

    await look_again(house)

    assert house.board.completed == 1


async def test_a_run_that_waits_for_a_result_of_others_is_not_completed(house):
    house.board.completes_itself = False
    house.board.results.append(result("foreign", external_id="foreign"))
    await delivered(house)

    await look_again(house)

    assert house.board.completed == 0


async def test_a_run_with_a_worker_at_work_is_not_completed(house):
    house.board.completes_itself = False
    await delivered(house)
    await house.rosters.report("run", "worker", IN_PROGRESS, house.clock())

    await look_again(house)

    assert house.board.completed == 0


async def test_a_run_is_left_open_where_it_shall_be(house):
    house = House(terms=replace(TERMS, complete_runs=False))
    house.board.completes_itself = False
    await delivered(house)

    await look_again(house)

    assert house.board.completed == 0


async def test_a_run_that_was_closed_while_it_held_something_is_reported(house):
    house.board.closed = "Completed"

    await delivered(house)

    assert house.runs.rows["run"].closed_early_at == house.clock()
    assert [written for written, _ in house.board.written] == ["r1"]


async def test_a_run_that_results_come_to_after_its_end_is_reported(house):
    await delivered(house)
    house.board.results.append(result("late", external_id="late", status="Succeeded"))

    await look_again(house)

    assert house.runs.rows["run"].closed_early_at == house.clock()


async def test_a_run_that_closed_when_all_was_in_is_not_reported(house):
    await delivered(house)

    await look_again(house)

    assert house.runs.rows["run"].closed_early_at is None


@pytest.mark.parametrize("orphan_comes", ["before", "after"])
async def test_a_post_beside_a_bound_result_leaves_neither_in_progress(house, orphan_comes):
    bound = result("bound", created_at="1", test_point_id="point")
    orphan = result("orphan", created_at="2")
    house.board.results = [bound, orphan] if orphan_comes == "before" else [bound]
    await delivered(house)
    if orphan_comes == "after":
        house.board.results.append(orphan)

    await look_again(house)
    house.clock.pass_(MINUTE)
    await house.tick()
    house.clock.pass_(TERMS.quiet_period)
    await house.tick()

    assert {r.id: r.status_type for r in house.board.results} == {
        "bound": StatusType.SUCCEEDED,
        "orphan": StatusType.SUCCEEDED,
    }


async def test_other_parameters_of_a_bound_test_that_never_ran_are_left_alone(house):
    house.board.results = [
        result("bound", created_at="1", test_point_id="point"),
        result("not run", created_at="1", test_point_id="other point"),
    ]

    await delivered(house)
    await look_again(house)

    assert [written for written, _ in house.board.written] == ["bound"]


async def test_the_newest_of_two_cuts_gets_the_only_result_of_their_test(house):
    first = await house.hold()
    house.clock.pass_(SECOND)
    second = await house.hold(code="Failed", kind="Failed")  # since the first was not shown
    house.board.results = [result("r1"), result("normal way", status="Succeeded")]
    await house.settle()

    await house.tick()

    assert house.entry(second).target_id == "r1"
    assert house.entry(first).reason == "its worker had written the final result itself"
    assert [(r, s.type) for r, s in house.board.written] == [("r1", StatusType.FAILED)]


async def test_a_cut_that_was_never_shown_is_delivered_by_its_final_result(house):
    never_shown, shown = await house.hold("first"), await house.hold("second")
    house.board.results = [
        result("r1", external_id="first", status="Failed"),
        result("r2", external_id="second"),
    ]
    await house.settle()

    await house.tick()

    assert house.entry(never_shown).state is EntryState.DELIVERED
    assert house.entry(shown).state is EntryState.DELIVERED
    assert [written for written, _ in house.board.written] == ["r2"]
