"""Readers of one gateway that wait at the same place wake with one fetch."""

import asyncio

from syncsvc.coordination.signals import Signals
from syncsvc.coordination.topics.memory import MemoryTopics
from syncsvc.coordination.topics.model import Batch, Place
from syncsvc.coordination.topics.service import TopicService
from tests.support.builders import Clock


class CountingTopics:
    """Counts how often it is read."""

    def __init__(self, topics: MemoryTopics) -> None:
        self.topics = topics
        self.publish = topics.publish
        self.reads = 0
        self.was_read = asyncio.Event()

    async def read(self, place: Place) -> Batch:
        self.reads += 1
        self.was_read.set()
        return await self.topics.read(place)


async def test_two_hundred_readers_cost_two_fetches_an_entry():
    signals = Signals()
    topics = CountingTopics(MemoryTopics(Clock(), signals.announced))
    service = TopicService(topics, signals)
    place = Place("r", "t", 0, 100)
    readers = [asyncio.create_task(service.read(place, 10)) for _ in range(200)]
    await topics.was_read.wait()

    await service.publish("r", "t", "1")
    batches = await asyncio.gather(*readers)

    assert {len(batch.entries) for batch in batches} == {1}
    assert topics.reads == 2  # all that looked in vain, and all that were woken


async def test_a_topic_that_was_lost_is_read_from_its_beginning():
    signals = Signals()
    topics = MemoryTopics(Clock(), signals.announced)
    service = TopicService(topics, signals)
    for _ in range(5):
        await service.publish("r", "t", "1")
    topics.lose()
    waiting = asyncio.create_task(service.read(Place("r", "t", 5, 100), 10))
    await asyncio.sleep(0)

    await service.publish("r", "t", '"again"')

    assert [(e.offset, e.payload) for e in (await waiting).entries] == [(1, '"again"')]
