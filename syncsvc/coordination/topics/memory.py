"""Topics in this process: the twin that unit tests use."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from syncsvc.coordination.names import subject
from syncsvc.coordination.once import Once
from syncsvc.coordination.topics.model import LARGEST_READ, MOST_ENTRIES, Batch, Place, Published


@dataclass
class _Topic:
    entries: list[Published] = field(default_factory=list)
    last: int = 0


@dataclass
class MemoryTopics:
    clock: Callable[[], datetime]
    announce: Callable[[str, str], None]
    most_entries: int = MOST_ENTRIES
    topics: dict[tuple[str, str], _Topic] = field(default_factory=dict)
    done: dict[tuple[str, str], int] = field(default_factory=dict)

    async def publish(self, run: str, name: str, payload: str, once: Once) -> int:
        if (run, once.id) in self.done:
            return self.done[run, once.id]
        topic = self.topics.setdefault((run, name), _Topic())
        topic.last += 1
        topic.entries.append(Published(topic.last, payload, self.clock()))
        del topic.entries[: -self.most_entries]
        self.done[run, once.id] = topic.last
        self.announce(subject("topic", run, name), str(topic.last))
        return topic.last

    async def read(self, place: Place) -> Batch:
        topic = self.topics.get((place.run, place.name), _Topic())
        after = place.after if place.after <= topic.last else 0
        oldest = topic.entries[0].offset if topic.entries else topic.last + 1
        wanted = [entry for entry in topic.entries if entry.offset > after]
        return Batch(tuple(_within(LARGEST_READ, wanted[: place.limit])), oldest)

    def lose(self) -> None:
        """Forget everything, as a Redis without persistence does when it restarts."""
        self.topics.clear()


def _within(most: int, entries: Iterable[Published]) -> Iterable[Published]:
    size = 0
    for number, entry in enumerate(entries):
        size += len(entry.payload.encode())
        if number and size > most:
            return
        yield entry
