"""The blackboard: what the workers of a run leave for each other, by name, with a version."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from syncsvc.client.asking import Speaker, as_json, new_request
from syncsvc.client.leases import Lease
from syncsvc.client.tempo import Seconds, seconds


class Item(msgspec.Struct, frozen=True):
    """What is there, its version, and who wrote it."""

    name: str
    value: Any
    version: int
    worker: str | None = None


class Listed(msgspec.Struct, frozen=True):
    """A name that is there, without its value."""

    name: str
    version: int
    worker: str | None = None


class Page(msgspec.Struct, frozen=True):
    """Some names in their order; give `next` as `after` to get those that follow."""

    entries: tuple[Listed, ...]
    next: str | None = None


class Change(msgspec.Struct, frozen=True):
    """What became of a name; `value` is None when it was deleted."""

    name: str
    version: int
    value: Any = None
    deleted: bool = False
    changed: bool = True


class Fence(msgspec.Struct, frozen=True):
    """A lease that a writer held when it began: `leader/NAME` or `lock/NAME`, and its token."""

    lease: str
    token: int


class _Version(msgspec.Struct, frozen=True):
    version: int


class Board(Speaker):
    """Any JSON under a name; versions only grow, so a writer can tell that nobody came between."""

    async def get(self, name: str) -> Item:
        """Raises Unknown for what is not there."""
        return await self._ask(Item, "data.get", name=name)

    async def put(
        self,
        name: str,
        value: Any,
        *,
        version: int | None = None,
        ttl: Seconds | None = None,
        fence: Lease | Fence | None = None,
    ) -> int:
        """Write it, if `version` is its version, and give the new one.

        `fence` is a lease held here, or one by its name and token. Raises Conflict when the
        version is another, or when a newer token of that lease was granted.
        """
        answer = await self._ask(
            _Version,
            "data.put",
            name=name,
            worker=self._session.worker,
            value=as_json("value", value),
            if_version=version,
            ttl_seconds=None if ttl is None else seconds("ttl", ttl),
            fence=_fenced(fence),
            request=new_request(),
        )
        return answer.version

    async def put_if(
        self, name: str, value: Any, version: int, *, fence: Lease | Fence | None = None
    ) -> int:
        """Write it if that is its version, 0 for what is not there yet. Raises Conflict."""
        return await self.put(name, value, version=version, fence=fence)

    async def delete(
        self, name: str, *, version: int | None = None, fence: Lease | Fence | None = None
    ) -> int:
        """Remove it, if that is its version, and give the version of its absence."""
        answer = await self._ask(
            _Version,
            "data.delete",
            name=name,
            worker=self._session.worker,
            if_version=version,
            fence=_fenced(fence),
            request=new_request(),
        )
        return answer.version

    async def page(self, prefix: str = "", *, after: str | None = None, limit: int = 1000) -> Page:
        """Give the names that begin with a prefix, at most `limit`."""
        return await self._ask(Page, "data.list", prefix=prefix, after=after, limit=limit)

    async def list(self, prefix: str = "") -> tuple[Listed, ...]:
        """Give all names that begin with a prefix."""
        page = await self.page(prefix)
        found = page.entries
        while page.next is not None:
            page = await self.page(prefix, after=page.next)
            found += page.entries
        return found

    async def watch(self, name: str, after_version: int = 0) -> AsyncIterator[Change]:
        """Give what becomes of a name, from after a version on, without an end.

        Changes that follow each other quickly may be seen as one.
        """
        for wait in self._turns("wait", None):
            change = await self._ask(
                Change, "data.watch", wait, name=name, after_version=after_version
            )
            if change.changed:
                after_version = change.version
                yield change


def _fenced(fence: Lease | Fence | None) -> Fence | None:
    """Raises LeaseLost at once for a lease that is lost already."""
    return Fence(fence.subject, fence.check()) if isinstance(fence, Lease) else fence
