"""The same client for code without an event loop: each call returns when it is done.

One loop runs in a thread of its own, and every thing of the client has a blocking view with the
same names: coroutines are called, `async with` is `with`, `async for` is `for`.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from inspect import isawaitable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from syncsvc.client.address import default_worker
from syncsvc.client.asking import Speaker
from syncsvc.client.leases import Lease
from syncsvc.client.run import Run, connect
from syncsvc.errors import Rejected

Given = TypeVar("Given")


class _Story(Generic[Given]):
    """What is carried out in the loop, and may be cancelled before it has begun."""

    def __init__(self, tell: Callable[[], Coroutine[Any, Any, Given]]) -> None:
        self._tell = tell
        self._task: asyncio.Task[Any] | None = None
        self._is_cancelled = False

    async def told(self) -> Given:
        self._task = asyncio.current_task()
        if self._is_cancelled:
            raise asyncio.CancelledError
        return await self._tell()

    def cancel(self) -> None:
        self._is_cancelled = True
        if self._task is not None:
            self._task.cancel()


class LoopThread:
    """A loop in a thread of this process; after a fork the child gets its own."""

    def __init__(self, after_fork: Callable[[], None]) -> None:
        self._after_fork = after_fork
        self._inherited: list[object] = []  # the parent's; to collect it would disturb the parent
        self._lock = threading.Lock()
        self._begin()

    def run(self, tell: Callable[[], Coroutine[Any, Any, Given]]) -> Given:
        """Carry out a story; what interrupts us cancels it.

        Raises Rejected in the loop's own thread, which would wait for itself.
        """
        self._ensure_ours()
        story = _Story(tell)
        try:
            return asyncio.run_coroutine_threadsafe(story.told(), self._loop).result()
        except BaseException:  # also one that comes before there is a future to cancel
            self._loop.call_soon_threadsafe(story.cancel)
            raise

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        name = "syncsvc-client"
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def _ensure_ours(self) -> None:
        if threading.current_thread() is self._thread:
            raise Rejected("a blocking call: expected another thread than the client's own")
        with self._lock:
            if self._pid != os.getpid():
                self._inherited += [self._loop, self._thread]
                self._after_fork()
                self._begin()


class Blocking:
    """The blocking view of something; its names and what they promise are those of the thing."""

    def __init__(self, thing: Any, loop: LoopThread) -> None:
        self._thing = thing
        self._loop = loop
        self.__doc__ = type(thing).__doc__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._thing, name)
        return partial(self._call, found) if callable(found) else self._view(found)

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._thing) if not name.startswith("_")]

    def __enter__(self) -> Self:
        if isinstance(self._thing, Lease) and self._thing.cancel_when_lost:
            raise Rejected("cancel_when_lost: a block without an event loop cannot be cancelled")
        self._call(self._thing.__aenter__)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call(self._thing.__aexit__, kind, error, trace)

    def _call(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        given = [_thing(arg) for arg in args]
        named = {name: _thing(arg) for name, arg in named.items()}

        async def story() -> Any:
            found = function(*given, **named)
            return await found if isawaitable(found) else found

        return self._view(self._loop.run(story))

    def _view(self, found: Any) -> Any:
        if isinstance(found, AsyncIterator):
            return BlockingIterator(found, self._loop)
        if isinstance(found, Speaker | asyncio.Event):
            return Blocking(found, self._loop)
        return found


class BlockingIterator:
    """Gives one after the other, each when it is there."""

    def __init__(self, source: AsyncIterator[Any], loop: LoopThread) -> None:
        self._source = source
        self._loop = loop

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        try:
            return self._loop.run(self._next)
        except StopAsyncIteration:
            raise StopIteration from None

    async def _next(self) -> Any:
        return await anext(self._source)


class BlockingRun(Blocking):
    """A run, connected inside `with`."""

    def __init__(self, run: Run, worker: str | None) -> None:
        def after_fork() -> None:
            run.begin_anew(default_worker() if worker is None else f"{worker}-{os.getpid()}")

        super().__init__(run, LoopThread(after_fork))

    def __enter__(self) -> Self:
        try:
            return super().__enter__()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect, and end the thread."""
        try:
            self._call(self._thing.close)
        finally:
            self._loop.stop()


def connect_sync(server: str, *, run: str, worker: str | None = None, **more: Any) -> BlockingRun:
    """Give a run to be entered with `with`; takes what `connect` takes.

    A forked child that goes on using it is a worker of its own: by default with a new name, else
    with its process number behind the given one.
    """
    return BlockingRun(connect(server, run=run, worker=worker, **more), worker)


def _thing(given: Any) -> Any:
    return given._thing if isinstance(given, Blocking) else given  # noqa: SLF001 - our own view
