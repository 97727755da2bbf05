"""What every home of connection counts promises."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from syncsvc.coordination.connections.memory import MemoryConnections
from syncsvc.coordination.connections.model import Count, Totals, total
from syncsvc.coordination.connections.redis import RedisConnections
from syncsvc.coordination.connections.service import SILENT_AFTER
from syncsvc.coordination.signals import Signals
from syncsvc.stores.redis.announcements import Announcements
from syncsvc.stores.redis.scripts import Scripts, connect
from tests.support.builders import NOON, SECOND


class Ear:
    """Hears announcements about connections, of one store."""

    def __init__(self) -> None:
        self.signals = Signals()
        self.signals.handle("connections", self.announced)
        self.heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def announced(self, subject: str, body: str) -> None:
        self.heard.put_nowait((subject, body))

    def began(self, *, lost: bool) -> None:
        pass


class Clock:
    """Moves the time of a store."""

    def __init__(self) -> None:
        self.shift = timedelta(0)

    def __call__(self) -> datetime:
        return NOON + self.shift


class Home:
    """A store, what it announces, and its time."""

    def __init__(self, store, ear, clock) -> None:
        self.store = store
        self.ear = ear
        self._clock = clock

    def pass_time(self, duration: timedelta) -> None:
        self._clock.shift += duration
        if isinstance(self.store, RedisConnections):
            self.store.clock_shift = self._clock.shift


@pytest.fixture(params=["memory", "redis"])
async def home(request) -> AsyncIterator[Home]:
    ear, clock = Ear(), Clock()
    if request.param == "memory":
        yield Home(MemoryConnections(clock, SILENT_AFTER, ear.signals.announced), ear, clock)
        return
    scripts = Scripts(connect(request.getfixturevalue("valkey_url")))
    announcements = Announcements(scripts, ear)
    listening = asyncio.create_task(announcements.run())
    await announcements.listening.wait()
    yield Home(RedisConnections(scripts, timedelta(hours=1), SILENT_AFTER), ear, clock)
    listening.cancel()
    await asyncio.wait([listening])
    await scripts.close()


async def test_a_run_that_nobody_reported_has_no_counts(home, run_id):
    assert list(await home.store.counts(run_id)) == []


async def test_a_report_gives_what_all_sources_said(home, run_id):
    await home.store.report(run_id, Count("a", 1, live=2, ever=5))

    said = await home.store.report(run_id, Count("b", 1, live=1, ever=1))

    assert sorted(said, key=lambda count: count.source) == [
        Count("a", 1, live=2, ever=5),
        Count("b", 1, live=1, ever=1),
    ]
    assert total(said) == total(await home.store.counts(run_id)) == Totals(live=3, ever=6)


async def test_a_repeated_report_changes_nothing(home, run_id):
    await home.store.report(run_id, Count("a", 1, live=2, ever=5))
    await home.store.report(run_id, Count("a", 1, live=2, ever=5))

    assert list(await home.store.counts(run_id)) == [Count("a", 1, live=2, ever=5)]


async def test_a_report_that_comes_late_changes_nothing(home, run_id):
    await home.store.report(run_id, Count("a", 7, live=2, ever=5))
    await home.store.report(run_id, Count("a", 6, live=9, ever=4))

    assert list(await home.store.counts(run_id)) == [Count("a", 7, live=2, ever=5)]


async def test_a_source_that_fell_silent_has_no_live_connections(home, run_id):
    await home.store.report(run_id, Count("a", 1, live=2, ever=5))
    home.pass_time(SILENT_AFTER + SECOND)
    await home.store.report(run_id, Count("b", 1, live=1, ever=1))

    assert total(await home.store.counts(run_id)) == Totals(live=1, ever=6)


async def test_a_source_that_speaks_again_has_its_connections_again(home, run_id):
    await home.store.report(run_id, Count("a", 1, live=2, ever=5))
    home.pass_time(SILENT_AFTER + SECOND)
    await home.store.report(run_id, Count("a", 1, live=2, ever=5))

    assert total(await home.store.counts(run_id)) == Totals(live=2, ever=5)


async def test_news_are_announced_once(home, run_id):
    await home.store.report(run_id, Count("a", 1, live=2, ever=5))
    await home.store.report(run_id, Count("a", 2, live=2, ever=5))
    await home.store.report(run_id, Count("a", 3, live=1, ever=5))

    heard = [await home.ear.heard.get() for _ in range(2)]

    assert heard == [
        (f"connections\n{run_id}", "1|2|5|a"),
        (f"connections\n{run_id}", "3|1|5|a"),
    ]


async def test_a_run_may_have_any_name(home, run_id):
    odd = f"{run_id} {{a}}:*[é]|"

    await home.store.report(odd, Count("a", 1, live=1, ever=1))

    assert total(await home.store.counts(odd)) == Totals(1, 1)
    assert total(await home.store.counts(run_id)) == Totals(0, 0)
