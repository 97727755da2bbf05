"""A coordination server on a loop in another thread, for code that blocks and for processes."""

import asyncio
import threading
from collections.abc import Callable
from typing import Self

from tests.support.coordination import Coordination, serve


class Elsewhere:
    """Serves inside `with`."""

    server: Coordination
    url: str

    def __init__(self) -> None:
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self.server = Coordination()
        async with serve(self.server) as self.url:
            self._started.set()
            await self._over.wait()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self._over.set)
        self._thread.join()

    def do(self, action: Callable[[], object]) -> None:
        """Do something on the server's loop."""

        async def act() -> None:
            action()

        asyncio.run_coroutine_threadsafe(act(), self._loop).result(30)

    def until_asked(self, command: str, times: int = 1) -> None:
        """Return once a command was asked so often."""
        asking = self.server.until_asked(command, times)
        asyncio.run_coroutine_threadsafe(asking, self._loop).result(60)
