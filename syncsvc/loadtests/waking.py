"""Waits that news may cut short."""

import asyncio
from collections.abc import Awaitable


async def news_or(news: asyncio.Event, pause: Awaitable[None]) -> bool:
    """Wait for news, but no longer than a pause, and say whether there is any."""
    waits = [asyncio.ensure_future(news.wait()), asyncio.ensure_future(pause)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    return news.is_set()
