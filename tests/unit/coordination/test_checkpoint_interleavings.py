"""In whatever order things happen, each release happens once and nobody misses it."""

import asyncio
import random
from collections import Counter

import pytest

from syncsvc.coordination.checkpoints.model import Ending, Standing, State
from tests.support.builders import SECOND
from tests.support.meetings import Agent, Hall

TIMES = 500


class Chance:
    """Two gateways whose calls, answers and announcements take their turns by chance."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.hall = Hall()
        self.halls = [self.hall, self.hall.gateway()]
        self.is_over = False
        for hall in self.halls:
            hall.announcing = False
            hall.store.pause = self.pause

    async def pause(self) -> None:
        for _ in range(self.random.randrange(4)):
            await asyncio.sleep(0)

    async def post(self) -> None:
        """Deliver what was announced, in order, to each gateway when it happens to come."""
        seen = [0, 0]
        while not self.is_over:
            for number, hall in enumerate(self.halls):
                if seen[number] < len(self.hall.news) and self.random.random() < 0.5:
                    hall.meetings.announced(*self.hall.news[seen[number]])
                    seen[number] += 1
            await asyncio.sleep(0)

    async def everybody(self, workers: list[str], **asked) -> list[Agent]:
        post = asyncio.create_task(self.post())
        agents = []
        for worker in workers:
            agents.append(self.random.choice(self.halls).arrive(worker, **asked))
            await self.pause()
            if self.random.random() < 0.1:
                self.random.choice(self.halls).meetings.began(lost=False)
        async with asyncio.timeout(5):
            for agent in agents:
                await agent.over.wait()
        for hall in self.halls:
            await hall.settled()
        self.is_over = True
        await post
        return agents

    async def impatient(self, workers: list[str], **asked) -> list[Agent]:
        """Let time pass by chance until everybody was released or has lost patience."""
        agents, post = [], asyncio.create_task(self.post())
        for worker in workers:
            patience = self.random.choice([1, 2, 3]) * SECOND
            agents.append(self.random.choice(self.halls).arrive(worker, timeout=patience, **asked))
            await self.pause()
            self.hall.timers.move(self.random.choice([0, 0, 0.5, 1]))
        async with asyncio.timeout(5):
            while not all(agent.over.is_set() for agent in agents):
                await self.pause()
                self.hall.timers.move(0.1)
                for hall in self.halls:
                    await hall.meetings.look()
        for hall in self.halls:
            await hall.look()
        self.is_over = True
        await post
        return agents

    def releases(self) -> list[int]:
        said = [Standing.read(body) for _, body in self.hall.news]
        return [each.generation for each in said if each.state is State.RELEASED]


@pytest.mark.parametrize("half", range(2))
async def test_a_checkpoint_opens_once_for_as_many_as_it_wants(half):
    for seed in range(half * TIMES, (half + 1) * TIMES):
        chance = Chance(seed)
        many, target = 7, chance.random.randint(1, 7)

        agents = await chance.everybody([f"w{n}" for n in range(many)], target=target)

        endings = Counter(agent.outcome.ending for agent in agents)
        assert endings == Counter({Ending.RELEASED: target, Ending.LATE: many - target}), seed
        assert chance.releases() == [1], seed


async def test_a_cyclic_one_opens_once_in_each_generation():
    for seed in range(TIMES):
        chance = Chance(seed)

        agents = await chance.everybody([f"w{n}" for n in range(6)], target=2, cyclic=True)

        generations = Counter(agent.outcome.generation for agent in agents)
        assert generations == Counter({1: 2, 2: 2, 3: 2}), seed
        assert chance.releases() == [1, 2, 3], seed


async def test_a_timeout_never_contradicts_a_release():
    for seed in range(TIMES):
        chance = Chance(seed)

        agents = await chance.impatient([f"w{n}" for n in range(7)], target=2, cyclic=True)

        endings = [(agent.outcome.ending, agent.outcome.generation) for agent in agents]
        told = Counter(generation for ending, generation in endings if ending is Ending.RELEASED)
        late = Counter(generation for ending, generation in endings if ending is Ending.LATE)
        assert told + late == dict.fromkeys(chance.releases(), 2), (seed, endings)
        assert all(generation < chance.releases()[-1] for generation in late), (seed, endings)
        left = (await chance.hall.meetings.status("r", "start")).standing
        assert left.state is not State.OPEN or left.arrived == 0, (seed, endings)
