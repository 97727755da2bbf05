"""A client whose links end in this process, and whose clock is moved by its own pauses."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from syncsvc.client.run import Run
from syncsvc.client.session import Session
from syncsvc.client.tempo import Tempo
from tests.support.coordination import RUN, Coordination


class Clock:
    """Moves on when somebody pauses, or when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tempo(clock: Clock) -> Tempo:
    return Tempo(clock=clock, pause=clock.pause, chance=lambda: 1.0)


@pytest.fixture
async def server() -> Coordination:
    return Coordination()


@pytest.fixture
async def run(server: Coordination, tempo: Tempo) -> AsyncIterator[Run]:
    async with Run(RUN, Session(server.open_link, "w1", tempo)) as run:
        yield run


@pytest.fixture
async def other(server: Coordination, tempo: Tempo) -> AsyncIterator[Run]:
    """The same run, seen from another worker."""
    async with Run(RUN, Session(server.open_link, "w2", tempo)) as run:
        yield run
