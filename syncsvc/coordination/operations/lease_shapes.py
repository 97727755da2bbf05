"""What the commands of leases take and give."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from syncsvc.coordination.leases.model import ALL, LONGEST, SHORTEST
from syncsvc.coordination.operations.fields import EXACT, Asking, Seconds
from syncsvc.coordination.operations.operation import Reply

Ttl = Annotated[
    float,
    Meta(
        ge=SHORTEST.total_seconds(),
        le=LONGEST.total_seconds(),
        description="seconds until the lease ends unless it is renewed",
    ),
]
Token = Annotated[int, Meta(ge=0, le=EXACT)]
Permits = Annotated[int, Meta(ge=1, le=ALL)]


class LeaseName(Asking, frozen=True, kw_only=True):
    name: str


class Acquire(LeaseName, frozen=True, kw_only=True):
    ttl_seconds: Ttl = 30.0
    wait_seconds: Seconds = 0.0


class AcquireShared(Acquire, frozen=True, kw_only=True):
    mode: Literal["read", "write"]


class AcquirePermits(Acquire, frozen=True, kw_only=True):
    limit: Permits
    permits: Permits = 1


class Renew(LeaseName, frozen=True, kw_only=True):
    token: Token
    ttl_seconds: Ttl = 30.0


class Release(LeaseName, frozen=True, kw_only=True):
    token: Token


class Resign(Release, frozen=True, kw_only=True):
    to: str | None = None


class Observe(LeaseName, frozen=True, kw_only=True):
    after_token: Annotated[Token, Meta(description="0: nobody led")] | None = None
    wait_seconds: Seconds = 0.0


class HolderView(msgspec.Struct, frozen=True):
    """Who holds a lease; `mode` is that of a read-write lock."""

    worker: str
    token: int
    permits: int
    mode: Literal["read", "write"] | None
    expires_in_seconds: float


class Acquired(Reply, frozen=True):
    """`position` is the place in the queue of a worker that waits."""

    name: str
    granted: bool
    token: int | None
    expires_in_seconds: float | None
    holders: list[HolderView]  # a hundred at most, those that end first
    position: int | None


class Renewed(Reply, frozen=True):
    name: str
    token: int
    expires_in_seconds: float


class Released(Reply, frozen=True):
    name: str
    token: int


class LeaseStatus(Reply, frozen=True):
    name: str
    limit: int | None  # null: nobody has used the name
    permits: int  # that are held
    holders: list[HolderView]  # a hundred at most, those that end first
    waiting: int


class Led(Reply, frozen=True):
    """Who leads; `token` is 0 and `leader` null when nobody does."""

    name: str
    leader: str | None
    token: int
    expires_in_seconds: float | None
    changed: bool
