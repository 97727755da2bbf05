"""The commands of locks, read-write locks, semaphores and leaders.

A lease ends by itself after `ttl_seconds` unless it is renewed. Its `token` is larger than every
one before it, so whoever is given tokens can refuse an older one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from syncsvc.coordination.leases.model import (
    ALL,
    Holder,
    Lease,
    LeaseKind,
    View,
    Wish,
    mode,
)
from syncsvc.coordination.leases.service import LeaseService
from syncsvc.coordination.names import check_name
from syncsvc.coordination.operations.lease_shapes import (
    Acquire,
    Acquired,
    AcquirePermits,
    AcquireShared,
    HolderView,
    LeaseName,
    LeaseStatus,
    Led,
    Observe,
    Release,
    Released,
    Renew,
    Renewed,
    Resign,
)
from syncsvc.coordination.operations.operation import Caller, Operation, table
from syncsvc.errors import Rejected


@dataclass(frozen=True)
class LeaseCommands:
    """Carries them out for one kind of lease."""

    leases: LeaseService
    kind: LeaseKind

    async def acquire(self, caller: Caller, asked: Acquire) -> Acquired:
        lease, wish = self._lease(caller, asked), _wish(caller.named(asked.worker), asked)
        view = await self.leases.acquire(lease, wish, asked.wait_seconds)
        mine = view.mine
        return Acquired(
            name=asked.name,
            granted=mine is not None,
            token=mine.token if mine else None,
            expires_in_seconds=_seconds(mine),
            holders=self._holders(view),
            position=view.place,
        )

    async def renew(self, caller: Caller, asked: Renew) -> Renewed:
        worker, ttl = caller.named(asked.worker), timedelta(seconds=asked.ttl_seconds)
        await self.leases.renew(self._lease(caller, asked), worker, asked.token, ttl)
        return Renewed(asked.name, asked.token, asked.ttl_seconds)

    async def release(self, caller: Caller, asked: Release) -> Released:
        worker = caller.named(asked.worker)
        await self.leases.release(self._lease(caller, asked), worker, asked.token)
        return Released(asked.name, asked.token)

    async def resign(self, caller: Caller, asked: Resign) -> Released:
        worker, lease = caller.named(asked.worker), self._lease(caller, asked)
        heir = None if asked.to is None else check_name("to", asked.to)
        await self.leases.release(lease, worker, asked.token, heir)
        return Released(asked.name, asked.token)

    async def status(self, caller: Caller, asked: LeaseName) -> LeaseStatus:
        view = await self.leases.look(self._lease(caller, asked))
        is_shared = self.kind is LeaseKind.RWLOCK
        return LeaseStatus(
            name=asked.name,
            limit=None if is_shared else view.limit or None,
            permits=len(view.holders) if is_shared and view.used == ALL else view.used,
            holders=self._holders(view),
            waiting=view.waiters,
        )

    async def observe(self, caller: Caller, asked: Observe) -> Led:
        lease = self._lease(caller, asked)
        view = await self.leases.observe(lease, asked.after_token, asked.wait_seconds)
        token = view.leader.token if view.leader else 0
        return Led(
            name=asked.name,
            leader=view.leader.worker if view.leader else None,
            token=token,
            expires_in_seconds=_seconds(view.leader),
            changed=token != asked.after_token,
        )

    def _lease(self, caller: Caller, asked: LeaseName) -> Lease:
        return Lease.of(caller.run, self.kind, asked.name)

    def _holders(self, view: View) -> list[HolderView]:
        return [_holder(holder, self.kind) for holder in view.holders]


def lease_operations(leases: LeaseService) -> dict[str, Operation]:
    """Give the commands of locks, read-write locks, semaphores and leaders."""
    lock = LeaseCommands(leases, LeaseKind.LOCK)
    shared = LeaseCommands(leases, LeaseKind.RWLOCK)
    semaphore = LeaseCommands(leases, LeaseKind.SEMAPHORE)
    return {
        **_kept("lock", "a lock", lock, Acquire),
        **_kept("rwlock", "a read-write lock, to read or to write", shared, AcquireShared),
        **_kept("semaphore", "permits of a semaphore", semaphore, AcquirePermits),
        **_led(LeaseCommands(leases, LeaseKind.LEADER)),
    }


def _kept(kind: str, what: str, do: LeaseCommands, acquire: type[Acquire]) -> dict[str, Operation]:
    say: Callable[[str], str] = f"{kind}.{{}}".format
    return table(
        Operation(
            say("acquire"), f"Takes {what}, or waits in line.", acquire, Acquired, do.acquire
        ),
        Operation(say("renew"), f"Keeps {what} for longer.", Renew, Renewed, do.renew),
        Operation(say("release"), f"Gives {what} back.", Release, Released, do.release),
        Operation(
            say("status"),
            "Says who holds it, and how many wait.",
            LeaseName,
            LeaseStatus,
            do.status,
        ),
    )


def _led(do: LeaseCommands) -> dict[str, Operation]:
    return table(
        Operation("leader.campaign", "Leads, or waits in line to.", Acquire, Acquired, do.acquire),
        Operation("leader.renew", "Goes on leading.", Renew, Renewed, do.renew),
        Operation(
            "leader.resign",
            "Hands over to the next in line, or to the one that is named.",
            Resign,
            Released,
            do.resign,
        ),
        Operation(
            "leader.observe", "Says who leads, once it is another.", Observe, Led, do.observe
        ),
    )


def _wish(worker: str, asked: Acquire) -> Wish:
    ttl = timedelta(seconds=asked.ttl_seconds)
    if isinstance(asked, AcquireShared):
        return Wish(worker, ttl, weight=1 if asked.mode == "read" else ALL, limit=ALL)
    if not isinstance(asked, AcquirePermits):
        return Wish(worker, ttl)
    if asked.permits > asked.limit:
        raise Rejected(f"permits: expected at most {asked.limit}, found {asked.permits}")
    return Wish(worker, ttl, asked.permits, asked.limit)


def _holder(holder: Holder, kind: LeaseKind) -> HolderView:
    is_shared = kind is LeaseKind.RWLOCK
    return HolderView(
        worker=holder.worker,
        token=holder.token,
        permits=1 if is_shared else holder.weight,
        mode=mode(holder.weight) if is_shared else None,
        expires_in_seconds=holder.ends_in.total_seconds(),
    )


def _seconds(holder: Holder | None) -> float | None:
    return holder.ends_in.total_seconds() if holder else None
