"""What is held and what is pushed, listed and repaired together."""

from dataclasses import dataclass

import pytest

from syncsvc.errors import Rejected, Unknown
from syncsvc.results.held.memory import MemoryOutbox
from syncsvc.results.held.model import EntryState
from syncsvc.results.held.ports import Filter
from syncsvc.results.held.service import ResultService
from syncsvc.results.ledger import Kind, Ledger
from syncsvc.results.pushed.memory import MemoryPushOutbox
from syncsvc.results.pushed.model import Phase, Push, Result
from syncsvc.runs.memory import MemoryRosters, MemoryRuns
from tests.support.builders import LIVENESS, MINUTE, NOON, Clock, cut, ids, run
from tests.support.fakes import Nudges


@dataclass
class Bell:
    rung: int = 0

    async def push(self) -> None:
        self.rung += 1


class House:
    def __init__(self) -> None:
        new_id, clock = ids(), Clock()
        runs = MemoryRuns()
        self.runs, self.bell, self.nudges = runs, Bell(), Nudges()
        self.held = MemoryOutbox(runs, new_id)
        self.pushed = MemoryPushOutbox(new_id, runs)
        rosters = MemoryRosters(auto=True, idle_limit=LIVENESS.idle_limit)
        service = ResultService(self.held, rosters, self.nudges, LIVENESS, clock, None)
        self.ledger = Ledger(service, self.pushed, self.bell, clock)

    async def hold(self, test: str, run_id: str = "run", *, dead: bool = False) -> str:
        await self.runs.put(run(run_id))
        entry_id = await self.held.hold(cut(test, run_id=run_id), NOON)
        if dead:
            await self.held.release(run_id, NOON, forced=False)
            (claimed,) = await self.held.claim_due(NOON, MINUTE, 10)
            await self.held.settle(claimed, EntryState.DEAD, NOON, "because")
        return entry_id

    async def push(self, test: str, run_id: str = "run", *, dead: bool = False) -> str:
        await self.runs.put(run(run_id))
        await self.pushed.open(Push(run_id, "project", None, Phase.NEW, NOON))
        await self.pushed.accept(run_id, [Result(external_id=test, status="passed")], NOON)
        (entry,) = await self.pushed.entries(Filter(run_id=run_id, limit=1))
        if dead:
            await self.pushed.claim(NOON, MINUTE, 10)
            await self.pushed.settle({entry.id: None}, EntryState.DEAD, NOON, "because")
        return entry.id

    async def ids(self, **which: object) -> list[str]:
        return [entry.id for entry in await self.ledger.entries(Filter(**which))]


@pytest.fixture
def house() -> House:
    return House()


async def test_both_kinds_are_one_list_newest_first_page_by_page(house):
    a, b, c, d = [
        await house.hold("a"),
        await house.push("b"),
        await house.hold("c"),
        await house.push("d"),
    ]

    assert await house.ids(limit=3) == [d, c, b]
    assert await house.ids(limit=3, before=b) == [a]
    assert await house.ids(run_id="other") == []


async def test_filters_come_before_pages(house):
    dead = await house.push("a", dead=True)
    for number in range(5):
        await house.hold(f"t{number}", "other")

    assert await house.ids(state=EntryState.DEAD, limit=1) == [dead]
    assert await house.ids(run_id="run", limit=1) == [dead]


async def test_one_kind_is_listed_alone(house):
    held, pushed = await house.hold("a"), await house.push("b")

    assert [e.id for e in await house.ledger.entries(Filter(), Kind.HELD)] == [held]
    assert [e.id for e in await house.ledger.entries(Filter(), Kind.PUSHED)] == [pushed]


@pytest.mark.parametrize("limit", [0, 1001])
async def test_a_page_out_of_range_is_refused_for_either_kind(house, limit):
    for kind in (None, *Kind):
        with pytest.raises(Rejected, match="limit: expected 1 to 1000"):
            await house.ledger.entries(Filter(limit=limit), kind)


async def test_an_entry_is_found_whatever_its_kind(house):
    held, pushed = await house.hold("a"), await house.push("b")

    assert [(await house.ledger.entry(each)).id for each in (held, pushed)] == [held, pushed]
    with pytest.raises(Unknown, match="'stranger'"):
        await house.ledger.entry("stranger")


async def test_counts_are_of_both(house):
    await house.hold("a", dead=True)
    await house.push("b", dead=True)
    await house.push("c")

    assert await house.ledger.counts() == {EntryState.DEAD: 2, EntryState.PENDING: 1}


async def test_one_dead_result_is_tried_again_whatever_its_kind(house):
    held, pushed = await house.hold("a", dead=True), await house.push("b", dead=True)

    assert [await house.ledger.retry(held), await house.ledger.retry(pushed)] == [1, 1]

    assert (house.nudges.count, house.bell.rung) == (1, 1)
    assert set(await house.ids(state=EntryState.PENDING)) == {held, pushed}


async def test_all_the_dead_of_a_run_are_tried_again_and_no_others(house):
    await house.hold("a", dead=True)
    await house.push("b", dead=True)
    others = {await house.hold("c", "other", dead=True), await house.push("d", "other", dead=True)}

    assert await house.ledger.retry(None, "run") == 2

    assert set(await house.ids(state=EntryState.DEAD)) == others


async def test_all_the_dead_are_tried_again(house):
    await house.hold("a", dead=True)
    await house.push("b", "other", dead=True)

    assert (await house.ledger.retry(None), await house.ledger.retry(None)) == (2, 0)


async def test_dead_results_are_dropped_one_a_runs_or_all(house):
    held, pushed = await house.hold("a", dead=True), await house.push("b", dead=True)
    await house.hold("c", "other", dead=True)
    await house.push("d", "third", dead=True)

    assert [await house.ledger.drop(held), await house.ledger.drop(pushed)] == [1, 1]
    assert await house.ledger.drop(None, "other") == 1
    assert await house.ledger.drop(None) == 1

    assert await house.ids() == []


@pytest.mark.parametrize("verb", ["retry", "drop"])
async def test_what_is_not_dead_is_neither_tried_again_nor_dropped(house, verb):
    for entry_id in (await house.hold("a"), await house.push("b")):
        with pytest.raises(Rejected, match="expected one that is dead, found"):
            await getattr(house.ledger, verb)(entry_id)
    with pytest.raises(Unknown):
        await getattr(house.ledger, verb)("stranger")

    assert len(await house.ids()) == 2


async def test_pushed_results_of_a_run_are_found_by_its_id_in_any_case(house):
    quiet = "1111111a-1111-4111-8111-11111111111b"
    dead = await house.push("a", quiet, dead=True)

    assert await house.ids(run_id=quiet.upper()) == [dead]
    assert await house.ledger.counts(quiet.upper()) == {EntryState.DEAD: 1}
    assert await house.ledger.retry(None, quiet.upper()) == 1


async def test_pushed_results_of_a_run_are_dropped_by_its_id_in_any_case(house):
    quiet = "1111111a-1111-4111-8111-11111111111b"
    await house.push("a", quiet, dead=True)

    assert await house.ledger.drop(None, quiet.upper()) == 1
