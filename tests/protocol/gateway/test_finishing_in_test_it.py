"""Held results become final in a Test IT over real HTTP, and their run ends there."""

import pytest

from syncsvc.adapters.testit.calls import TestItCalls
from syncsvc.adapters.testit.client import TestItBoard
from syncsvc.adapters.testit.destinations import TestItDestinations
from syncsvc.runs.model import Destination, Run
from syncsvc.sandbox.identities import TOKEN
from tests.protocol.sandbox.world import a_world, report
from tests.support.builders import NOON, TERMS, cut
from tests.support.gates import OpenGate
from tests.support.houses import House
from tests.support.plain_http import plain_http


@pytest.fixture
async def world():
    async with a_world() as world:
        yield world


@pytest.fixture
async def house(world):
    async with plain_http() as http:
        destinations = TestItDestinations(world.url, TOKEN)
        yield House(board=TestItBoard(TestItCalls(http, destinations, OpenGate())))


async def hold(house, world, run, test="a"):
    await house.runs.put(Run(run, Destination(world.url, TOKEN), created_at=NOON))
    await house.rosters.register(run, "worker", house.clock())
    entry_id = await house.outbox.hold(cut(test, run_id=run, project_id=None), house.clock())
    await house.outbox.release(run, house.clock(), forced=True)
    return entry_id


async def look_again(house):
    house.clock.pass_(TERMS.verify_after)
    await house.delivery.deliver_due()


async def statuses(world, run):
    return [each["status"] for each in (await world.seen(run))["results"]]


async def test_a_post_beside_a_planned_result_leaves_neither_open_and_the_run_closes(house, world):
    planned = await world.ask(
        "POST", "/__sandbox__/runs", {"name": "plan", "results": [{"external_id": "a"}]}
    )
    await world.send(planned["id"], report("a", "InProgress"))
    await hold(house, world, planned["id"])

    await house.delivery.deliver_due()

    assert await statuses(world, planned["id"]) == ["Succeeded", "Succeeded"]
    assert (await world.seen(planned["id"]))["state"] == "Completed"


async def test_what_an_adapter_writes_back_is_made_final_again(house, world):
    await world.autotests("a")
    run = await world.run()
    (posted,) = await world.send(run, report("a", "InProgress"))
    entry_id = await hold(house, world, run)
    await house.delivery.deliver_due()
    await world.ask("PUT", f"/adapters/testResults/{posted}", {"statusType": "InProgress"})

    await look_again(house)
    await look_again(house)

    assert await statuses(world, run) == ["Succeeded"]
    assert house.entry(entry_id).writes == 2


async def test_completing_a_run_that_is_over_is_no_mistake(house, world):
    await world.autotests("a")
    run = Run(await world.run(), Destination(world.url, TOKEN), created_at=NOON)
    await world.send(run.id, report("a", "InProgress"))
    assert await house.board.state(run) == "InProgress"

    await house.board.complete(run)
    await house.board.complete(run)

    assert await house.board.state(run) == "Completed"


async def test_a_run_that_somebody_completed_too_early_is_reported_and_its_result_final(
    house, world
):
    await world.autotests("a")
    run = await world.run()
    await world.send(run, report("a", "InProgress"))
    await world.ask("POST", f"/api/v2/testRuns/{run}/complete")
    await hold(house, world, run)

    await house.delivery.deliver_due()

    assert house.runs.rows[run].closed_early_at == house.clock()
    assert await statuses(world, run) == ["Succeeded"]


async def test_the_board_tells_what_waits_and_what_is_final(house, world):
    await world.autotests("a", "b")
    run = await world.run()
    await world.send(run, report("a", "InProgress", properties={"syncsvc": "entry"}))
    await world.send(run, report("b", "Failed"))
    known = Run(run, Destination(world.url, TOKEN), created_at=NOON)

    (waiting,) = await house.board.waiting(known)

    assert (waiting.external_id, waiting.pushed_as) == ("a", "entry")
    assert await house.board.is_waiting(known)
    assert await house.board.final_types(known, "b") == ["Failed"]
