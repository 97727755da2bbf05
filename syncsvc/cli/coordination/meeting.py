"""Waiting at a checkpoint on a terminal, where one wants to know for whom."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import typer

from syncsvc.cli.coordination.asking import show
from syncsvc.client import CheckpointFailed, Outcome, Run
from syncsvc.client.checkpoints import Checkpoint, CheckpointStatus, Policy
from syncsvc.errors import Unavailable

LOOK_EVERY = 2.0  # seconds
NAMED = 10  # of those that are missing


@dataclass(frozen=True, slots=True)
class Wish:
    name: str
    target: int
    timeout: timedelta
    policy: Policy
    cyclic: bool


async def meet(run: Run, wish: Wish, together: bool, *, as_json: bool) -> None:
    """Wait, and print how it ended. Raises what the wait raises."""
    checkpoint = run.checkpoint(wish.name)
    try:
        async with _told_who_is_missing(checkpoint, wish.target):
            outcome = await checkpoint.wait(
                wish.target, timeout=wish.timeout, policy=wish.policy, cyclic=wish.cyclic
            )
    except CheckpointFailed as error:
        if as_json:
            show(error.outcome, "", as_json=True)
        raise
    if together:
        await asyncio.sleep(outcome.seconds_until_start)
    show(outcome, _ended(outcome), as_json=as_json)


def standing(found: CheckpointStatus) -> str:
    """Say how a checkpoint stands, in a line."""
    arrived = len(found.arrived) + found.anonymous
    why = f"; {found.reason}" if found.reason else ""
    there = ", ".join(each.worker for each in found.arrived[:NAMED]) or "nobody"
    counted = f"{arrived} of {found.target or '?'} have arrived: {there}{_missing(found)}"
    return f"{found.name}: {found.state}, generation {found.generation}; {counted}{why}"


def progress(found: CheckpointStatus, target: int) -> str:
    arrived = len(found.arrived) + found.anonymous
    return f"waiting: {arrived} of {found.target or target} have arrived{_missing(found)}"


def _missing(found: CheckpointStatus) -> str:
    named = ", ".join(found.missing[:NAMED]) + (", ..." if len(found.missing) > NAMED else "")
    return f"; missing {named}" if named else ""


def _ended(outcome: Outcome) -> str:
    how = f"generation {outcome.generation}, {outcome.arrived} of {outcome.target}"
    return f"{outcome.name}: {outcome.outcome} ({how})"


@asynccontextmanager
async def _told_who_is_missing(checkpoint: Checkpoint, target: int) -> AsyncIterator[None]:
    """Say on a terminal, as long as the block lasts, who has not arrived."""
    if not sys.stderr.isatty():
        yield
        return
    telling = asyncio.create_task(_tell(checkpoint, target))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.wait([telling])


async def _tell(checkpoint: Checkpoint, target: int) -> None:
    said = ""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        try:
            line = progress(await checkpoint.status(), target)
        except Unavailable as error:
            line = f"waiting: {error}"
        if line != said:
            typer.echo(line, err=True)
            said = line
