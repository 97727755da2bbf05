"""From publishing an entry of a topic at one gateway to its reader at another."""

import json
import os
from collections.abc import Iterator, Sequence
from itertools import count
from statistics import median
from time import perf_counter

from benchmarks.crowd import Crowd, crowd
from benchmarks.figures import Figure, Goal
from benchmarks.frames import command
from benchmarks.sides import Side

ENTRIES = 300
PAUSE = 0.002  # seconds between entries: readers wait again by then
_topics = count(1)
_ids = count(1)


def measure(sides: Sequence[Side], sizes: Sequence[int], repeats: int) -> Iterator[Figure]:
    for readers in sizes:
        found: dict[str, list[list[float]]] = {side.name: [] for side in sides}
        for _ in range(repeats):
            for side in sides:
                found[side.name].append(sorted(_one(side, readers)))
        for name, part in (("p50", 0.5), ("p99", 0.99)):
            values = {
                side: median([one[int(part * (len(one) - 1))] for one in samples])
                for side, samples in found.items()
            }
            beside, product = values.get("ceiling"), values.get("product")
            case = f"{readers} readers" if readers > 1 else "1 reader"
            yield Figure("published to read", case, f"{name} ms", beside, product, goal=Goal(5))


def _one(side: Side, readers: int) -> list[float]:
    """Give the milliseconds from publishing to each reader, for entries one after another."""
    name = f"topic-{next(_topics)}"
    path = side.upgrade("topic")
    with (
        crowd(side.web_sockets[:1], 1, path) as writer,
        crowd(side.web_sockets[-1:], readers, path) as them,
    ):
        topic = _Topic(name, writer, them, asks=side.name == "product")
        for fd in them.fds:
            topic.ask(fd, after=0)
        side.settle(0.1)
        return [ms for number in range(ENTRIES) for ms in topic.publish(number + 1)]


class _Topic:
    """A topic as its publisher and its readers see it.

    Readers of the product ask for what comes next; the ceiling sends everything to all.
    """

    def __init__(self, name: str, writer: Crowd, readers: Crowd, *, asks: bool) -> None:
        self._name, self._writer, self._readers, self._asks = name, writer, readers, asks

    def ask(self, fd: int, after: int) -> None:
        if self._asks:
            content = {"name": self._name, "after": after, "wait_seconds": 30}
            os.write(fd, command("topic.read", content, id=next(_ids)))

    def publish(self, number: int) -> Iterator[float]:
        """Publish an entry and give the milliseconds until each reader had it."""
        content = {"name": self._name, "payload": number}
        started = perf_counter()
        os.write(self._writer.fds[0], command("topic.publish", content, id=next(_ids)))
        waiting = set(self._readers.fds)
        while waiting:
            for fd in self._readers.ready():
                came = perf_counter()
                for message in self._readers.messages(fd, os.read(fd, 65536)):
                    _check(message, number)
                    waiting.remove(fd)
                    yield (came - started) * 1000
                    self.ask(fd, after=number)
        self._acknowledged()

    def _acknowledged(self) -> None:
        for fd in self._writer.ready(PAUSE):
            for message in self._writer.messages(fd, os.read(fd, 65536)):
                assert b'"offset"' in message, message
        for fd in self._readers.ready(PAUSE):
            self._readers.expect_nothing(fd, os.read(fd, 65536))


def _check(message: bytes, number: int) -> None:
    content = json.loads(message)["content"]
    entries = content.get("entries", [content])
    assert [entry["payload"] for entry in entries] == [number], message
