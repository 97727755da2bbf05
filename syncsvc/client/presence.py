"""Who is there: a worker says so again and again, and is gone when it falls silent."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import msgspec

from syncsvc.client.asking import AT_ONCE, Done, Speaker, as_json
from syncsvc.client.session import Session
from syncsvc.client.tempo import Seconds, seconds
from syncsvc.errors import Conflict, Unavailable, Unknown

DEFAULT_TTL = 15.0  # seconds
BEATS = 3  # per term


class Present(msgspec.Struct, frozen=True):
    """A worker that is there."""

    worker: str
    since: int | float | str
    about: Any = None


class Workers(msgspec.Struct, frozen=True):
    """Who is there, under a version that grows with each change."""

    version: int
    workers: tuple[Present, ...]


class Presence(Speaker):
    """Makes this worker present inside `async with`."""

    def __init__(self, session: Session, about: Any, ttl: Seconds) -> None:
        super().__init__(session)
        self._about = about
        self._ttl = seconds("ttl", ttl)
        self._process = session.process
        self._beating: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._join()
        self._beating = asyncio.create_task(self._beat())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        beating, self._beating = self._beating, None
        if self._process != self._session.process:
            return  # a forked child: its parent stays present
        if beating is not None:
            beating.cancel()
            await asyncio.wait([beating])
        await self._ask(Done, "presence.leave", worker=self._session.worker)

    async def _join(self) -> None:
        about = None if self._about is None else as_json("about", self._about)
        worker = self._session.worker
        await self._ask(Done, "presence.join", worker=worker, ttl_seconds=self._ttl, about=about)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._ttl / BEATS)
            try:
                await self._ask(Done, "presence.beat", worker=self._session.worker)
            except (Unknown, Conflict):  # it was taken for gone
                await self._join()
            except Unavailable:
                continue  # the next beat tries again


class Roll(Speaker):
    """Calls the roll of a run."""

    async def call(self) -> tuple[Present, ...]:
        return (await self._ask(Workers, "presence.list", AT_ONCE)).workers

    async def watch(self) -> AsyncIterator[tuple[Present, ...]]:
        """Give who is there, then again with each change, without an end."""
        version: int | None = None
        for wait in self._turns("wait", None):
            found = await self._ask(
                Workers,
                "presence.list",
                AT_ONCE if version is None else wait,
                after_version=version,
            )
            if found.version != version:
                version = found.version
                yield found.workers
