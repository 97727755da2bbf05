"""Remembers what was used last, and no more than so many things."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass
class Memory(Generic[Key, Value]):
    """A mapping that forgets what was not used for longest."""

    most: int
    _known: OrderedDict[Key, Value] = field(default_factory=OrderedDict, init=False)

    def get(self, key: Key) -> Value | None:
        value = self._known.get(key)
        if value is not None:
            self._known.move_to_end(key)
        return value

    def keep(self, key: Key, value: Value) -> None:
        self._known[key] = value
        self._known.move_to_end(key)
        while len(self._known) > self.most:
            self._known.popitem(last=False)

    def forget(self, key: Key) -> None:
        self._known.pop(key, None)
