"""What is asked for when a lease is, on which terms, and what is answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from syncsvc.errors import Rejected


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: its kind, what it takes beside a name, a term and a worker, and verbs."""

    kind: str
    content: Mapping[str, Any] = field(default_factory=dict)
    acquire: str = "acquire"
    renew: str = "renew"
    release: str = "release"


@dataclass(frozen=True, slots=True)
class Terms:
    """For how long it is held, how long one waits for it, and what happens when it is lost."""

    ttl: float
    wait: float = 0.0
    cancel_when_lost: bool = False
    on_lost: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        if self.ttl <= 0:
            raise Rejected(f"ttl: expected more than 0 seconds, found {self.ttl:g}")


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lease; `mode` is that of a read-write lock."""

    worker: str
    token: int
    permits: int
    expires_in_seconds: float
    mode: str | None = None


class Grant(msgspec.Struct, frozen=True):
    granted: bool = True
    token: int | None = None
    expires_in_seconds: float | None = None
    holders: tuple[Holder, ...] = ()
