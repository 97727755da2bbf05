"""A cluster's objects with their versions, and the changes that watchers are told."""

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from syncsvc.sandbox.kubernetes.model import Kind, Object

Key = tuple[str, str]
FIRST_VERSION = 100
CHANGES_KEPT = 20_000
SNAPSHOTS_KEPT = 64


@dataclass(slots=True, eq=False)
class Stored:
    """An object as it was from one version on; its bytes are made when somebody asks."""

    object: Object
    version: int
    body: bytes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    kind: Kind
    before: Stored | None
    after: Stored  # of a deleted object its last form, in the version of its end
    deleted: bool = False


@dataclass(eq=False)
class Store:
    version: int = FIRST_VERSION
    oldest: int = FIRST_VERSION  # changes after this version are still known
    changes: list[Change] = field(default_factory=list)
    bookmarks: int = 0  # how often watchers were to be given one
    watchers: set[asyncio.Event] = field(default_factory=set)
    _items: dict[Kind, dict[Key, Stored]] = field(
        default_factory=lambda: {kind: {} for kind in Kind}
    )
    _sorted: dict[Kind, list[Stored]] = field(default_factory=dict)
    _snapshots: OrderedDict[tuple[Kind, int], list[Stored]] = field(default_factory=OrderedDict)

    def get(self, kind: Kind, key: Key) -> Stored | None:
        return self._items[kind].get(key)

    def count(self, kind: Kind) -> int:
        return len(self._items[kind])

    def put(self, kind: Kind, thing: Object) -> Stored:
        self.version += 1
        stored = Stored(thing, self.version)
        items = self._items[kind]
        before = items.get(thing.meta.key)
        items[thing.meta.key] = stored
        self._tell(Change(kind, before, stored))
        return stored

    def delete(self, kind: Kind, key: Key) -> Stored | None:
        """Take an object away; one that is not there is no harm."""
        before = self._items[kind].pop(key, None)
        if before is None:
            return None
        self.version += 1
        last = Stored(before.object, self.version)
        self._tell(Change(kind, before, last, deleted=True))
        return last

    def listed(self, kind: Kind) -> list[Stored]:
        """Give all of a kind in the order of their keys."""
        if kind not in self._sorted:
            items = self._items[kind]
            self._sorted[kind] = [items[key] for key in sorted(items)]
        return self._sorted[kind]

    def keep(self, kind: Kind) -> None:
        """Remember how a kind is now, for whoever reads it page by page."""
        self._snapshots[kind, self.version] = self.listed(kind)
        while len(self._snapshots) > SNAPSHOTS_KEPT:
            self._snapshots.popitem(last=False)

    def kept(self, kind: Kind, version: int) -> list[Stored] | None:
        return self._snapshots.get((kind, version))

    def since(self, version: int) -> Sequence[Change]:
        place = bisect_right(self.changes, version, key=lambda change: change.after.version)
        return self.changes[place:]

    def expire(self) -> None:
        """Forget the past: every version but the present one is too old from now on."""
        self.version += 1
        self.oldest = self.version
        self.changes.clear()
        self._snapshots.clear()

    def wake(self) -> None:
        for each in self.watchers:
            each.set()

    def _tell(self, change: Change) -> None:
        self._sorted.pop(change.kind, None)
        self.changes.append(change)
        if len(self.changes) > 2 * CHANGES_KEPT:
            self.oldest = self.changes[-CHANGES_KEPT - 1].after.version
            del self.changes[:-CHANGES_KEPT]
        self.wake()
