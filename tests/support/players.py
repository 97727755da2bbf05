"""Clients that play random calls and keep what they saw, for the linearizability checker.

Now and then a player loses its connection in the middle of a call. It then either never hears of
the outcome, or asks again over another gateway with the same request id, which is one call.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.support.agents import Agent, Refused
from tests.support.linearizability import UNKNOWN, Call
from tests.support.models import DONE, REFUSED, Acquire, Add, Get, Release, Renew, Withdraw

CUTS = 0.06  # of the calls
REPEATS = 0.5  # of the calls that were cut


@dataclass
class Player:
    """One worker: its calls come one after the other, over one gateway at a time."""

    name: str
    run: str
    ports: list[int]
    chance: random.Random
    history: list[Call]
    numbers: Any = field(default_factory=lambda: count(1))
    _agent: Agent | None = None

    async def call(
        self, operation: Any, command: str, read: Callable[[Any], Any], **content: Any
    ) -> Any:
        """Make a call and add it, with what it gave, to the history."""
        invoked = time.monotonic()
        result = await self.ask(command, read, **content)
        returned = float("inf") if result is UNKNOWN else time.monotonic()
        self.history.append(Call(self.name, operation, result, invoked, returned))
        return result

    async def ask(self, command: str, read: Callable[[Any], Any], **content: Any) -> Any:
        """Make a call, and give what is read in its answer; UNKNOWN if that is lost."""
        if self.chance.random() < CUTS:
            await self._cut_off(command, content)
            if "request" not in content or self.chance.random() >= REPEATS:
                return UNKNOWN
        return await _read(await self._connected(), command, read, content)

    async def _connected(self) -> Agent:
        if self._agent is None:
            port = self.chance.choice(self.ports)
            self._agent = await Agent.connect(port, self.run, self.name)
        return self._agent

    async def _cut_off(self, command: str, content: Any) -> None:
        agent = await self._connected()
        self._agent = None
        agent.begin(command, **content)
        agent.cut()
        await agent.closed


async def count_up(player: Player, name: str, calls: int) -> None:
    """Add to a counter and read it."""
    for _ in range(calls):
        if player.chance.random() < 0.4:
            await player.call(Get(), "counter.get", _value, name=name)
            continue
        delta = player.chance.choice((-2, 1, 1, 3))
        request = f"{player.name}-{next(player.numbers)}"
        await player.call(
            Add(delta), "counter.add", _value, name=name, delta=delta, request=request
        )


async def lock_and_unlock(player: Player, name: str, calls: int) -> None:
    """Acquire a lock, keep it for a while, and release it; ask for what one has lost, too."""
    tokens: list[int] = []
    for _ in range(calls):
        kind = player.chance.choice(("acquire", "acquire", "renew", "release", "release"))
        if kind == "acquire" or not tokens:
            token = await _acquire(player, name)
            tokens += [token] if isinstance(token, int) else []
        elif kind == "renew":
            token = player.chance.choice(tokens[-2:])
            await player.call(
                Renew(token), "lock.renew", _done, name=name, token=token, ttl_seconds=60
            )
        else:
            token = player.chance.choice(tokens[-2:])
            await player.call(Release(token), "lock.release", _done, name=name, token=token)


async def play(
    run: str,
    ports: list[int],
    seed: int,
    story: Callable[[Player, str, int], Any],
    *,
    players: int = 6,
    calls: int = 16,
) -> list[Call]:
    """Let several players do something with one object, and give what they saw."""
    chance = random.Random(seed)
    history: list[Call] = []
    crowd = [
        Player(f"w{number}", run, ports, random.Random(chance.random()), history)
        for number in range(players)
    ]
    async with asyncio.TaskGroup() as playing:
        for player in crowd:
            playing.create_task(story(player, "it", calls))
    return history


async def _acquire(player: Player, name: str) -> Any:
    invoked = time.monotonic()
    token = await player.call(
        Acquire(player.name), "lock.acquire", _token, name=name, ttl_seconds=60
    )
    if token is UNKNOWN:
        player.history.append(Call(player.name, Withdraw(player.name), UNKNOWN, invoked))
    return token


async def _read(agent: Agent, command: str, read: Callable[[Any], Any], content: Any) -> Any:
    try:
        return read(await agent.call(command, **content))
    except Refused as refused:
        if refused.kind != "conflict":
            raise
        return REFUSED


def _value(content: Any) -> int:
    return int(content["value"])


def _token(content: Any) -> Any:
    return content["token"] if content["granted"] else REFUSED


def _done(_content: Any) -> str:
    return DONE
