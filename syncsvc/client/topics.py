"""A topic keeps what was published under it, in one order for all who read."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from syncsvc.client.asking import AT_ONCE, Part, as_json, new_request


class Entry(msgspec.Struct, frozen=True):
    """What was published; offsets are 1, 2, 3 ..."""

    offset: int
    payload: Any
    at: int | float | str


class Page(msgspec.Struct, frozen=True):
    """Part of a topic; `next` is the offset to go on after, `oldest` the first still kept."""

    entries: tuple[Entry, ...]
    next: int
    oldest: int


class _Published(msgspec.Struct, frozen=True):
    offset: int


class Topic(Part):
    """What workers tell each other, in order."""

    async def publish(self, payload: Any) -> int:
        """Give the offset; a repeated call after a lost connection publishes once."""
        answer = await self._ask(
            _Published, "topic.publish", payload=as_json("payload", payload), request=new_request()
        )
        return answer.offset

    async def page(self, after: int = 0, *, limit: int = 100) -> Page:
        """Give what is there now."""
        return await self._ask(Page, "topic.read", AT_ONCE, after=after, limit=limit)

    async def read(self, after: int = 0, *, follow: bool = True) -> AsyncIterator[Entry]:
        """Give each entry after an offset; goes on with what comes, unless `follow` is False."""
        for wait in self._turns("wait", None):
            page = await self._ask(Page, "topic.read", wait if follow else AT_ONCE, after=after)
            for entry in page.entries:
                yield entry
            if not page.entries and not follow:
                return
            after = page.next
