"""What scripts announce reaches every process once, over one subscription each.

A subscription that was interrupted may have missed something, so whoever listens is told of
each new beginning, and whether the server lost what it kept meanwhile.
"""

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from redis.exceptions import RedisError

from syncsvc.errors import SyncsvcError, Unavailable
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.scripts import Script, Scripts
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

INCARNATION = Script.load("syncsvc.stores.redis", "incarnation")
LOOK_SECONDS = 1.0  # how soon a server that was emptied is noticed
SILENCE_SECONDS = 6.0  # a subscription whose pings stay unanswered so long is begun anew
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds between attempts to connect


class Listener(Protocol):
    """Whoever wants to know."""

    def announced(self, subject: str, body: str) -> None:
        """Something happened to this subject. Must not raise, nor take long."""
        ...

    def began(self, *, lost: bool) -> None:
        """Announcements arrive from now on; `lost`: what the server kept is gone."""
        ...


@dataclass
class Announcements:
    """The one subscription of a process."""

    scripts: Scripts
    listener: Listener
    listening: asyncio.Event = field(default_factory=asyncio.Event)
    _incarnation: str | None = None

    async def run(self) -> None:
        """Listen until cancelled, through every interruption."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError, SyncsvcError) as error:
                level = log.warning if self.listening.is_set() else log.debug
                level("announcements interrupted", reason=str(error) or type(error).__name__)
                pause = FIRST_PAUSE if self.listening.is_set() else min(pause * 2, LONGEST_PAUSE)
                self.listening.clear()
            await asyncio.sleep(pause)

    async def _listen(self) -> None:
        pubsub: Any = self.scripts.client.pubsub(ignore_subscribe_messages=False)
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                await pubsub.subscribe(keys.NEWS)
                while not await pubsub.get_message(timeout=LOOK_SECONDS):
                    pass  # the first message says that the subscription stands
            await self._look()
            self.listening.set()
            await self._follow(pubsub)
        finally:
            with suppress(RedisError, OSError):
                await pubsub.aclose()

    async def _follow(self, pubsub: Any) -> None:
        loop = asyncio.get_running_loop()
        looked = heard = loop.time()
        while True:
            message = await pubsub.get_message(timeout=LOOK_SECONDS)
            now = loop.time()
            if message is not None:
                heard = now
                await self._take(message)
            elif now - heard > SILENCE_SECONDS:
                raise Unavailable("the subscription fell silent")
            if now - looked >= LOOK_SECONDS:
                looked = now
                await pubsub.ping()
                await self._look_again()

    async def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":  # the library has connected again by itself
            await self._look()
        elif message["type"] == "message":
            subject, _, body = message["data"].partition("\0")
            self.listener.announced(subject, body)

    async def _look(self) -> None:
        found = await self._incarnation_now()
        lost = self._incarnation not in (None, found)
        self._incarnation = found
        self.listener.began(lost=lost)

    async def _look_again(self) -> None:
        if await self._incarnation_now() != self._incarnation:
            await self._look()

    async def _incarnation_now(self) -> str:
        found = await self.scripts.run(INCARNATION, keys.INCARNATION, secrets.token_hex(8))
        return str(found)
