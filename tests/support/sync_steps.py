"""Syncs that are begun, claimed and committed step by step, at whatever home."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from syncsvc.catalogue.model import EntityType, Order, RunStatus, SyncPhase, SyncRun
from syncsvc.catalogue.work import (
    Claimed,
    Committed,
    Done,
    Found,
    Outcome,
    ProductsFound,
    Step,
)
from tests.support.builders import NOON
from tests.support.catalogue import catalogue_rows, new_run, order, product

PRODUCTS, FEATURES, NEW_TESTS = SyncPhase
TERM = timedelta(seconds=10)
DONE = Done()
_TABLES = {
    EntityType.PRODUCTS: ("catalogue_products", "id"),
    EntityType.FEATURES: ("catalogue_features", "id"),
    EntityType.USER_STORIES: ("catalogue_user_stories", "key"),
    EntityType.TESTS: ("catalogue_tests", "id"),
}


def done(_: Claimed) -> Step:
    return Step(outcome=DONE)


async def begin(
    home: Any, run_id: str = "run-1", asked: Order | None = None, **more: Any
) -> SyncRun:
    return (await home.runs.begin(new_run(run_id, asked, **more))).run


async def take(home: Any, now: datetime = NOON, run_id: str | None = None) -> Claimed:
    claimed = await home.units.claim(now, TERM, run_id)
    assert claimed is not None, "expected a unit that may be claimed"
    return claimed


async def go(
    home: Any,
    *found: Found,
    outcome: Outcome | None = DONE,
    now: datetime = NOON,
    **step: Any,
) -> Committed:
    """Claim the next unit and commit one step of it."""
    claimed = await take(home, now)
    return await home.units.commit(claimed, Step(found, outcome=outcome, **step), now)


async def drive(
    home: Any, answer: Callable[[Claimed], Step] = done, now: datetime = NOON
) -> list[Claimed]:
    """Claim and commit until nothing is due."""
    claims = []
    while (claimed := await home.units.claim(now, TERM)) is not None:
        claims.append(claimed)
        await home.units.commit(claimed, answer(claimed), now)
    return claims


async def stock(home: Any, *ids: int, customer: str = "acme", run_id: str = "run-0") -> None:
    """Make products known, by a sync of their list that succeeds."""
    await begin(home, run_id, order(customer, PRODUCTS))
    committed = await go(home, ProductsFound([product(key) for key in ids or (1,)]))
    assert committed.run.status is RunStatus.SUCCESS


async def one_unit(
    home: Any,
    phase: SyncPhase = PRODUCTS,
    run_id: str = "run-1",
    now: datetime = NOON,
    **more: Any,
) -> Claimed:
    """Begin a run of one phase and claim its first unit."""
    await begin(home, run_id, order("acme", phase, **more), now=now)
    return await take(home, now)


async def shown(home: Any, kind: EntityType, customer: str = "acme") -> list[Any]:
    """Give the keys of what readers see of a kind."""
    if home.database is None:
        return [row["key"] for row in home.runs.rows(customer, kind)]
    table, key = _TABLES[kind]
    rows = (await catalogue_rows(home.database, customer))[table]
    return [row[key] for row in rows if row.get("is_active", True) and not row["deleted_at"]]


async def kinds(home: Any, run_id: str = "run-1") -> list[str]:
    return [event.kind for event in await home.runs.events(run_id)]


async def messages(home: Any, kind: str, run_id: str = "run-1") -> list[str]:
    return [event.message for event in await home.runs.events(run_id) if event.kind == kind]


async def states(home: Any, run_id: str = "run-1") -> dict[tuple[SyncPhase, int | None], str]:
    return {(u.phase, u.product_id): u.state for u in await home.runs.units(run_id)}
