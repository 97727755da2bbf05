"""Runs that are looked at in two moments, and after their end, through the whole chain.

The rules see every pair of moments in unit tests; here some of them meet a real API and database.
"""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pytest

from syncsvc.loadtests.model import LogsState, Reason, Result, Step
from syncsvc.loadtests.ports import Which
from tests.integration.loadtests.watched import Watched, a_watched
from tests.support.kubernetes import NAMESPACE

MOST_BEATS = 100  # of a run
MOST_PAIRS = 24
MOST_STEPS = 400  # of one load test
LOOKS = 3  # after the end


@dataclass(frozen=True)
class Plot:
    """How runs go, and which ends may be told of them."""

    name: str
    ends: Sequence[tuple[Result, Reason | None]]
    runners: int = 2
    cleanup: bool = False
    scenario: dict[str, Any] = field(default_factory=dict)

    @property
    def vanishes(self) -> bool:
        return self.cleanup or "deleted_at" in self.scenario


OK = (Result.SUCCEEDED, None)
CROSSED = (Result.FAILED, Reason.THRESHOLDS)
DELETED = (Result.CANCELLED, Reason.DELETED)
UNSEEN = (Result.UNKNOWN, Reason.UNKNOWN)
PLOTS = (
    Plot("succeeds", [OK]),
    Plot("crosses a threshold", [CROSSED], 4, scenario={"exits": [0, 0, 99, 0]}),
    Plot("is killed", [(Result.FAILED, Reason.OOM)], scenario={"exits": ["oom", 0]}),
    Plot(
        "loses a runner", [(Result.FAILED, Reason.RUNNER_LOST)], scenario={"exits": ["deleted", 0]}
    ),
    Plot(
        "is not begun", [(Result.FAILED, Reason.INIT_FAILED)], scenario={"initialization": "fails"}
    ),
    Plot("cleans up", [OK, UNSEEN], cleanup=True),
    Plot("fails and cleans up", [CROSSED, UNSEEN], cleanup=True, scenario={"exits": [99]}),
    Plot("is deleted", [DELETED], scenario={"deleted_at": "started"}),
    Plot("is deleted at its end", [OK, DELETED], scenario={"deleted_at": "finished"}),
)


@pytest.fixture
async def world(sqlite) -> AsyncIterator[Watched]:
    async with a_watched(sqlite) as watched:
        yield watched


@pytest.mark.parametrize("plot", PLOTS, ids=lambda each: each.name)
async def test_any_pair_of_moments_gives_the_right_end(world, plot):
    """Each pair has a run of its own; all of them are looked at by the same cycles."""
    pairs = list(combinations(range(await beats_of(world, plot) + 1), 2))
    pairs = random.Random(plot.name).sample(pairs, min(MOST_PAIRS, len(pairs)))
    runs = {f"run-{one}-{other}": (one, other) for one, other in pairs}
    for name in runs:
        await make(world, plot, name)
    await registered(world, list(runs))

    await looked({name: one for name, (one, _) in runs.items()}, world)
    await looked({name: other - one for name, (one, other) in runs.items()}, world)
    await looked(dict.fromkeys(runs, MOST_BEATS), world, LOOKS)

    for found in await world.tests.steps(Which(limit=len(runs))):
        await check(world, plot, found)


@pytest.mark.parametrize("seed", range(2))
async def test_moments_and_faults_by_chance_give_the_right_end(world, seed):
    chance = random.Random(seed)
    plots = {f"run-{number}": chance.choice(PLOTS) for number in range(40)}
    for name, plot in plots.items():
        await make(world, plot, name)
    await registered(world, list(plots))

    for _ in range(8):
        await fail(world, chance)
        await looked({name: chance.randint(0, 5) for name in plots}, world)
    await fail(world, None)
    await looked(dict.fromkeys(plots, MOST_BEATS), world, LOOKS)

    for found in await world.tests.steps(Which(limit=len(plots))):
        await check(world, plots[found.test_run], found)


async def fail(world: Watched, chance: random.Random | None) -> None:
    """Let calls fail by chance, or not at all."""
    rules: list[dict[str, Any]] = []
    switches: dict[str, Any] = {}
    answers: list[dict[str, Any]] = []
    if chance is not None:
        rate = {"path": "/k8s/", "rate": chance.choice([0, 0.3, 0.8])}
        rules = [{"kind": "status", "code": chance.choice([401, 404, 410, 429, 500]), **rate}]
        switches = chance.choice([{}, {}, {"kubelet": False}, {"crd": False}, {"forbidden": [{}]}])
        answers = chance.choice([[], [], [{"pattern": "pods$", "answer": "cut", "times": 2}]])
    await world.k8s.faults(*rules, seed=chance.randint(0, 99) if chance else 0)
    await world.k8s.tell("PUT", "/switches", switches)
    await world.k8s.tell("PUT", "/malformed", {"answers": answers})


async def looked(beats: dict[str, int], world: Watched, times: int = 1) -> None:
    """Let runs go on for so many beats, and look at all of them."""
    for name, number in beats.items():
        step(world, name, number)
    for _ in range(times):
        await world.cycle()


async def check(world: Watched, plot: Plot, found: Step) -> None:
    if found.uid is None:
        assert plot.vanishes  # and was never there when somebody looked
        return
    assert (found.result, found.reason) in plot.ends, found
    assert found.detail or found.result is Result.SUCCEEDED, found
    kept, emitted = await world.kept(found), world.emitted(found.test_run)
    if found.logs is LogsState.COMPLETE:
        assert kept == emitted, found
        return
    assert plot.vanishes or found.reason is Reason.RUNNER_LOST, found
    assert (found.logs, bool(found.logs_detail)) == (LogsState.LOST, True), found
    assert [key for key in kept if not emitted[key].startswith(kept[key])] == []


async def beats_of(world: Watched, plot: Plot) -> int:
    """Count the beats of a run's life."""
    await make(world, plot, "rehearsal")
    return step(world, "rehearsal", MOST_BEATS)


async def make(world: Watched, plot: Plot, name: str) -> None:
    wish = {"parallelism": plot.runners, "cleanup": plot.cleanup, "scenario": plot.scenario}
    await world.k8s.testruns(name=name, **wish)


def step(world: Watched, name: str, beats: int) -> int:
    """Let a run go on for so many beats, or to its end; say how many they were."""
    operator = world.k8s.cluster.operator
    life = operator.life((NAMESPACE, name))
    assert life is not None
    for beat in range(beats):
        if life.next_beat() is None:
            return beat
        operator.step([life], "beat")
    return beats


async def registered(world: Watched, names: Sequence[str]) -> None:
    for first in range(0, len(names), MOST_STEPS):
        await world.watch(*names[first : first + MOST_STEPS])
