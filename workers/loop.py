"""The one event loop of a worker process, and the services that live on it.

A task is synchronous; what it asks for is async. Both meet here: the loop runs in a thread of
its own for as long as the process lives, so connections are kept between tasks. A forked
child starts with a loop of its own, since threads do not survive a fork.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from syncsvc.settings import load

if TYPE_CHECKING:
    from syncsvc.wiring.services import Services

Answer = TypeVar("Answer")

SERVICES = "syncsvc.wiring.services"  # takes a second to load, and beat and Flower need none
LONGEST_TASK = 100.0  # seconds; below the broker's visibility timeout, else it runs twice
STARTING = 10.0  # seconds
STOPPING = 5.0  # seconds


@dataclass(frozen=True)
class _Running:
    pid: int
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    services: "Services"


class ProcessLoop:
    """Runs coroutines of the services from synchronous code."""

    def __init__(self, build_services: "Callable[[], Services]") -> None:
        self._build = build_services
        self._guard = threading.Lock()
        self._running: _Running | None = None

    def run(self, story: "Callable[[Services], Awaitable[Answer]]") -> Answer:
        """Carry out a story on the loop and give its answer.

        Raises what it raises, and TimeoutError when it takes longer than a task may.
        """
        running = self._started()

        async def bounded() -> Answer:
            async with asyncio.timeout(LONGEST_TASK):
                return await story(running.services)

        future = asyncio.run_coroutine_threadsafe(bounded(), running.loop)
        try:
            return future.result(LONGEST_TASK + STOPPING)
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """Close the services and end the loop; it may be called without a start."""
        with self._guard:
            running, self._running = self._running, None
        if running is None or running.pid != os.getpid():
            return
        closing = asyncio.run_coroutine_threadsafe(running.services.close(), running.loop)
        try:
            closing.result(STOPPING)
        finally:
            running.loop.call_soon_threadsafe(running.loop.stop)
            running.thread.join(STOPPING)
            if not running.thread.is_alive():
                running.loop.close()

    def _started(self) -> _Running:
        with self._guard:
            if self._running is None or self._running.pid != os.getpid():
                self._running = self._start()
            return self._running

    def _start(self) -> _Running:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="services", daemon=True)
        thread.start()

        async def make() -> "Services":
            return self._build()

        services = asyncio.run_coroutine_threadsafe(make(), loop).result(STARTING)
        return _Running(os.getpid(), loop, thread, services)


def build() -> "Services":
    """Give all that a task may ask for."""
    services: Services = import_module(SERVICES).build(load())
    return services


process = ProcessLoop(build)
run = process.run
