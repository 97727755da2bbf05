"""A worker at a checkpoint arrives once, whatever happens to its connection."""

import asyncio

import pytest

from syncsvc.client import (
    CheckpointAborted,
    CheckpointBroken,
    CheckpointFailed,
    CheckpointLeft,
    CheckpointLost,
    CheckpointTimedOut,
    Outcome,
)
from syncsvc.errors import Conflict, Unavailable

RELEASED = {
    "name": "start",
    "outcome": "released",
    "generation": 1,
    "target": 2,
    "arrived": 2,
    "start_at": 1_795_225_768_334,
    "start_in_ms": 500,
    "reason": None,
    "broken_by": [],
}
OPEN = {
    "name": "start",
    "state": "open",
    "generation": 1,
    "target": 2,
    "policy": "ignore",
    "cyclic": False,
    "arrived": [{"worker": "w2", "since": 1_795_225_768_334}],
    "missing": ["w1"],
    "missing_count": 1,
    "reason": None,
}


@pytest.fixture(autouse=True)
def script(server):
    """What the server answers to each command; None is no answer."""
    server.scripted |= {"checkpoint.status": OPEN, "checkpoint.wait": RELEASED}
    return server.scripted


async def test_whoever_arrives_is_told_how_and_when_it_opened(run):
    outcome = await run.checkpoint("start").wait(target=2)

    assert outcome == Outcome("start", "released", 1, 2, 2, 1_795_225_768_334, start_in_ms=500)
    assert outcome.passed
    assert outcome.seconds_until_start == pytest.approx(0.5)


async def test_what_is_asked_for_is_what_was_said(run, server):
    await run.checkpoint("start").wait(target=2, timeout=90, policy="shrink")

    assert server.commands("checkpoint.wait") == [
        {
            "name": "start",
            "worker": "w1",
            "target": 2,
            "policy": "shrink",
            "cyclic": False,
            "generation": 1,
            "timeout_seconds": 90,
        }
    ]


async def test_whoever_comes_late_passes(run, script):
    script["checkpoint.wait"] = {
        **RELEASED,
        "outcome": "late",
        "start_at": None,
        "start_in_ms": None,
    }

    outcome = await run.checkpoint("start").wait(target=2)

    assert (outcome.passed, outcome.seconds_until_start) == (True, 0)


@pytest.mark.parametrize(
    ("standing", "generation"),
    [
        ({"state": "unknown"}, 3),
        ({"state": "open", "cyclic": True}, 3),
        ({"state": "released"}, 3),
        ({"state": "released", "cyclic": True}, 4),
    ],
)
async def test_the_generation_is_known_before_the_wait_begins(
    run, script, server, standing, generation
):
    script["checkpoint.status"] = {**OPEN, "generation": 3, **standing}

    await run.checkpoint("start").wait(target=2, cyclic=True)

    assert server.commands("checkpoint.wait")[0]["generation"] == generation


async def test_a_wait_that_was_cut_goes_on_in_its_generation_with_what_is_left_of_its_time(
    run, script, server, clock
):
    script["checkpoint.wait"] = None
    waiting = asyncio.create_task(run.checkpoint("start").wait(target=2, timeout=60))
    await server.until_asked("checkpoint.wait")

    clock.now += 20
    script["checkpoint.wait"] = RELEASED
    script["checkpoint.status"] = {**OPEN, "generation": 7}
    server.cut()
    await waiting

    first, second = server.commands("checkpoint.wait")
    assert second == {**first, "timeout_seconds": second["timeout_seconds"]}
    assert 39 <= second["timeout_seconds"] <= 40
    assert len(server.commands("checkpoint.status")) == 1


@pytest.mark.parametrize(
    ("outcome", "error", "kin"),
    [
        ("aborted", CheckpointAborted, Conflict),
        ("broken", CheckpointBroken, Conflict),
        ("left", CheckpointLeft, Conflict),
        ("lost", CheckpointLost, Unavailable),
        ("timed_out", CheckpointTimedOut, TimeoutError),
        ("eclipsed", CheckpointFailed, CheckpointFailed),
    ],
)
async def test_a_wait_that_does_not_end_in_passing_says_why(run, script, outcome, error, kin):
    script["checkpoint.wait"] = {
        **RELEASED,
        "outcome": outcome,
        "arrived": 1,
        "reason": "the database is gone",
        "broken_by": ["w3", "w4"],
    }

    with pytest.raises(error, match=r"checkpoint 'start': .*; 1 of 2 had arrived") as raised:
        await run.checkpoint("start").wait(target=2)

    assert isinstance(raised.value, kin)
    assert str(raised.value).endswith("; broken by w3, w4; the database is gone")
    assert raised.value.outcome.outcome == outcome


async def test_who_is_there_and_who_is_missing_is_told(run):
    status = await run.checkpoint("start").status()

    assert ([each.worker for each in status.arrived], status.missing) == (["w2"], ("w1",))


async def test_aborting_leaving_and_resetting_are_said(run, script, server):
    for command in ("abort", "leave", "reset"):
        script[f"checkpoint.{command}"] = {}
    checkpoint = run.checkpoint("start")

    await checkpoint.abort("the build is broken")
    await checkpoint.leave()
    await checkpoint.reset()

    assert server.commands("checkpoint.abort")[0]["reason"] == "the build is broken"
    assert server.commands("checkpoint.leave")[0]["worker"] == "w1"
    assert server.commands("checkpoint.reset") == [{"name": "start"}]
