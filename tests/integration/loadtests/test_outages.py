"""A Kubernetes API that is away, or answers nonsense, for five minutes in the middle of a run."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from syncsvc.loadtests.model import LogsState, Phase, Result, Stale
from syncsvc.loadtests.ports import CycleReport
from tests.integration.loadtests.watched import INTERVAL, Watched, a_watched
from tests.support.ports import own_port

FIVE_MINUTES = timedelta(minutes=5)
LISTS = "(testruns|pods|jobs)$"
Act = Callable[[Watched], Awaitable[None]]


@dataclass(frozen=True)
class Outage:
    name: str
    begin: Act
    words: str  # of the error


def a_fault(**rule: Any) -> Act:
    return lambda world: world.k8s.faults({"path": "/k8s/", **rule})


def a_switch(**wanted: Any) -> Act:
    return lambda world: world.k8s.tell("PUT", "/switches", wanted)


def malformed(answer: str, pattern: str = LISTS) -> Act:
    wrong = {"pattern": pattern, "answer": answer}
    return lambda world: world.k8s.tell("PUT", "/malformed", {"answers": [wrong]})


async def nobody_listens(world: Watched) -> None:
    await world.restart(main=f"http://127.0.0.1:{own_port()}")


async def hangs(world: Watched) -> None:
    await world.restart(replace(world.manner, limit=timedelta(milliseconds=50)))
    await world.k8s.faults({"kind": "hang", "path": "/k8s/"})


OUTAGES = (
    Outage("connection refused", nobody_listens, "connection"),
    Outage("hang", hangs, "within 0.05 s"),
    Outage("reset", a_fault(kind="reset"), "did not answer list"),
    Outage("500", a_fault(kind="status", code=500), "answered 500"),
    Outage("503", a_fault(kind="status", code=503), "answered 503"),
    Outage("429", a_fault(kind="status", code=429, retry_after=1), "answered 429"),
    Outage("410", a_fault(kind="status", code=410), "answered 410"),
    Outage("404", a_fault(kind="status", code=404), "answered 404"),
    Outage("401", a_switch(tokens=[]), "answered 401"),
    Outage("403", a_switch(forbidden=[{}]), "grant the right"),
    Outage("no operator", a_switch(crd=False), "testruns.k6.io at all"),
    Outage("truncated JSON", malformed("truncated"), "cannot be read"),
    Outage("cut body", malformed("cut"), "did not answer list"),
    Outage("page of a proxy", malformed("html"), "cannot be read"),
    Outage("empty lists", malformed("empty_list"), "found 'List'"),
)


@pytest.fixture
async def world(sqlite) -> AsyncIterator[Watched]:
    async with a_watched(sqlite) as watched:
        yield watched


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda each: each.name)
async def test_no_status_is_lost_or_invented_while_the_api_fails_for_five_minutes(world, outage):
    await world.k8s.testruns(name="load", parallelism=2, until="started")
    await world.watch("load")
    await world.emit("load", lines=20)
    await world.cycle()
    before, began_at = await world.step("load"), world.clock()
    await outage.begin(world)

    reports = await five_minutes(world, began_at)
    meanwhile = await world.step("load")
    await is_over(world)
    await world.cycle()

    told = reports[-1].step_errors[0].error
    assert outage.words in told
    assert [(report.updated, report.errors) for report in reports] == [(0, 1)] * len(reports)
    assert meanwhile == replace(before, stale=Stale(began_at, len(reports), told))
    after = await world.step("load")
    assert (after.phase, after.result, after.stale) == (Phase.FINISHED, Result.SUCCEEDED, None)
    assert after.logs is LogsState.COMPLETE
    assert await world.kept(await world.step("load")) == world.emitted("load")


async def five_minutes(world: Watched, began_at: datetime) -> list[CycleReport]:
    """Run cycles for five minutes, while the run goes on."""
    reports = []
    while world.clock() < began_at + FIVE_MINUTES:
        await goes_on(world, world.clock() - began_at)
        reports.append(await world.cycle())
    return reports


async def goes_on(world: Watched, time: timedelta) -> None:
    """Let the run write, and end when half of the time is over."""
    if time < FIVE_MINUTES / 2:
        await world.emit("load", lines=20)
    elif time < FIVE_MINUTES / 2 + INTERVAL:
        await world.k8s.step("end", name="load")


async def is_over(world: Watched) -> None:
    await world.restart()
    await world.k8s.faults()
    await world.k8s.tell("PUT", "/switches", {})
    await world.k8s.tell("PUT", "/malformed", {})


async def test_a_status_is_told_while_no_log_can_be_read_and_the_logs_follow(world):
    await world.k8s.testruns(name="load", parallelism=2, until="started")
    await world.watch("load")
    await world.emit("load", lines=20)
    await world.k8s.tell("PUT", "/switches", {"kubelet": False})

    first = await world.cycle()
    await world.k8s.step("end", name="load")
    second = await world.cycle()
    meanwhile = await world.step("load")
    await world.k8s.tell("PUT", "/switches", {})
    await world.cycle()

    assert [(each.updated, each.errors, each.logs_updated) for each in (first, second)] == [
        (1, 1, 0),
        (1, 1, 0),
    ]
    assert "connection refused" in first.step_errors[0].error
    assert (meanwhile.phase, meanwhile.result) == (Phase.FINISHED, Result.SUCCEEDED)
    assert (meanwhile.logs, meanwhile.stale) == (LogsState.NONE, None)
    assert (await world.step("load")).logs is LogsState.COMPLETE
    assert await world.kept(await world.step("load")) == world.emitted("load")


async def test_an_api_that_fails_now_and_then_harms_nothing(world):
    await world.k8s.testruns(name="load", parallelism=4, until="started")
    await world.watch("load")
    rate = {"kind": "status", "code": 503, "path": "/k8s/", "rate": 0.4}
    await world.k8s.faults(rate, {"kind": "reset", "path": "/k8s/", "rate": 0.2}, seed=7)

    for _ in range(12):
        await world.emit("load", lines=30)
        await world.cycle()
        assert (await world.step("load")).phase in (Phase.PENDING, Phase.RUNNING)
    await world.k8s.step("end", name="load")
    await world.k8s.faults()
    await world.cycle()

    step = await world.step("load")
    assert (step.phase, step.result) == (Phase.FINISHED, Result.SUCCEEDED)
    assert await world.kept(await world.step("load")) == world.emitted("load")
