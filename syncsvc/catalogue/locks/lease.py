"""The lock between hosts: a lease in Redis that ends by itself when nobody renews it."""

from dataclasses import dataclass
from datetime import timedelta

from syncsvc.coordination.leases.model import Lease, LeaseKind, Outcome, Wish
from syncsvc.coordination.leases.ports import Leases

ROOM = "syncs"  # where these leases have their names: no run of tests shares them
TERM = timedelta(seconds=30)  # as many signs of life may be late or lost as fit into it


@dataclass(frozen=True)
class LeaseLock:
    leases: Leases
    term: timedelta = TERM

    async def acquire(self, customer: str, run_id: str) -> int | None:
        wish = Wish(run_id, self.term)
        answer = await self.leases.acquire(_lease(customer), wish, queue=False)
        return answer.view.mine.token if answer.view.mine else None

    async def renew(self, customer: str, run_id: str, token: int) -> bool:
        answer = await self.leases.renew(_lease(customer), run_id, token, self.term)
        return answer.outcome is Outcome.DONE

    async def release(self, customer: str, run_id: str, token: int) -> None:
        await self.leases.release(_lease(customer), run_id, token, None)

    async def holder(self, customer: str) -> str | None:
        held = (await self.leases.look(_lease(customer))).leader
        if held is None:
            return None
        return f"run {held.worker}, for {held.ends_in.total_seconds():.0f} s unless it is renewed"


def _lease(customer: str) -> Lease:
    return Lease.of(ROOM, LeaseKind.LOCK, customer)
