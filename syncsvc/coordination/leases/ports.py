"""What leases need from outside: a place where each change of one is a single step."""

from datetime import timedelta
from typing import Protocol

from syncsvc.coordination.leases.model import Answer, Lease, View, Wish


class Leases(Protocol):
    """Keeps leases, by its own clock. Each call is atomic and may be repeated without harm.

    Every call first drops what has ended and offers what is free to those who wait, in their
    order; each of them is told under `Lease.subject_of`, and so is whoever is first in line from
    then on: it watches for the end of what is held. An offer is a grant that lapses after `OFFER`
    unless the worker acquires, renews or withdraws without `release`: these claim it. With an
    offer that lapses go the places of the same gateway, unless one of them has looked since. A
    change of a leader is told under `Lease.subject`. All raise Unavailable when the place cannot
    be reached.
    """

    async def acquire(self, lease: Lease, wish: Wish, *, queue: bool) -> Answer:
        """Grant what is free, else with `queue` keep a place for `ALIVE`.

        A worker that holds it keeps its token and gets its time anew, and the call is noted to
        know of it; one that waits keeps its place. OTHER_LIMIT and OTHER_WEIGHT change nothing.
        """
        ...

    async def withdraw(self, lease: Lease, worker: str, ticket: str, *, release: bool) -> View:
        """Give up a place that belongs to a ticket; with `release` also what is held.

        What is held goes once no other call knows of it. Without `release` the call goes on with
        what its worker holds.
        """
        ...

    async def renew(self, lease: Lease, worker: str, token: int, ttl: timedelta) -> Answer:
        """Let a lease end so long from now; LOST when it has ended or the token is another.

        When that is sooner than before, the first in line is told.
        """
        ...

    async def release(self, lease: Lease, worker: str, token: int, heir: str | None) -> Answer:
        """Give a lease back, to the heir first; DONE also when it was given back before.

        LOST when it has ended or the token is another; ABSENT, and nothing is given back, when
        the heir does not wait.
        """
        ...

    async def look(self, lease: Lease) -> View:
        """Give a lease as it is now."""
        ...
