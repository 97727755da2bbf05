"""What only some workers may do at a time: locks, read-write locks, semaphores."""

from collections.abc import Callable
from typing import Literal, TypedDict, Unpack

import msgspec

from syncsvc.client.asking import Part
from syncsvc.client.leases import Lease
from syncsvc.client.session import Session
from syncsvc.client.tempo import Seconds, seconds
from syncsvc.client.terms import Holder, Terms, Wish

DEFAULT_TTL = 30.0  # seconds: so long others wait after a holder that died
DEFAULT_WAIT = 60.0


class LeaseStatus(msgspec.Struct, frozen=True):
    """Who holds it, how many permits of how many, and how many workers wait."""

    name: str
    holders: tuple[Holder, ...]
    permits: int
    waiting: int
    limit: int | None = None


class Asked(TypedDict, total=False):
    """What one may say about a lease.

    `ttl`: how long others wait after a holder that died; `wait`: how long we wait for it;
    `cancel_when_lost`: whether its loss ends the block; `on_lost`: what its loss calls.
    """

    ttl: Seconds
    wait: Seconds
    cancel_when_lost: bool
    on_lost: Callable[[], None] | None


def terms(asked: Asked) -> Terms:
    return Terms(
        seconds("ttl", asked.get("ttl", DEFAULT_TTL)),
        seconds("wait", asked.get("wait", DEFAULT_WAIT)),
        cancel_when_lost=asked.get("cancel_when_lost", False),
        on_lost=asked.get("on_lost"),
    )


class Lock(Lease):
    """Held by one worker at a time."""

    def __init__(self, session: Session, name: str, terms: Terms) -> None:
        wish = Wish("lock")
        super().__init__(session, name, wish, terms)

    async def status(self) -> LeaseStatus:
        return await self._ask(LeaseStatus, "lock.status")


class RwLock(Part):
    """Held by any number of readers, or by one writer."""

    def read(self, **asked: Unpack[Asked]) -> Lease:
        return self._lease("read", terms(asked))

    def write(self, **asked: Unpack[Asked]) -> Lease:
        return self._lease("write", terms(asked))

    async def status(self) -> LeaseStatus:
        return await self._ask(LeaseStatus, "rwlock.status")

    def _lease(self, mode: Literal["read", "write"], agreed: Terms) -> Lease:
        return Lease(self._session, self.name, Wish("rwlock", {"mode": mode}), agreed)


class Semaphore(Lease):
    """Held by so many workers at a time as there are permits."""

    def __init__(
        self, session: Session, name: str, terms: Terms, *, limit: int, permits: int
    ) -> None:
        wish = Wish("semaphore", {"limit": limit, "permits": permits})
        super().__init__(session, name, wish, terms)

    async def status(self) -> LeaseStatus:
        return await self._ask(LeaseStatus, "semaphore.status")
