"""Waiting for news, for a moment, or for the end of the server: whichever comes first."""

import asyncio
from collections.abc import Awaitable

SHORTEST = 0.01  # seconds; many streams that wait for a busy cluster would else spin


async def first_of(*waits: Awaitable[object], seconds: float | None) -> None:
    """Return when one of these is done, or the time is over."""
    tasks = [asyncio.ensure_future(each) for each in waits]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
