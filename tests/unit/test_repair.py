"""What is stuck in a run, what we know of it, and what it becomes."""

from dataclasses import dataclass, field

import pytest

from syncsvc.errors import Unavailable, Unknown
from syncsvc.results.held.model import EntryState, FinalStatus, StatusType
from syncsvc.results.held.stuck import Repair, Verdict
from syncsvc.runs.model import Destination, WorkerStatus
from tests.support.builders import LIVENESS, MINUTE, result, run
from tests.support.houses import House

POINT = "point"


@dataclass
class Workshop(House):
    repair: Repair = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.repair = Repair(self.outbox, self.runs, self.rosters, self.board, LIVENESS, self.clock)

    async def fix(self, chosen: Verdict | None = None) -> dict[str, StatusType | None]:
        outcomes = await self.repair.fix(run(), await self.repair.stuck(run()), chosen)
        return {each.stuck.result.id: each.status for each in outcomes}

    async def known(self) -> str:
        (stuck,) = await self.repair.stuck(run())
        return stuck.known


@pytest.fixture
def shop() -> Workshop:
    return Workshop()


async def kill(shop: Workshop, entry_id: str) -> None:
    await shop.outbox.release("run", shop.clock(), forced=True)
    (claimed,) = await shop.outbox.claim_due(shop.clock(), MINUTE, 10)
    assert claimed.id == entry_id
    await shop.outbox.settle(claimed, EntryState.DEAD, shop.clock(), "401")


async def test_a_run_in_which_all_is_final_has_nothing_stuck(shop):
    shop.board.results = [result("r1", status="Failed")]

    assert await shop.repair.stuck(run()) == []


async def test_what_is_held_while_workers_work_is_told_and_left_alone(shop):
    await shop.hold()

    assert await shop.known() == "held"
    assert await shop.fix(Verdict.PASSED) == {"r1": None}
    assert shop.board.written == []


async def test_a_dead_result_gets_the_status_that_was_handed_over(shop):
    entry_id = await shop.hold(code="Failed", kind="Failed")
    await shop.complete()
    await kill(shop, entry_id)
    assert await shop.known() == "dead: 401"

    assert await shop.fix(Verdict.PASSED) == {"r1": StatusType.FAILED}

    await shop.tick()
    assert shop.entry(entry_id).state is EntryState.DELIVERED


async def test_what_is_not_ours_gets_the_chosen_status_with_the_projects_code(shop):
    shop.board.codes = ("Passed", "Blocked")

    assert await shop.fix(Verdict.BLOCKED) == {"r1": StatusType.INCOMPLETE}

    assert shop.board.written == [("r1", FinalStatus(StatusType.INCOMPLETE, "Blocked"))]


async def test_what_nothing_tells_of_stays_until_somebody_chooses(shop):
    assert await shop.fix() == {"r1": None}


async def test_traces_tell_of_a_failure(shop):
    shop.board.results = [result("r1", has_traces=True)]

    assert await shop.fix() == {"r1": StatusType.FAILED}


@pytest.mark.parametrize(
    ("others", "expected"),
    [(["Succeeded"], StatusType.SUCCEEDED), (["Succeeded", "Failed"], None)],
)
async def test_a_final_result_beside_a_bound_one_tells_its_status(shop, others, expected):
    beside = [result(f"o{n}", status=status) for n, status in enumerate(others)]
    shop.board.results = [result("r1", test_point_id=POINT), *beside]

    assert await shop.fix() == {"r1": expected}


async def test_a_pushed_result_waits_for_its_run_to_be_completed(shop):
    pushed = result("r1")
    shop.board.results = [type(pushed)("r1", "test", "InProgress", "1", pushed_as="entry")]

    assert "syncsvc run complete" in await shop.known()
    assert await shop.fix(Verdict.PASSED) == {"r1": None}


async def test_two_results_of_one_test_share_no_entry(shop):
    await shop.hold()
    await shop.complete()
    shop.board.results = [result("r1", created_at="1"), result("r2", created_at="2")]

    stuck = await shop.repair.stuck(run())

    assert [each.entry is None for each in stuck] == [False, True]


async def test_one_that_cannot_be_written_does_not_keep_the_others_back(shop):
    shop.board.results = [result("r1", created_at="1"), result("r2", created_at="2")]
    shop.board.failures = {"r1": Unavailable("503")}

    assert await shop.fix(Verdict.PASSED) == {"r1": None, "r2": StatusType.SUCCEEDED}


async def test_a_run_is_found_where_it_was_named_known_or_configured(shop):
    there, default = Destination("https://there", "t"), Destination("https://default")
    assert (await shop.repair.run("run", there, default)).destination == there
    assert (await shop.repair.run("run", None, default)).destination == default
    with pytest.raises(Unknown, match="say --url"):
        await shop.repair.run("run", None, None)

    await shop.runs.put(run())
    assert (await shop.repair.run("run", None, default)).destination == run().destination


async def test_a_worker_that_works_elsewhere_in_the_run_does_not_protect_what_is_dead(shop):
    entry_id = await shop.hold()
    await kill(shop, entry_id)
    await shop.rosters.report("run", "worker", WorkerStatus.IN_PROGRESS, shop.clock())

    assert await shop.fix() == {"r1": StatusType.SUCCEEDED}
