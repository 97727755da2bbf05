"""Whatever many clients do at once over two gateways, it is as if they took turns.

Each history is played by clients of both gateways with random calls, some of whose answers are
lost, and a checker looks for an order of the calls that a sequential model agrees with.
"""

import asyncio
import time
from math import inf
from typing import Any

import pytest

from tests.support.linearizability import UNKNOWN, Call, assert_linearizable
from tests.support.models import (
    Arrive,
    Checkpoint,
    Counter,
    Depart,
    Lock,
    Passed,
    Released,
    Unreleased,
)
from tests.support.players import Player, count_up, lock_and_unlock, play

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

SIDE_BY_SIDE = 5  # histories that are played at the same time
TARGET = 3


async def test_counters_are_linearizable_over_two_gateways(fleet):
    for seed, history in await histories(fleet, count_up, range(34)):
        assert_linearizable(history, Counter(), f"seed {seed}")


async def test_locks_are_linearizable_over_two_gateways(fleet):
    for seed, history in await histories(fleet, lock_and_unlock, range(100, 133)):
        assert_linearizable(history, Lock(), f"seed {seed}")


async def test_checkpoints_are_linearizable_over_two_gateways(fleet):
    for seed, history in await histories(fleet, meet, range(200, 233)):
        assert_linearizable(history, Checkpoint(TARGET), f"seed {seed}")


async def histories(fleet, story, seeds: range) -> list[tuple[int, list[Call]]]:
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(seed: int) -> tuple[int, list[Call]]:
        async with gate:
            run = f"history-{story.__name__}-{seed}"
            return seed, await play(run, fleet.ports, seed, story)

    return await asyncio.gather(*map(one, seeds))


async def meet(player: Player, name: str, calls: int) -> None:
    """Meet the others again and again, and at times have no patience."""
    for _ in range(calls // 2):
        patience = player.chance.choice((0.01, 0.03, 0.5, 0.5, 0.5, 0.5))
        invoked = time.monotonic()
        result = await player.ask("checkpoint.wait", _meeting, **_wait(name, patience))
        returned = inf if result is UNKNOWN else time.monotonic()
        player.history += [
            Call(player.name, Arrive(player.name), _counted_in(result), invoked, returned),
            Call(player.name, Depart(player.name), result, invoked, returned),
        ]


def _wait(name: str, patience: float) -> dict:
    return {"name": name, "target": TARGET, "cyclic": True, "timeout_seconds": patience}


def _counted_in(result: Any) -> Any:
    if isinstance(result, Released | Passed):
        return result.generation
    return UNKNOWN if result is UNKNOWN else None


def _meeting(told: dict) -> Any:
    """Read an ending.

    One whose generation was released so long ago that nobody knows when passes late. One whose
    arrival could not be confirmed is told no generation: nobody knows whether it was counted.
    """
    assert told["outcome"] in ("released", "late", "timed_out"), told
    if told["outcome"] == "late":
        return Passed(told["generation"])
    if told["outcome"] == "timed_out":
        return Unreleased() if told["generation"] else UNKNOWN
    return Released(told["generation"], told["arrived"])
