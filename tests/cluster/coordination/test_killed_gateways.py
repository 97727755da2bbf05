"""An agent whose gateway ended resumes its wait at another one, or counts as gone in time."""

import asyncio
import time
from collections import Counter
from signal import SIGKILL, SIGTERM

import pytest

from tests.cluster.coordination.gathering import arrived, connect, told, wait
from tests.support.fleet import running_fleet

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

WORKERS = [f"agent-{number}" for number in range(400)]
ALL = len(WORKERS) + 1
ALIVE_TERM = 15.0  # seconds that a worker of a killed gateway may take to come back
NOTICED_WITHIN = ALIVE_TERM + 5.0
SOON = 30.0


@pytest.fixture(scope="module")
def fragile_fleet(tmp_path_factory):
    with running_fleet(tmp_path_factory.mktemp("fragile")) as started:
        yield started


@pytest.fixture
def fragile(fragile_fleet):
    """Give two gateways that serve, whatever was done to them before."""
    for gateway in fragile_fleet.gateways:
        if gateway.is_gone:
            gateway.start()
    return fragile_fleet


@pytest.mark.parametrize("how", [SIGKILL, SIGTERM], ids=["killed", "stopped"])
async def test_agents_of_a_gateway_that_ends_resume_and_are_counted_once(fragile, run, how):
    agents = await connect(fragile.ports, run, WORKERS)
    waits = [wait(agent, ALL, policy="fail") for agent in agents]
    watcher, last = await connect(fragile.ports[1:], run, ["watcher", "last"])
    await arrived(watcher, len(WORKERS))

    await asyncio.to_thread(fragile.gateways[0].stop, how)
    for orphan in agents[::2]:
        await orphan.closed
    returned = await connect(fragile.ports[1:], run, WORKERS[::2])
    resumed = [wait(agent, ALL, policy="fail") for agent in returned]
    for agent in returned:
        await agent.call("counter.get", name="any")  # the arrival that was sent before is made

    assert sorted(await arrived(watcher, len(WORKERS))) == sorted(WORKERS)
    assert not any(each.done() for each in [*resumed, *waits[1::2]])
    released = await wait(last, ALL, policy="fail")
    endings = [released, *await told([*resumed, *waits[1::2]], SOON)]
    assert Counter(each["outcome"] for each in endings) == {"released": ALL}
    assert len({each["start_at"] for each in endings}) == 1


@pytest.mark.alone
async def test_agents_of_a_killed_gateway_that_stay_away_break_the_checkpoint(fragile, run):
    agents = await connect(fragile.ports, run, WORKERS)
    waits = [wait(agent, ALL, policy="fail") for agent in agents]
    (watcher,) = await connect(fragile.ports[1:], run, ["watcher"])
    await arrived(watcher, len(WORKERS))

    killed = time.monotonic()
    fragile.gateways[0].stop(SIGKILL)

    endings = await told(waits[1::2], NOTICED_WITHIN)
    assert time.monotonic() - killed < NOTICED_WITHIN
    assert Counter(each["outcome"] for each in endings) == {"broken": len(WORKERS) // 2}
    assert {tuple(sorted(each["broken_by"])) for each in endings} == {tuple(sorted(WORKERS[::2]))}
