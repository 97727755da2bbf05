"""Listens to what scripts announce, as a gateway does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from syncsvc.stores.redis.announcements import Announcements, Listener
from syncsvc.stores.redis.scripts import Scripts


@asynccontextmanager
async def listening(scripts: Scripts, listener: Listener) -> AsyncIterator[None]:
    """Pass announcements on to a listener; the connection is closed with it."""
    news = Announcements(scripts, listener)
    task = asyncio.create_task(news.run())
    try:
        await asyncio.wait_for(news.listening.wait(), 30)
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        await scripts.close()
