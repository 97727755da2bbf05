"""Whatever is killed while results are delivered, each is in Test IT exactly once."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from tests.cluster.pushed.load import Load, a_fifth, assert_each_once, delivered, push
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(800)]

KILLS = 20
VICTIMS = ("worker-1", "worker-2", "worker-3", "worker-4", "gateway", "beat", "valkey")


def test_twenty_kills_cost_no_result_and_make_none_twice(stack):
    load, chance = Load(20, 500, "killed"), random.Random(4)
    victims = [*VICTIMS, *chance.choices(VICTIMS, k=KILLS - len(VICTIMS))]
    chance.shuffle(victims)
    run_ids, killed = load.created(stack), []

    with (
        stack.misbehaving(*a_fifth(), latency=0.02),
        ThreadPoolExecutor(1) as ci,
        httpx.Client(timeout=30, trust_env=False) as http,
    ):
        pushing = ci.submit(push, replace(stack, http=http), load, run_ids)
        for number, victim in enumerate(victims):
            share = number * load.runs * load.results // (KILLS + 2)
            until(lambda share=share: results_shown(stack) >= share, f"{share} are there", 240)
            stack.kill(victim)
            killed.append(victim)
        pushing.result(timeout=240)
        delivered(stack, run_ids, within=240)

    assert len(killed) == KILLS
    assert_each_once(stack, load, run_ids)


def results_shown(stack: Stack) -> int:
    """Count the results of this test's runs that Test IT has by now."""
    state = stack.call("GET", f"{stack.sandbox}/__sandbox__/tally")
    return sum(count for test, count in state["tests"].items() if test.startswith("killed"))
