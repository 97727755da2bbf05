"""Test IT closes a run when all results it knows of are final: so the first one is held."""

from syncsvc.errors import Unavailable, Uncertain
from syncsvc.results.held.model import EntryState
from syncsvc.results.pushed.model import Phase
from tests.support.pushed import AFTER_CLAIM, Fate, PushHouse


async def test_the_first_result_of_a_run_is_held_and_the_run_stays_open(house):
    await house.accept("one", "two")

    await house.tick()

    assert house.board.shows() == {"one": "InProgress", "two": "Succeeded"}
    assert (await house.outbox.push("run")).phase is Phase.OPEN
    assert house.board.runs["run"].state == "InProgress"


async def test_a_run_whose_results_all_fit_and_that_is_complete_holds_nothing(house):
    await house.accept("one", "two")
    await house.complete()

    await house.tick()

    assert house.states() == {EntryState.DELIVERED: 2}
    assert house.board.calls == [
        "run_info",
        "waiting",
        "ensure_autotests",
        "post",
        "run_info",
    ]
    assert (await house.outbox.push("run")).phase is Phase.COMPLETED


async def test_a_complete_run_that_does_not_fit_into_one_request_holds_its_first():
    house = PushHouse(limit=2)
    await house.accept("one", "two", "three")
    await house.complete()

    await house.tick()

    assert house.states() == {EntryState.DELIVERED: 3}
    assert [post.provisional for posts in house.board.posts for post in posts] == [
        True,
        False,
        False,
    ]
    assert house.board.runs["run"].closings == 1


async def test_only_one_result_is_held_however_many_come(open_house):
    await open_house.accept("one", "two")

    await open_house.tick()

    assert open_house.states() == {EntryState.HELD: 1, EntryState.DELIVERED: 2}


async def test_a_run_that_is_not_started_is_started(house):
    house.board.runs["run"].state = "NotStarted"
    await house.accept("one")

    await house.tick()

    assert house.board.calls[:3] == ["run_info", "start_run", "waiting"]


async def test_a_run_is_looked_at_once_even_if_its_opening_is_tried_again(house):
    await house.accept("one")
    fates = iter([Fate.WELL] * 3 + [Fate.REFUSED])
    house.board.fate = lambda _call: next(fates, Fate.WELL)

    await house.tick()
    await house.tick(AFTER_CLAIM)

    assert house.board.calls.count("run_info") == 1
    assert house.board.calls.count("waiting") == 1
    assert house.entry("one").state is EntryState.HELD


async def test_a_result_that_a_plan_expects_is_written_into_and_not_posted(house):
    bound = house.board.add("planned", is_bound=True)
    await house.accept("planned", "unplanned")
    await house.complete()

    await house.tick()

    assert house.board.shows() == {"planned": "Succeeded", "unplanned": "Succeeded"}
    assert bound.result == house.entry("planned").result
    assert house.entry("planned").target_id == bound.id
    assert [post.result.external_id for (post,) in house.board.posts] == ["unplanned"]


async def test_later_batches_of_a_planned_run_are_written_into_as_well(house):
    first, second = (house.board.add(name, is_bound=True) for name in ("first", "second"))
    await house.accept("first")
    await house.tick()

    await house.accept("second")
    await house.tick()

    assert (first.status, second.status) == ("InProgress", "Succeeded")
    assert house.board.posts == []


async def test_later_batches_of_other_runs_ask_nothing_of_the_kind(open_house):
    await open_house.accept("one")

    await open_house.tick()

    assert "waiting" not in open_house.board.calls


async def test_writing_into_a_planned_result_is_repeated_into_the_same(house):
    bound = house.board.add("planned", is_bound=True)
    await house.accept("planned")
    await house.complete()
    met = []

    def lost_once(call: str) -> Fate:
        met.append(call)
        return Fate.UNHEARD if met.count("fill") == 1 and call == "fill" else Fate.WELL

    house.board.fate = lost_once
    await house.tick()
    await house.tick(AFTER_CLAIM)

    assert house.board.rows() == [bound]
    assert house.entry("planned").state is EntryState.DELIVERED
    assert bound.status == "Succeeded"


async def test_a_planned_result_that_was_removed_is_posted_instead(house):
    house.board.add("planned", is_bound=True)
    await house.accept("planned", "other")
    await house.complete()

    def removes(call: str) -> Fate:
        if call == "fill":
            house.board.runs["run"].rows = [
                row for row in house.board.rows() if row.external_id != "planned"
            ]
        return Fate.WELL

    house.board.fate = removes
    await house.tick()

    assert house.board.marks()[house.entry("planned").id] == 1
    assert house.entry("planned").state is EntryState.DELIVERED


async def test_an_opening_that_fails_is_tried_again_by_the_next(house):
    await house.accept("one")
    house.board.fate = lambda _call: Unavailable("not now")
    await house.tick()

    house.board.fate = lambda _call: Fate.WELL
    await house.tick(AFTER_CLAIM)

    assert house.states() == {EntryState.HELD: 1}


async def test_an_opening_whose_first_answer_is_lost_looks_at_the_run_but_once(house):
    await house.accept("one")
    met = []

    def lost_once(call: str) -> Fate | Uncertain:
        met.append(call)
        is_lost = call == "post" and met.count("post") == 1
        return Uncertain("the request is lost") if is_lost else Fate.WELL

    house.board.fate = lost_once
    await house.tick()

    assert house.states() == {EntryState.HELD: 1}
    assert met.count("run_info") == met.count("waiting") == 1
