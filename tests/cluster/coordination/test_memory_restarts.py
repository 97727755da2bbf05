"""A wait outlives the memory: it ends as it would have, or says plainly that it was lost."""

import asyncio
from collections import Counter
from signal import SIGKILL, SIGTERM

import pytest
from redis import Redis

from syncsvc.coordination.checkpoints.ports import ALIVE_FOR
from tests.cluster.coordination.gathering import arrived, connect, told, until_seen, wait
from tests.support.agents import Agent
from tests.support.fleet import Fleet, running_fleet

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

WORKERS = [f"agent-{number}" for number in range(200)]
ALL = len(WORKERS) + 1
LOST_WITHIN = 10.0  # seconds
SOON = 40.0


@pytest.fixture(scope="module")
def durable(tmp_path_factory):
    with running_fleet(tmp_path_factory.mktemp("durable")) as started:
        yield started


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory):
    with running_fleet(tmp_path_factory.mktemp("forgetful"), durable=False) as started:
        yield started


@pytest.mark.parametrize("how", [SIGKILL, SIGTERM], ids=["killed", "stopped"])
async def test_a_memory_with_a_file_restarts_and_every_wait_ends_in_release(durable, run, how):
    agents = await connect(durable.ports, run, [*WORKERS, "last"])
    waits = [wait(agent, ALL) for agent in agents[:-1]]
    await arrived(agents[-1], len(WORKERS))

    await asyncio.to_thread(durable.memory.restart, how)
    assert not any(each.done() for each in waits)
    last = await until_seen(lambda: asking(agents[-1]), "the last may arrive", SOON)

    endings = [last, *await told(waits, SOON)]
    assert Counter(each["outcome"] for each in endings) == {"released": ALL}
    assert len({each["start_at"] for each in endings}) == 1


async def test_nobody_dies_of_a_memory_that_was_away_for_longer_than_a_life(durable, run):
    agents = await connect(durable.ports, run, [*WORKERS, "last"])
    waits = [wait(agent, ALL, policy="fail") for agent in agents[:-1]]
    await arrived(agents[-1], len(WORKERS))

    durable.memory.stop(SIGKILL)
    await asyncio.sleep(ALIVE_FOR.total_seconds() + 2)
    await asyncio.to_thread(durable.memory.start)
    last = await until_seen(lambda: asking(agents[-1], policy="fail"), "the last may arrive", SOON)

    endings = [last, *await told(waits, SOON)]
    assert Counter(each["outcome"] for each in endings) == {"released": ALL}


async def test_whoever_arrives_while_the_memory_restarts_is_counted_once(durable, run):
    agents = await connect(durable.ports, run, WORKERS)
    arriving = [
        asyncio.create_task(until_seen(lambda agent=agent: asking(agent), "released", 60))
        for agent in agents[1:]
    ]

    await asyncio.to_thread(durable.memory.restart, SIGKILL)
    await arrived(agents[0], len(WORKERS) - 1)
    assert not any(each.done() for each in arriving)
    last = await wait(agents[0], len(WORKERS))

    endings = [last, *await told(arriving, SOON)]
    assert Counter(each["outcome"] for each in endings) == {"released": len(WORKERS)}


def restarted(fleet: Fleet) -> None:
    fleet.memory.restart(SIGKILL)


def emptied(fleet: Fleet) -> None:
    with Redis.from_url(fleet.memory.url) as redis:
        redis.flushall()


@pytest.mark.parametrize("strike", [restarted, emptied])
async def test_a_memory_that_forgot_says_so_to_everybody_who_waited(forgetful, run, strike):
    agents = await connect(forgetful.ports, run, WORKERS)
    waits = [wait(agent, ALL) for agent in agents]
    await arrived(agents[0], len(WORKERS))

    await asyncio.to_thread(strike, forgetful)

    endings = await told(waits, LOST_WITHIN)
    assert Counter(each["outcome"] for each in endings) == {"lost": len(WORKERS)}
    assert all(each["reason"] for each in endings)

    again = [wait(agent, len(WORKERS)) for agent in agents]
    assert {each["outcome"] for each in await told(again, SOON)} == {"released"}


async def asking(agent: Agent, **more: str) -> dict:
    """Arrive. Raises Refused while the service cannot serve."""
    return await wait(agent, ALL if agent.worker == "last" else len(WORKERS), **more)
