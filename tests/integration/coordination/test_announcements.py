"""What a script announces reaches every process, through restarts of the server."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from syncsvc.stores.redis import keys
from syncsvc.stores.redis.announcements import Announcements
from syncsvc.stores.redis.scripts import Scripts, connect
from tests.support.valkey import OwnValkey, own_valkey


@dataclass
class Ear:
    """Keeps what it hears, and lets a test wait for it."""

    heard: "asyncio.Queue[tuple[str, str]]" = field(default_factory=asyncio.Queue)
    begins: "asyncio.Queue[bool]" = field(default_factory=asyncio.Queue)

    def announced(self, subject: str, body: str) -> None:
        self.heard.put_nowait((subject, body))

    def began(self, *, lost: bool) -> None:
        self.begins.put_nowait(lost)

    async def begin(self) -> bool:
        return await asyncio.wait_for(self.begins.get(), 20)


@asynccontextmanager
async def listening(server: OwnValkey) -> AsyncIterator[tuple[Ear, Scripts]]:
    scripts, ear = Scripts(connect(server.url)), Ear()
    task = asyncio.create_task(Announcements(scripts, ear).run())
    try:
        assert not await ear.begin()
        yield ear, scripts
    finally:
        task.cancel()
        await asyncio.wait({task})
        await scripts.close()


@pytest.fixture
def server(tmp_path: Path):
    with own_valkey(tmp_path) as server:
        yield server


async def test_an_announcement_is_heard_with_its_subject_and_body(server):
    async with listening(server) as (ear, scripts):
        await scripts.client.publish(keys.NEWS, "checkpoint\na run\nstart\0released")

        heard = await asyncio.wait_for(ear.heard.get(), 10)

    assert heard == ("checkpoint\na run\nstart", "released")


async def test_a_restarted_server_is_heard_again(server):
    async with listening(server) as (ear, scripts):
        await asyncio.to_thread(server.restart)

        lost = await ear.begin()
        await scripts.client.publish(keys.NEWS, "a\0b")

        assert not lost
        assert await asyncio.wait_for(ear.heard.get(), 10) == ("a", "b")


async def test_a_server_that_forgot_is_told_from_one_that_kept(tmp_path):
    with own_valkey(tmp_path, keeps=False) as server:
        async with listening(server) as (ear, _):
            await asyncio.to_thread(server.restart, signal.SIGKILL)

            assert await ear.begin()


async def test_an_emptied_server_is_noticed_without_a_restart(server):
    async with listening(server) as (ear, scripts):
        await scripts.client.flushall()

        assert await ear.begin()
