"""Watches: one JSON line for every change, from a version on, until the time is over."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import msgspec

from syncsvc.sandbox.kubernetes.asked import Asked
from syncsvc.sandbox.kubernetes.model import API_VERSIONS, NAMES, Kind
from syncsvc.sandbox.kubernetes.operator import Operator
from syncsvc.sandbox.kubernetes.pages import Lists, version_of
from syncsvc.sandbox.kubernetes.selectors import Selection, selection
from syncsvc.sandbox.kubernetes.status import Failure
from syncsvc.sandbox.kubernetes.store import Change, Store, Stored
from syncsvc.sandbox.kubernetes.waiting import SHORTEST, first_of
from syncsvc.sandbox.kubernetes.wire import single

LONGEST_SECONDS = 1800.0  # of a watch that names no time


@dataclass(eq=False)
class Watch:
    """One call's watch; `bookmarks` counts the cluster's calls for them."""

    kind: Kind
    asked: Asked
    operator: Operator
    released: asyncio.Event
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _bookmarked: int = 0
    _version: int = 0

    def __post_init__(self) -> None:
        query = self.asked.query
        selectors = query.get("labelSelector", ""), query.get("fieldSelector", "")
        self._meant: Selection = selection(self.kind, self.asked.namespace, *selectors)
        self._from = version_of(query.get("resourceVersion", ""))
        seconds = self.asked.number("timeoutSeconds")
        self._until = time.monotonic() + (LONGEST_SECONDS if seconds is None else seconds)
        self._wants_bookmarks = self.asked.flag("allowWatchBookmarks")

    @property
    def store(self) -> Store:
        return self.operator.store

    async def lines(self) -> AsyncIterator[bytes]:
        for line in self._first():
            yield line
        self.store.watchers.add(self._news)
        try:
            while not self._is_over():
                for line in self._later():
                    yield line
                if self._is_late():
                    yield self._too_old()
                    return
                await self._wait()
        finally:
            self.store.watchers.discard(self._news)

    def _first(self) -> Iterator[bytes]:
        self._bookmarked = self.store.bookmarks
        if self._from and not self.asked.flag("sendInitialEvents"):
            self._version = self._from
            return
        self._version = self.store.version
        for each in Lists(self.store).page(self.kind, _unpaged(self.asked)).items:
            yield _line("ADDED", single(self.kind, each))
        if self._wants_bookmarks:
            yield self._bookmark({"k8s.io/initial-events-end": "true"})

    def _later(self) -> Iterator[bytes]:
        self._news.clear()
        self.operator.advance()
        for change in [] if self._is_late() else self.store.since(self._version):
            self._version = change.after.version
            kind = self._told(change)
            if kind is not None:
                yield _line(kind, single(self.kind, change.after))
        if self._bookmarked != self.store.bookmarks:
            self._bookmarked = self.store.bookmarks
            if self._wants_bookmarks:
                yield self._bookmark({})

    def _told(self, change: Change) -> str | None:
        """Say what a change is to this watch: what leaves its selection is deleted for it."""
        if change.kind is not self.kind:
            return None
        was, is_now = self._sees(change.before), self._sees(change.after) and not change.deleted
        if was and is_now:
            return "MODIFIED"
        if was:
            return "DELETED"
        return "ADDED" if is_now else None

    def _sees(self, stored: Stored | None) -> bool:
        return stored is not None and self._meant.means(stored.object)

    def _is_late(self) -> bool:
        return self._version < self.store.oldest

    def _is_over(self) -> bool:
        return self.released.is_set() or time.monotonic() >= self._until

    async def _wait(self) -> None:
        left = self._until - time.monotonic()
        due = self.operator.seconds_to_next()
        seconds = left if due is None else min(left, due)
        await first_of(self._news.wait(), self.released.wait(), seconds=max(seconds, SHORTEST))

    def _too_old(self) -> bytes:
        text = f"too old resource version: {self._version} ({self.store.oldest})"
        return _line("ERROR", msgspec.json.encode(Failure(410, text).status()))

    def _bookmark(self, annotations: dict[str, str]) -> bytes:
        metadata: dict[str, object] = {"resourceVersion": str(self.store.version)}
        if annotations:
            metadata["annotations"] = annotations
        shown = {"kind": NAMES[self.kind], "apiVersion": API_VERSIONS[self.kind]}
        return _line("BOOKMARK", msgspec.json.encode({**shown, "metadata": metadata}))


def _line(kind: str, shown: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), shown)


def _unpaged(asked: Asked) -> Asked:
    names = ("labelSelector", "fieldSelector")
    query = {name: asked.query[name] for name in names if name in asked.query}
    return Asked(asked.path, "list", query, namespace=asked.namespace)
