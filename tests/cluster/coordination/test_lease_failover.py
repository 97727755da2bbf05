"""A lease goes on in time though those who are next in line waited at a gateway that was killed."""

import asyncio
from signal import SIGKILL

import pytest

from tests.support.agents import Agent
from tests.support.fleet import running_fleet

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

TTL = 1.0  # seconds
FAILOVER_WITHIN = TTL + 1.0
CAMPAIGN = {"name": "leader", "ttl_seconds": TTL}


@pytest.mark.parametrize("dead", [0, 1, 100])
async def test_the_next_that_lives_leads_in_time_behind_those_of_a_killed_gateway(
    tmp_path, run, dead
):
    with running_fleet(tmp_path) as fleet:
        doomed, lives = fleet.ports
        leader, *others = [
            await Agent.connect(doomed, run, f"doomed-{number}") for number in range(dead + 1)
        ]
        heir = await Agent.connect(lives, run, "heir")
        led = await leader.call("leader.campaign", name=CAMPAIGN["name"])
        await line_up(others)
        leading = heir.begin("leader.campaign", **CAMPAIGN, wait_seconds=30)
        await leader.call("leader.renew", **CAMPAIGN, token=led["token"])

        fleet.gateways[0].stop(SIGKILL)
        granted = await asyncio.wait_for(leading, FAILOVER_WITHIN)

    assert granted["granted"]
    assert granted["token"] > led["token"]


async def line_up(agents: list[Agent]) -> None:
    """Let agents of one gateway wait to lead, and return once they stand in line."""
    for agent in agents:
        agent.begin("leader.campaign", **CAMPAIGN, wait_seconds=30)
    for agent in agents:
        await agent.call("leader.observe", name=CAMPAIGN["name"])
