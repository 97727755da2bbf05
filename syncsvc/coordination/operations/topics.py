"""The commands of topics."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from syncsvc.coordination.operations.fields import EXACT, Asking, RequestId, Seconds, json_text
from syncsvc.coordination.operations.operation import Caller, Operation, Reply, table
from syncsvc.coordination.topics.model import Batch, Place, Published
from syncsvc.coordination.topics.service import TopicService


class TopicPublish(Asking, frozen=True, kw_only=True):
    name: str
    payload: msgspec.Raw
    request: RequestId | None = None


class TopicRead(Asking, frozen=True, kw_only=True):
    name: str
    after: Annotated[int, Meta(ge=0, le=EXACT)] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    wait_seconds: Seconds = 0


class TopicOffset(Reply, frozen=True):
    name: str
    offset: int


class TopicEntry(msgspec.Struct, frozen=True):
    offset: int
    payload: msgspec.Raw
    at: int  # unix ms


class TopicEntries(Reply, frozen=True):
    name: str
    entries: list[TopicEntry]
    next: int  # give it as `after` to read on
    oldest: int


@dataclass(frozen=True)
class TopicCommands:
    """Carries them out."""

    topics: TopicService

    async def publish(self, caller: Caller, asked: TopicPublish) -> TopicOffset:
        payload = json_text("payload", asked.payload)
        offset = await self.topics.publish(caller.run, asked.name, payload, asked.request)
        return TopicOffset(asked.name, offset)

    async def read(self, caller: Caller, asked: TopicRead) -> TopicEntries:
        place = Place(caller.run, asked.name, asked.after, asked.limit)
        batch = await self.topics.read(place, asked.wait_seconds)
        return _entries(asked, batch)


def topic_operations(topics: TopicService) -> dict[str, Operation]:
    """Give the commands of topics."""
    do = TopicCommands(topics)
    return table(
        Operation(
            "topic.publish",
            "Publishes to a topic and gives the entry's offset.",
            TopicPublish,
            TopicOffset,
            do.publish,
        ),
        Operation(
            "topic.read",
            "Reads a topic after an offset, waiting until there is something.",
            TopicRead,
            TopicEntries,
            do.read,
        ),
    )


def _entries(asked: TopicRead, batch: Batch) -> TopicEntries:
    following = batch.entries[-1].offset if batch.entries else asked.after
    return TopicEntries(asked.name, [_entry(e) for e in batch.entries], following, batch.oldest)


def _entry(entry: Published) -> TopicEntry:
    at = round(entry.at.timestamp() * 1000)
    return TopicEntry(entry.offset, msgspec.Raw(entry.payload.encode()), at)
