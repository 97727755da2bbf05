"""What only PostgreSQL can get wrong: two that want the same rows wait for each other for ever.

So everybody holds rows in the order of their ids, and a push before its results. Here rows are
stored in another order, somebody holds the first one, and whoever wants several waits for it
without holding the last one.
"""

import asyncio
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Table, select

from syncsvc.results.held.model import EntryState
from syncsvc.results.held.sql import SqlOutbox
from syncsvc.results.pushed.sql import SqlPushOutbox
from syncsvc.runs.sql import SqlRuns
from syncsvc.stores.sql.sealing import Seal
from syncsvc.stores.sql.tables import outbox, pushed_results, pushes
from tests.support.builders import MINUTE, NOON, cut, ids, push, pushed_result, run
from tests.support.postgres import elsewhere, until_waiting

pytestmark = pytest.mark.postgres

FIRST, MIDDLE, LAST = ALL = tuple(f"id-000{number}" for number in (1, 2, 3))
DELIVERED, DEAD = EntryState.DELIVERED, EntryState.DEAD


@pytest.fixture(autouse=True)
async def known(postgres) -> None:
    await SqlRuns(postgres, Seal("a key")).put(run())


@pytest.fixture
async def pushed(postgres) -> SqlPushOutbox:
    """Three results, stored in the order of their keys, the reverse of that of their ids."""
    pushed = SqlPushOutbox(postgres, ids())
    await pushed.open(push())
    await pushed.accept("run", [pushed_result(f"test {key}", key=key) for key in "cba"], NOON)
    return pushed


@pytest.fixture
async def held(postgres) -> SqlOutbox:
    """Three results that are due; the first one was written anew, behind the others."""
    held = SqlOutbox(postgres, ids())
    for _ in ALL:
        await held.hold(cut(), NOON)
    await held.release("run", NOON, forced=False)
    await held.aim({FIRST: "its result"})
    return held


@asynccontextmanager
async def waiting(postgres, story, table: Table, key: str):
    """Hold a row as another process does, while a story waits for it; then let it go on."""
    (column,) = table.primary_key
    async with elsewhere(postgres, select(column).where(column == key).with_for_update()) as other:
        playing = asyncio.create_task(story)
        await until_waiting(postgres)
        yield
        await other.rollback()
    await asyncio.wait_for(playing, 60)


async def free(postgres, table: Table) -> list[str]:
    """Name the rows that nobody holds."""
    (column,) = table.primary_key
    query = select(column).order_by(column).with_for_update(skip_locked=True)
    return await postgres.read(lambda connection: list(connection.scalars(query)))


STEPS = {
    "sending": lambda pushed, entries: pushed.sending(entries, NOON),
    "not sent": lambda pushed, entries: pushed.not_sent(entries),
    "later": lambda pushed, entries: pushed.retry_later(entries, NOON, "503", count=True),
    "lost": lambda pushed, entries: pushed.lost(entries, NOON),
    "settled": lambda pushed, _: pushed.settle(dict.fromkeys(ALL[::-1]), DELIVERED, NOON, None),
    "aimed": lambda pushed, _: pushed.aim("run", {each: f"of {each}" for each in ALL[::-1]}),
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_step_of_a_batch_waits_for_its_first_result_and_holds_no_later_one(
    postgres, pushed, step
):
    batch = await pushed.claim(NOON, MINUTE, 10)
    for each in batch.entries:
        await pushed.aim("run", {each.id: f"of {each.id}"} if step == "lost" else {})

    async with waiting(postgres, STEPS[step](pushed, batch.entries), pushed_results, FIRST):
        assert await free(postgres, pushed_results) == [MIDDLE, LAST]


async def test_a_claim_passes_by_a_result_that_somebody_holds(postgres, pushed):
    column = pushed_results.c.id

    async with elsewhere(postgres, select(column).where(column == FIRST).with_for_update()):
        batch = await asyncio.wait_for(pushed.claim(NOON, MINUTE, 10), 20)

    assert [each.id for each in batch.entries] == [MIDDLE, LAST]


@pytest.mark.parametrize("run_id", ["run", None])
async def test_who_revives_results_waits_for_their_push_and_holds_none_of_them(
    postgres, pushed, run_id
):
    await pushed.settle(dict.fromkeys(ALL), DEAD, NOON, "401")

    async with waiting(postgres, pushed.revive(None, run_id, NOON), pushes, "run"):
        assert await free(postgres, pushed_results) == list(ALL)

    assert await pushed.counts() == {EntryState.PENDING: 3}


async def test_who_revives_results_waits_for_the_first_and_holds_no_later_one(postgres, pushed):
    await pushed.settle(dict.fromkeys(ALL), DEAD, NOON, "401")

    async with waiting(postgres, pushed.revive(None, None, NOON), pushed_results, FIRST):
        assert await free(postgres, pushed_results) == [MIDDLE, LAST]


async def dead(held: SqlOutbox) -> None:
    for each in await held.claim_due(NOON, MINUTE, 10):
        await held.settle(each, DEAD, NOON, "401")


async def test_who_releases_held_results_waits_for_the_first_and_holds_no_later_one(postgres, held):
    async with waiting(postgres, held.release("run", NOON, forced=True), outbox, FIRST):
        assert await free(postgres, outbox) == [MIDDLE, LAST]


async def test_who_aims_held_results_waits_for_the_first_and_holds_no_later_one(postgres, held):
    targets = {each: f"of {each}" for each in ALL[::-1]}

    async with waiting(postgres, held.aim(targets), outbox, FIRST):
        assert await free(postgres, outbox) == [MIDDLE, LAST]


async def test_who_revives_held_results_waits_for_the_first_and_holds_no_later_one(postgres, held):
    await dead(held)

    async with waiting(postgres, held.revive(None, NOON), outbox, FIRST):
        assert await free(postgres, outbox) == [MIDDLE, LAST]


async def test_who_drops_held_results_waits_for_the_first_and_holds_no_later_one(postgres, held):
    await dead(held)

    async with waiting(postgres, held.drop(None, None), outbox, FIRST):
        assert await free(postgres, outbox) == [MIDDLE, LAST]
