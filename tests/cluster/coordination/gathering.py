"""Agents of this process that wait at one checkpoint over several gateways."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from tests.support.agents import Agent, Refused
from tests.support.waiting import LOOK_AGAIN

NAME = "start"
ARRIVING = 60.0  # seconds
ENDING = 120.0


async def connect(ports: Sequence[int], run: str, workers: Sequence[str]) -> list[Agent]:
    """Connect workers to the gateways in turn."""
    gate = asyncio.Semaphore(50)

    async def one(port: int, worker: str) -> Agent:
        async with gate:
            return await Agent.connect(port, run, worker)

    return await asyncio.gather(
        *(one(ports[number % len(ports)], name) for number, name in enumerate(workers))
    )


def wait(agent: Agent, target: int, **more: Any) -> asyncio.Future[Any]:
    """Let an agent arrive, and give what it will be told."""
    content = {"name": NAME, "target": target, "timeout_seconds": ENDING, **more}
    return agent.begin("checkpoint.wait", **content)


async def arrived(watcher: Agent, count: int, name: str = NAME) -> list[str]:
    """Look until so many have arrived, and name them."""

    async def look() -> list[str] | None:
        status = await watcher.call("checkpoint.status", name=name)
        found = [each["worker"] for each in status["arrived"]]
        return found if len(found) == count else None

    return await until_seen(look, f"{count} have arrived", ARRIVING)


async def until_seen(look: Callable[[], Awaitable[Any]], what: str, within: float) -> Any:
    """Look, through times in which the service cannot serve, until there is something to see."""
    deadline = time.monotonic() + within
    seen: Any = None
    while time.monotonic() < deadline:
        try:
            seen = await look()
        except Refused as refused:
            if refused.kind != "unavailable":
                raise
            seen = None
        if seen is not None:
            return seen
        await asyncio.sleep(LOOK_AGAIN)
    raise AssertionError(f"not within {within:g} s: {what}")


async def told(waits: Sequence[asyncio.Future[Any]], within: float) -> list[Any]:
    """Give what everybody was told; fail if anybody was told nothing in time."""
    _, silent = await asyncio.wait(waits, timeout=within)
    assert not silent, f"{len(silent)} of {len(waits)} were told nothing within {within:g} s"
    return [each.result() for each in waits]
