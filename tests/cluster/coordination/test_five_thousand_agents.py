"""Five thousand agents meet over two gateways, and fifty of them are killed while they wait."""

import time
from collections import Counter

import pytest

from tests.cluster.coordination.gathering import NAME, arrived
from tests.support.agents import Agent
from tests.support.crowd import Crowd, Ending, Orders, crowds

pytestmark = [pytest.mark.cluster, pytest.mark.alone, pytest.mark.timeout(240)]

AGENTS, VICTIMS, PROCESSES = 5000, 50, 4
TOLD_WITHIN = 2.0  # seconds
PATIENCE = 110.0
DOOMED = [f"victim-{number}" for number in range(VICTIMS)]


async def test_with_policy_fail_all_others_are_told_which_agents_broke_it(fleet, run, tmp_path):
    with crowds(tmp_path, *orders(fleet, run, policy="fail")) as (*others, victims):
        await gather(fleet, run, AGENTS, victims, others)

        killed = time.monotonic()
        victims.kill()
        told = endings(others)

    assert Counter(each.outcome for each in told) == {"broken": AGENTS - VICTIMS}
    assert max(each.at for each in told) - killed < TOLD_WITHIN
    assert {tuple(sorted(each.told["broken_by"])) for each in told} == {tuple(sorted(DOOMED))}


async def test_with_policy_shrink_all_others_are_released(fleet, run, tmp_path):
    with crowds(tmp_path, *orders(fleet, run, policy="shrink")) as (*others, victims):
        watcher = await gather(fleet, run, AGENTS, victims, others)

        victims.kill()
        await arrived(watcher, AGENTS - VICTIMS)
        last = await watcher.call("checkpoint.wait", worker="last", **meeting("shrink"))
        released = time.monotonic()
        told = endings(others)

    assert last["outcome"] == "released"
    assert Counter(each.outcome for each in told) == {"released": AGENTS - VICTIMS}
    assert len({each.told["start_at"] for each in told}) == 1
    assert max(each.at for each in told) - released < TOLD_WITHIN


def orders(fleet, run: str, policy: str) -> list[Orders]:
    """Give the orders of all crowds, that of the victims last."""
    workers = [f"agent-{number}" for number in range(AGENTS - VICTIMS)]
    shares = [workers[start::PROCESSES] for start in range(PROCESSES)]
    return [
        Orders(fleet.ports, run, share, "checkpoint.wait", meeting(policy))
        for share in (*shares, DOOMED)
    ]


def meeting(policy: str) -> dict:
    """A checkpoint that needs one more than the five thousand."""
    return {
        "name": NAME,
        "target": AGENTS + 1,
        "policy": policy,
        "timeout_seconds": PATIENCE,
    }


async def gather(fleet, run: str, count: int, *crowds_) -> Agent:
    """Let everybody arrive, and give an agent that has seen all of them there."""
    victims, others = crowds_
    for crowd in (victims, *others):
        crowd.go()
    watcher = await Agent.connect(fleet.ports[0], run)
    await arrived(watcher, count)
    return watcher


def endings(others: list[Crowd]) -> list[Ending]:
    return [ending for crowd in others for ending in crowd.endings()]
