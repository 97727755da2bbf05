"""Parts of one cycle that go on at once, and fail as one."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def abreast(jobs: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all; when one fails the others end, and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
