"""What only PostgreSQL can get wrong: a run is forgotten while somebody still uses it."""

import asyncio

import pytest
from sqlalchemy import delete, insert, select

from syncsvc.errors import Unknown
from syncsvc.results.held.sql import SqlOutbox
from syncsvc.results.pushed.sql import SqlPushOutbox
from syncsvc.runs.sql import SqlRuns
from syncsvc.stores.sql.sealing import Seal
from syncsvc.stores.sql.tables import results, runs
from tests.support.builders import NOON, SECOND, cut, ids, push, run
from tests.support.postgres import elsewhere, until_waiting

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
async def known(postgres) -> SqlRuns:
    runs = SqlRuns(postgres, Seal("a key"))
    for name in ("run", "other"):
        await runs.put(run(name))
    return runs


@pytest.fixture
def outbox(postgres) -> SqlOutbox:
    return SqlOutbox(postgres, ids())


def _result(run_id: str) -> dict[str, object]:
    named = ("run_id", "external_id", "status_code", "status_type", "project_id", "started_on")
    values = {name: getattr(cut(run_id=run_id), name) for name in named}
    return {"id": "being held", "held_at": NOON, **values}


async def test_a_run_for_which_a_result_is_being_held_is_passed_by(postgres, known, outbox):
    async with elsewhere(postgres, insert(results), _result("run")) as holding:
        await asyncio.wait_for(outbox.forget(NOON + SECOND), 20)
        await holding.commit()

    assert (await known.get("run"), await known.get("other")) == (run("run"), None)


async def test_a_result_for_a_run_that_is_being_forgotten_is_refused_by_name(postgres, outbox):
    async with elsewhere(postgres, delete(runs).where(runs.c.id == "run")) as forgetting:
        holding = asyncio.gather(
            outbox.hold(cut(run_id="run"), NOON),
            outbox.hold(cut(run_id="other"), NOON),
            return_exceptions=True,
        )
        await until_waiting(postgres)
        await forgetting.commit()
        refused, held = await asyncio.wait_for(holding, 60)

    assert isinstance(refused, Unknown)
    assert await outbox.get(held) is not None


async def test_pushing_to_a_run_that_is_being_forgotten_is_refused_by_name(postgres):
    pushes = SqlPushOutbox(postgres, ids())

    async with elsewhere(postgres, delete(runs).where(runs.c.id == "run")) as forgetting:
        opening = asyncio.create_task(pushes.open(push("run")))
        await until_waiting(postgres)
        await forgetting.commit()

        with pytest.raises(Unknown, match="'run'"):
            await asyncio.wait_for(opening, 60)


async def test_a_run_that_is_being_registered_again_is_passed_by(postgres, known, outbox):
    again = select(runs.c.id).where(runs.c.id == "run").with_for_update()

    async with elsewhere(postgres, again):
        await asyncio.wait_for(outbox.forget(NOON + SECOND), 20)

    assert await known.get("run") == run("run")
