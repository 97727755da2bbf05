"""A watch that stands: whenever it ends it is begun again, from where it ended."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from syncsvc.errors import Conflict, SyncsvcError
from syncsvc.loadtests.clusters import Event
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

SOONEST, LATEST = 0.5, 10.0  # seconds before a watch that ended is begun again

Seen = TypeVar("Seen")


@dataclass
class Standing(Generic[Seen]):
    """Takes in changes of one kind of thing, from when it is begun until it is ended.

    `forget` is told when all that is there comes again, because our version of it is forgotten.
    """

    complaint: str  # when there is no watch
    namespace: str
    watch: Callable[[str, str], AsyncGenerator[Event[Seen]]]  # a namespace, after a version
    take: Callable[[Event[Seen]], None]
    forget: Callable[[], None]
    pause: Callable[[float], Awaitable[None]]
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _reason: str | None = field(default=None, init=False)  # why there is no watch

    def begin(self) -> None:
        """Begin, unless it stands already."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._stand())

    def end(self) -> list[asyncio.Task[None]]:
        """End it, and give what is to be waited for."""
        task, self._task = self._task, None
        if task is None:
            return []
        task.cancel()
        return [task]

    async def _stand(self) -> None:
        version, seconds = "", SOONEST
        while True:
            newer = await self._changes(version)
            seconds = SOONEST if newer != version else min(seconds * 2, LATEST)
            version = newer
            await self.pause(seconds)

    async def _changes(self, version: str) -> str:
        """Take in changes until the watch ends, and give the version to go on from."""
        try:
            async with aclosing(self.watch(self.namespace, version)) as events:
                async for event in events:
                    version, self._reason = event.version, None
                    self.take(event)
        except Conflict:
            self.forget()
            return ""
        except SyncsvcError as error:
            self._tell_once(str(error))
        return version

    def _tell_once(self, reason: str) -> None:
        if reason != self._reason:
            log.warning(self.complaint, namespace=self.namespace, reason=reason)
        self._reason = reason
