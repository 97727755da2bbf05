"""What only databases can get wrong about syncs: two at once, and what is left of a lost one."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update

from syncsvc.catalogue.entities import Product
from syncsvc.catalogue.model import (
    Barrier,
    ErrorClass,
    Order,
    RunStatus,
    SyncOptions,
    SyncPhase,
    SyncScope,
    UnitState,
)
from syncsvc.catalogue.ports import NewRun, RunFilter
from syncsvc.catalogue.sql import SqlSync
from syncsvc.catalogue.sql_rows import MANY, asked
from syncsvc.catalogue.walk import Coverage
from syncsvc.catalogue.work import ASIDE, LIVE, Done, Failed, Poison, ProductsFound, Step
from syncsvc.errors import Conflict
from syncsvc.stores.sql.catalogue_tables import (
    catalogue_products,
    sync_customers,
    sync_quarantine,
    sync_runs,
    sync_state,
    sync_units,
)
from tests.support.builders import NOON, SECOND, ids
from tests.support.postgres import elsewhere, until_waiting

TERM = timedelta(seconds=10)
PHASES = tuple(SyncPhase)
DONE = Step(outcome=Done())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def sync(database) -> SqlSync:
    return SqlSync(database, ids())


def new(run_id="run", customer="acme", *, at=NOON, phases=PHASES, holder=None, **more) -> NewRun:
    order = Order(customer, phases, **more)
    return NewRun(run_id, order, at, at - TERM, holder=holder)


def listed(*products: int) -> Step:
    found = [Product(id=each, name=f"product {each}") for each in products]
    return Step(found=[ProductsFound(found)], outcome=Done())


async def planned(sync: SqlSync, *products: int, **more) -> None:
    """Begin a run and carry out its list of products."""
    await sync.begin(new(**more))
    claimed = await sync.claim(NOON, TERM, "run")
    await sync.commit(claimed, listed(*products), NOON)


async def rest(sync: SqlSync, *, at=NOON) -> list:
    claims = []
    while claimed := await sync.claim(at, TERM, "run"):
        claims.append(claimed)
    return claims


async def test_of_runs_that_begin_at_once_one_begins(sync):
    begun = await asyncio.gather(*[sync.begin(new(f"run-{number}")) for number in range(8)])

    assert sum(each.is_new for each in begun) == 1
    assert len({each.run.id for each in begun}) == 1


async def test_runs_of_customers_begin_at_once_each(sync):
    begun = await asyncio.gather(*[sync.begin(new(f"r{n}", f"customer {n}")) for n in range(6)])

    assert all(each.is_new for each in begun)


@pytest.mark.postgres
async def test_a_run_that_was_recorded_past_the_lock_is_the_live_one(postgres):
    """Who comes without the customer's lock is kept out by the index, and so are we by theirs."""
    sync = SqlSync(postgres, ids())
    await sync.begin(new("old"))
    await sync.close("old", RunStatus.CANCELLED, NOON, reason="stopped")
    foreign = {
        "id": "foreign",
        "customer": "acme",
        "trigger": "cli",
        "asked": asked(Order("acme", PHASES)),
        "status": "running",
        "fence": 9,
        "started_at": NOON,
        "heartbeat_at": NOON,
    }
    async with elsewhere(postgres, insert(sync_runs), foreign) as other:
        beginning = asyncio.create_task(sync.begin(new()))
        await until_waiting(postgres)
        await other.commit()

    begun = await asyncio.wait_for(beginning, 60)

    assert (begun.run.id, begun.is_new) == ("foreign", False)


async def test_a_second_run_of_the_same_id_is_refused(sync):
    await sync.begin(new())
    await sync.close("run", RunStatus.CANCELLED, NOON, reason="stopped")

    with pytest.raises(Conflict, match="expected an id that is new, found 'run'"):
        await sync.begin(new())


async def test_no_unit_is_claimed_twice(sync):
    await planned(sync, *range(1, 21))

    claims = await asyncio.gather(*[sync.claim(NOON, TERM) for _ in range(30)])

    units = [each.unit.id for each in claims if each]
    assert len(units) == len(set(units)) == 20


async def test_a_unit_whose_claim_has_run_out_is_claimed_again_by_one(sync):
    await planned(sync, 1, phases=(SyncPhase.PRODUCTS, SyncPhase.FEATURES))
    first = await sync.claim(NOON, TERM)

    again = await asyncio.gather(*[sync.claim(NOON + TERM, TERM) for _ in range(8)])

    (second,) = [each for each in again if each]
    assert (second.unit.id, second.unit.attempt) == (first.unit.id, 2)
    with pytest.raises(Conflict, match="expected our claim on it"):
        await sync.commit(first, DONE, NOON + TERM)


@pytest.mark.parametrize("barrier", Barrier)
async def test_of_last_units_that_end_at_once_one_is_the_last(sync, barrier):
    await planned(sync, *range(1, 11), barrier=barrier)

    features = await rest(sync)
    opened = await asyncio.gather(*[sync.commit(each, DONE, NOON) for each in features])
    tests = await rest(sync)
    ended = await asyncio.gather(*[sync.commit(each, DONE, NOON + SECOND) for each in tests])

    assert (len(features), len(tests)) == (10, 10)
    assert sum(each.opened for each in opened) == 10
    assert [each.run.status for each in ended].count(RunStatus.SUCCESS) == 1
    kinds = [event.kind for event in await sync.events("run")]
    assert kinds.count("phase_completed") == 3
    assert kinds.count("completed") == 1


async def test_a_denial_and_ordinary_ends_at_once_leave_one_end(sync):
    await planned(sync, *range(1, 9))
    claims = await rest(sync)
    denied = Step(outcome=Failed(ErrorClass.AUTH, "401"))

    answers = await asyncio.gather(
        *[sync.commit(each, denied if n == 4 else DONE, NOON) for n, each in enumerate(claims)],
        return_exceptions=True,
    )

    run = await sync.run("run")
    assert (run.status, run.error_class) == (RunStatus.FAILED, ErrorClass.AUTH)
    assert all(isinstance(each, Conflict) or each.counts is not None for each in answers)
    assert all(unit.state.is_over for unit in await sync.units("run"))
    assert [event.kind for event in await sync.events("run")].count("failed") == 1


async def test_claims_signs_of_life_commits_and_closing_do_not_wait_for_each_other(sync):
    """No two of them hold a run and a unit in another order: that would be a deadlock."""
    await planned(sync, *range(1, 41))
    claims = [await sync.claim(NOON, TERM) for _ in range(20)]
    late = NOON + TERM

    answers = await asyncio.gather(
        *[sync.commit(each, DONE, late) for each in claims[:10]],
        *[sync.claim(late, TERM) for _ in range(10)],
        *[sync.keep([each.claim for each in claims], ["run"], late, TERM) for _ in range(10)],
        *[sync.begin(new(f"next-{n}", at=late + n * TERM)) for n in range(3)],
        sync.close("run", RunStatus.CANCELLED, late, reason="stopped"),
        return_exceptions=True,
    )

    (running,) = await sync.runs(RunFilter(status=RunStatus.RUNNING))
    assert running.id.startswith("next")
    refused = [each for each in answers if isinstance(each, Exception)]
    assert all(isinstance(each, Conflict) for each in refused), refused


async def test_what_a_lost_claim_has_found_is_not_kept(sync, database):
    await sync.begin(new())
    first = await sync.claim(NOON, TERM)
    await sync.claim(NOON + TERM, TERM)

    with pytest.raises(Conflict):
        await sync.commit(first, listed(1, 2), NOON + TERM)

    count = select(func.count()).select_from(catalogue_products)
    assert await database.read(lambda c: c.scalar(count)) == 0


async def test_a_run_behind_the_newest_fence_commits_nothing(sync, database):
    await sync.begin(new())
    claimed = await sync.claim(NOON, TERM)
    newer = update(sync_customers).values(fence=7)
    await database.write(lambda c: c.execute(newer))

    with pytest.raises(Conflict, match="expected fence 7, found 1"):
        await sync.commit(claimed, DONE, NOON)


async def test_a_catalogue_of_more_products_than_one_statement_takes_is_planned(sync, database):
    await planned(sync, *range(1, 2 * MANY + 8))

    count = select(sync_units.c.state, func.count()).group_by(sync_units.c.state)
    states = await database.read(lambda c: dict(tuple(row) for row in c.execute(count)))
    assert states == {UnitState.DONE: 1, UnitState.OPEN: 1007, UnitState.WAITING: 1007}


async def test_more_claims_than_one_statement_takes_are_kept(sync):
    await planned(sync, 1)
    claimed = await sync.claim(NOON, TERM)
    strangers = [f"stranger {number}" for number in range(2 * MANY)]

    lost = await sync.keep([*strangers, claimed.claim], ["run"], NOON, TERM)

    assert set(lost) == set(strangers)


async def test_a_nuke_is_seen_when_it_has_ended_and_not_before(sync, database):
    await planned(sync, 1, 2, phases=(SyncPhase.PRODUCTS,))
    await sync.begin(new("nuke", phases=(SyncPhase.PRODUCTS, SyncPhase.FEATURES), **NUKE))
    claimed = await sync.claim(NOON, TERM, "nuke")
    await sync.commit(claimed, listed(2, 3), NOON)

    before = await database.read(lambda c: _products(c, LIVE))
    while claimed := await sync.claim(NOON, TERM, "nuke"):
        await sync.commit(claimed, DONE, NOON)

    assert before == [1, 2]
    assert await database.read(lambda c: _products(c, LIVE)) == [2, 3]
    assert await database.read(lambda c: _products(c, ASIDE)) == []


async def test_a_cancelled_nuke_leaves_what_was_there(sync, database):
    await planned(sync, 1, 2, phases=(SyncPhase.PRODUCTS,))
    await sync.begin(new("nuke", phases=PHASES, **NUKE))
    claimed = await sync.claim(NOON, TERM, "nuke")
    await sync.commit(claimed, listed(3), NOON)

    await sync.close("nuke", RunStatus.CANCELLED, NOON, reason="stopped")

    assert await database.read(lambda c: _products(c, LIVE)) == [1, 2]
    assert await database.read(lambda c: _products(c, ASIDE)) == []


async def test_a_nuke_of_which_a_product_failed_keeps_that_ones_old_rows(sync, database):
    await planned(sync, 1, 2, phases=(SyncPhase.PRODUCTS,))
    await sync.begin(new("nuke", phases=(SyncPhase.PRODUCTS, SyncPhase.FEATURES), **NUKE))
    claimed = await sync.claim(NOON, TERM, "nuke")
    await sync.commit(claimed, listed(1, 2), NOON)
    while claimed := await sync.claim(NOON, TERM, "nuke"):
        failed = Step(outcome=Failed(ErrorClass.SHAPE, "no"))
        await sync.commit(claimed, DONE if claimed.product == 1 else failed, NOON)

    rows = select(catalogue_products.c.id, catalogue_products.c.last_seen_run)
    seen = await database.read(lambda c: {row[0]: row[1] for row in c.execute(rows)})
    assert seen == {1: "nuke", 2: "run"}


NUKE = {"options": SyncOptions(nuke=True), "scope": SyncScope()}


def _products(connection, stage: int) -> list[int]:
    query = select(catalogue_products.c.id).where(catalogue_products.c.stage == stage)
    return sorted(connection.scalars(query))


async def test_a_place_that_stays_unreadable_is_remembered_once_and_tried_ever_later(
    sync, database
):
    poison = Poison(1, 1, 25, above=7, below=None, error="500")
    await planned(sync, 1, phases=(SyncPhase.PRODUCTS, SyncPhase.NEW_TESTS))
    claimed = await sync.claim(NOON, TERM)
    first = await sync.commit(claimed, Step(poisoned=[poison]), NOON)

    again = await sync.commit(claimed, Step(poisoned=[poison]), NOON)

    rows = await database.read(lambda c: c.execute(select(sync_quarantine)).all())
    assert [(row.attempts, row.next_try_at) for row in rows] == [(2, NOON + timedelta(hours=1))]
    assert (first.counts.quarantined, again.counts.quarantined) == (1, 0)
    await sync.commit(claimed, Step(healed=[rows[0].id]), NOON + SECOND)
    assert (await sync.state("acme")).quarantined == 0


async def test_coverage_is_stored_with_what_it_says_of_the_list(sync, database):
    await planned(sync, 1, phases=(SyncPhase.PRODUCTS, SyncPhase.NEW_TESTS))
    claimed = await sync.claim(NOON, TERM)
    await sync.commit(claimed, Step(coverage=Coverage()), NOON)
    gaps = (await sync.state("acme")).incomplete

    await sync.commit(claimed, Step(coverage=Coverage(complete=True)), NOON)

    assert (gaps, (await sync.state("acme")).incomplete) == (1, 0)
    assert len(await database.read(lambda c: c.execute(select(sync_state)).all())) == 1
