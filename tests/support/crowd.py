"""Many agents in one process that may be killed: they connect, and make one call each on a word.

The process prints a line once all are connected, waits for a line, makes the calls, and prints one
more line when all are answered: for each agent how its call ended and when, on the clock that all
processes of a machine share. An agent that is to resume and loses its connection connects to the
other gateway and makes its call again.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from tests.support.agents import Agent, Refused
from tests.support.fleet import allow_many_files
from tests.support.lines import Spoken, say, spoken_to

AT_ONCE = 100  # connections being made
LONGEST = 120.0  # seconds that a call may take
KEPT = ("outcome", "generation", "arrived", "reason", "broken_by", "start_at")


@dataclass(frozen=True)
class Orders:
    """Who connects where, and what everybody calls."""

    ports: Sequence[int]
    run: str
    workers: Sequence[str]
    command: str
    content: dict[str, Any] = field(default_factory=dict)
    resumes: bool = False


@dataclass(frozen=True)
class Ending:
    """How one agent's call ended; `outcome` is what it was told, or the name of an error."""

    worker: str
    at: float
    outcome: str
    told: dict[str, Any]


@dataclass
class Crowd:
    """The process, as seen by the test that started it."""

    orders: Orders
    spoken: Spoken

    def connected(self) -> None:
        """Wait until all are connected."""
        assert self.spoken.hear() == {"connected": len(self.orders.workers)}

    def go(self) -> None:
        """Let them make their calls."""
        self.spoken.say("go")

    def endings(self) -> list[Ending]:
        """Wait until all are answered, and give how."""
        return [Ending(*each) for each in self.spoken.hear()]

    def kill(self) -> None:
        self.spoken.kill()


@contextmanager
def crowds(folder: Path, *orders: Orders) -> Iterator[list[Crowd]]:
    """Start a process for each crowd, wait until all are connected, and kill them at the end."""
    allow_many_files()
    with ExitStack() as started:
        gathered = []
        for number, each in enumerate(orders):
            log = folder / f"crowd-{number}.log"
            spoken = started.enter_context(spoken_to("tests.support.crowd", asdict(each), log))
            gathered.append(Crowd(each, spoken))
        for crowd in gathered:
            crowd.connected()
        yield gathered


async def play(orders: Orders) -> None:
    """Carry out the orders, and print what came of it."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def connect(number: int, worker: str) -> Agent:
        async with gate:
            return await Agent.connect(_port(orders, number), orders.run, worker)

    agents = await asyncio.gather(*(connect(i, name) for i, name in enumerate(orders.workers)))
    say({"connected": len(agents)})
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    calls = (_call(orders, number, agent) for number, agent in enumerate(agents))
    say(await asyncio.gather(*calls))


async def _call(orders: Orders, number: int, agent: Agent) -> tuple[Any, ...]:
    try:
        answer = await agent.call(orders.command, within=LONGEST, **orders.content)
    except ConnectionError:
        if not orders.resumes:
            return agent.worker, time.monotonic(), "disconnected", {}
        other = await Agent.connect(_port(orders, number + 1), orders.run, agent.worker)
        return await _call(orders, number + 1, other)
    except Refused as refused:
        return agent.worker, time.monotonic(), refused.kind, {"reason": refused.message}
    except TimeoutError:
        return agent.worker, time.monotonic(), "silence", {}
    told = {name: answer[name] for name in KEPT if name in answer}
    return agent.worker, time.monotonic(), answer.get("outcome", "answered"), told


def _port(orders: Orders, number: int) -> int:
    return orders.ports[number % len(orders.ports)]


if __name__ == "__main__":
    uvloop.run(play(Orders(**json.loads(sys.argv[1]))))
