import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from syncsvc.errors import Unavailable
from syncsvc.loadtests.clusters import NoLog
from syncsvc.loadtests.hearing import Heard, Room
from syncsvc.loadtests.listening import Fate, Listening, LogName
from tests.support.builders import SECOND
from tests.support.clusters import FakeCluster, stamped
from tests.support.virtual_time import VirtualTime, settle

LINES = b"".join(stamped(number * 30) for number in range(60))
WHY = "the pod is gone"


@dataclass
class Ear:
    """Somebody who listens to the one runner of a cluster in memory."""

    time: VirtualTime = field(default_factory=VirtualTime)
    patience: timedelta = 20 * SECOND
    has_ended: bool = False
    is_gone: bool = False
    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.cluster = FakeCluster(self.time.clock)
        self.cluster.launch("checkout")
        self.listening = Listening(
            self.cluster,
            LogName("load", "checkout-1-x", "k6"),
            Heard(Room()),
            lambda: Fate(self.has_ended, self.is_gone),
            lambda: None,
            self.time.pause,
            self.patience,
        )

    async def listens(self) -> None:
        self.task = asyncio.create_task(self.listening.listen())
        await settle()

    async def ends(self) -> None:
        """Let the container end, and its stream with it."""
        self.has_ended = True
        self.cluster.end_runner("checkout", 1, 0)
        self.listening.stir()
        await settle()

    async def is_removed(self) -> None:
        self.is_gone = True
        self.cluster.remove_pod("checkout-1-x")
        self.listening.stir()
        await settle()


@pytest.fixture
async def ear():
    ear = Ear()
    yield ear
    if ear.task is not None:
        ear.task.cancel()
        await asyncio.gather(ear.task, return_exceptions=True)


async def test_who_asks_too_early_waits_for_the_end_of_the_log(ear):
    await ear.listens()
    asked = asyncio.create_task(ear.listening.log(None, None, WHY))
    await settle()
    was_done = asked.done()
    ear.cluster.emit("checkout", LINES)
    await ear.ends()

    log = await asked

    assert not was_done
    assert log == LINES


async def test_a_stream_that_does_not_end_is_not_waited_for_longer_than_patience(ear):
    ear.listening.patience = timedelta(0)
    await ear.listens()

    with pytest.raises(NoLog, match="the stream has not ended"):
        await ear.listening.log(None, None, WHY)


async def test_an_end_of_the_stream_that_is_not_the_container_s_is_listened_past(ear):
    await ear.listens()
    ear.cluster.emit("checkout", LINES[:1000])
    await settle()
    ear.cluster.hang_up(Unavailable("the kubelet was restarted"))
    await settle()
    ear.cluster.emit("checkout", LINES[1000:])
    await ear.time.pass_(SECOND)

    await ear.ends()

    assert await ear.listening.log(None, None, WHY) == LINES


async def test_a_log_that_was_heard_to_its_end_stays_when_its_pod_is_gone(ear):
    ear.cluster.emit("checkout", LINES)
    await ear.listens()
    await ear.ends()

    await ear.is_removed()

    assert await ear.listening.log(None, None, WHY) == LINES
    assert ear.task.done()


async def test_a_pod_that_is_gone_before_its_container_was_seen_to_end_gives_what_was_heard(ear):
    ear.cluster.emit("checkout", LINES)
    await ear.listens()

    await ear.is_removed()

    assert await ear.listening.log(None, None, WHY) == LINES


async def test_a_log_that_broke_off_and_is_gone_is_none(ear):
    ear.cluster.emit("checkout", LINES)
    await ear.listens()
    ear.cluster.hang_up(Unavailable("the connection broke"))
    ear.has_ended = True

    await ear.is_removed()

    with pytest.raises(NoLog, match="not to its end"):
        await ear.listening.log(None, None, WHY)


async def test_streams_that_fail_are_begun_anew_ever_more_rarely(ear):
    ear.cluster.down = Unavailable("the API server is away")
    await ear.listens()

    await ear.time.pass_(60 * SECOND)

    assert 10 <= ear.cluster.calls["follow"] <= 20
