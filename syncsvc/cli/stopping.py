"""Asks one question of what a command opens for it; a signal ends the question, tidily."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import typer

from syncsvc.errors import Unavailable

Answer = TypeVar("Answer")

INTERRUPTED, TERMINATED = 130, 143  # exit codes


class Closable(Protocol):
    async def close(self) -> None: ...


Opened = TypeVar("Opened", bound=Closable)


def answer(
    opening: Callable[[], Awaitable[Opened]], question: Callable[[Opened], Awaitable[Answer]]
) -> Answer:
    """Open, ask, close, and give the answer; raises what either raises.

    SIGINT and SIGTERM cancel the question, which may take a moment to tidy up; a second one does
    not wait. Raises Exit with 130 or 143 then.
    """
    caught: list[int] = []
    try:
        return asyncio.run(_asked(opening, question, caught))
    except asyncio.CancelledError:
        code = TERMINATED if caught[:1] == [signal.SIGTERM] else INTERRUPTED
        raise typer.Exit(code) from None


async def _asked(
    opening: Callable[[], Awaitable[Opened]],
    question: Callable[[Opened], Awaitable[Answer]],
    caught: list[int],
) -> Answer:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def stop(number: int) -> None:
        caught.append(number)
        if len(caught) > 1:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    opened = await _opened(opening)
    try:
        return await question(opened)
    finally:
        await opened.close()


async def _opened(opening: Callable[[], Awaitable[Opened]]) -> Opened:
    try:
        return await opening()
    except OSError as error:
        raise Unavailable(
            f"SYNCSVC_DATA_DIR, SYNCSVC_DATABASE_URL: expected a place that can be written, "
            f"found {error}"
        ) from error
