"""Workers ask for permits, wait in line, and watch who leads."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from syncsvc.coordination.leases.memory import MemoryLeases
from syncsvc.coordination.leases.model import ALIVE, ALL, Answer, Lease, LeaseKind, View, Wish
from syncsvc.coordination.leases.service import LeaseService
from syncsvc.coordination.signals import Signals
from syncsvc.errors import Conflict, Rejected
from tests.support.builders import SECOND, Clock
from tests.support.fakes import UNREACHABLE

LOCK = Lease("run", LeaseKind.LOCK, "it")
LEADER = Lease("run", LeaseKind.LEADER, "it")
TTL = 30 * SECOND
LONG = 60.0  # seconds that no test waits
OBSERVER = "whoever observes"


@dataclass
class Watched(MemoryLeases):
    """Says who has looked, and cannot be reached when it is told so."""

    looks: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)
    is_reached: bool = True

    async def acquire(self, lease: Lease, wish: Wish, *, queue: bool) -> Answer:
        answer = await super().acquire(lease, wish, queue=queue)
        self.looks.put_nowait(wish.worker)
        return answer

    async def look(self, lease: Lease) -> View:
        view = await super().look(lease)
        self.looks.put_nowait(OBSERVER)
        return view

    async def withdraw(self, lease: Lease, worker: str, ticket: str, *, release: bool) -> View:
        if not self.is_reached:
            raise UNREACHABLE
        return await super().withdraw(lease, worker, ticket, release=release)


class Gateway:
    """A service with its own signals, and a home whose clock a test moves."""

    def __init__(self) -> None:
        self.clock, self.signals = Clock(), Signals()
        self.home = Watched(self.clock, self.signals.announced)
        numbers = count(1)
        self.service = LeaseService(self.home, self.signals, lambda: f"ticket {next(numbers)}")

    async def ask(self, worker: str, wait: float = 0, lease: Lease = LOCK, **wish) -> View:
        return await self.service.acquire(lease, Wish(worker, **{"ttl": TTL, **wish}), wait)

    async def line_up(self, tasks, worker: str, lease: Lease = LOCK) -> asyncio.Task[View]:
        """Let a worker wait, and come back when it has looked in vain."""
        return await self._begun(tasks.create_task(self.ask(worker, LONG, lease)), worker)

    async def observe(self, tasks, known: int) -> asyncio.Task[View]:
        """Let somebody observe, and come back when it has looked in vain."""
        observing = self.service.observe(LEADER, known, LONG)
        return await self._begun(tasks.create_task(observing), OBSERVER)

    async def _begun(self, task: asyncio.Task[View], who: str) -> asyncio.Task[View]:
        while await self.looks() != who:
            pass
        return task

    async def looks(self) -> str:
        return await self.home.looks.get()

    async def free(self, worker: str, lease: Lease = LOCK, heir: str | None = None) -> View:
        token = self.home.permits(lease).held[worker].token
        return await self.service.release(lease, worker, token, heir)


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
async def tasks() -> AsyncIterator[asyncio.TaskGroup]:
    async with asyncio.TaskGroup() as group, asyncio.timeout(10):
        yield group


async def test_what_is_free_is_granted_at_once(gateway):
    assert (await gateway.ask("a", LONG)).mine.worker == "a"


async def test_whoever_does_not_wait_is_told_who_holds_it(gateway):
    await gateway.ask("a")

    view = await gateway.ask("b")

    assert (view.mine, [holder.worker for holder in view.holders]) == (None, ["a"])


async def test_whoever_waits_is_served_when_it_is_given_back(gateway, tasks):
    await gateway.ask("a")
    waiting = [await gateway.line_up(tasks, name) for name in ("b", "c")]

    await gateway.free("a")

    assert (await waiting[0]).mine.worker == "b"
    assert not waiting[1].done()
    await gateway.free("b")
    assert (await waiting[1]).mine.worker == "c"


async def test_the_first_in_line_looks_when_the_lease_ends(gateway, tasks):
    await gateway.ask("a", ttl=0.05 * SECOND)
    waiting = await gateway.line_up(tasks, "b")

    gateway.clock.pass_(SECOND)

    assert (await waiting).mine.worker == "b"


async def left_behind(gateway: Gateway, worker: str) -> None:
    """Put a worker in line that waited at a gateway that is gone."""
    wish = Wish(worker, 0.05 * SECOND, ticket=f"of {worker}", gateway="gone")
    await gateway.home.acquire(LOCK, wish, queue=True)
    await gateway.looks()


async def test_one_behind_the_dead_looks_when_the_lease_and_when_their_offer_ends(gateway, tasks):
    await gateway.ask("a", ttl=0.05 * SECOND)
    for name in ("dead", "dead too"):
        await left_behind(gateway, name)
    waiting = await gateway.line_up(tasks, "b")

    gateway.clock.pass_(SECOND)
    await gateway.looks()
    offered = set(gateway.home.permits(LOCK).held)
    gateway.clock.pass_(SECOND)

    assert (await waiting).mine.worker == "b"
    assert offered == {"dead"}


async def test_when_the_foremost_gives_up_the_next_one_watches(gateway, tasks):
    await gateway.ask("a", ttl=0.05 * SECOND)
    await left_behind(gateway, "dead")
    foremost = await gateway.line_up(tasks, "b")
    waiting = await gateway.line_up(tasks, "c")

    foremost.cancel()
    await gateway.looks()
    gateway.clock.pass_(ALIVE)

    assert (await waiting).mine.worker == "c"


async def test_whose_time_has_passed_leaves_the_line(gateway):
    await gateway.ask("a")

    view = await gateway.ask("b", 0.01)

    assert (view.mine, view.place) == (None, None)
    assert not gateway.home.permits(LOCK).queue


async def test_a_cancelled_wait_leaves_the_line(gateway, tasks):
    await gateway.ask("a")
    waiting = await gateway.line_up(tasks, "b")

    waiting.cancel()
    await asyncio.wait({waiting})

    assert not gateway.home.permits(LOCK).queue


async def test_a_cancelled_wait_gives_back_what_it_was_granted_meanwhile(gateway, tasks):
    await gateway.ask("a")
    waiting = await gateway.line_up(tasks, "b")
    after = await gateway.line_up(tasks, "c")
    await gateway.free("a")

    waiting.cancel()

    assert (await after).mine.worker == "c"


async def test_a_cancelled_wait_takes_nothing_from_the_same_worker_that_came_back(gateway, tasks):
    await gateway.ask("a")
    lost = await gateway.line_up(tasks, "b")
    back = await gateway.line_up(tasks, "b")

    lost.cancel()
    await asyncio.wait({lost})
    await gateway.free("a")

    assert (await back).mine.worker == "b"


async def test_a_wait_that_is_cancelled_while_nothing_can_be_reached_is_cancelled(gateway, tasks):
    await gateway.ask("a")
    waiting = await gateway.line_up(tasks, "b")

    gateway.home.is_reached = False
    waiting.cancel()
    await asyncio.wait({waiting})

    assert waiting.cancelled()


async def test_a_lost_lease_says_who_holds_it_now(gateway):
    old = (await gateway.ask("a")).mine.token
    gateway.clock.pass_(TTL)
    await gateway.ask("b")

    said = f"token: expected .* found {old}; lock 'it' is held by 'b'"
    with pytest.raises(Conflict, match=said):
        await gateway.service.renew(LOCK, "a", old, TTL)
    with pytest.raises(Conflict, match=said):
        await gateway.service.release(LOCK, "a", old)


async def test_a_lease_that_nobody_took_says_so_when_it_is_lost(gateway):
    old = (await gateway.ask("a")).mine.token
    gateway.clock.pass_(TTL)

    with pytest.raises(Conflict, match="is held by nobody"):
        await gateway.service.renew(LOCK, "a", old, TTL)


async def test_many_holders_are_not_all_named(gateway):
    lease = Lease("run", LeaseKind.RWLOCK, "it")
    for i in range(7):
        await gateway.ask(f"r{i}", lease=lease, limit=ALL)

    with pytest.raises(Conflict, match=r"held by 'r0', 'r1', 'r2', 'r3', 'r4', \.\.\."):
        await gateway.service.renew(lease, "stranger", 1, TTL)


async def test_another_limit_names_both(gateway):
    lease = Lease("run", LeaseKind.SEMAPHORE, "it")
    await gateway.ask("a", lease=lease, limit=3)

    with pytest.raises(Conflict, match="limit: expected 3, as others use 'it', found 4"):
        await gateway.ask("b", lease=lease, limit=4)


async def test_other_permits_name_both(gateway):
    semaphore, shared = (
        Lease("run", kind, "it") for kind in (LeaseKind.SEMAPHORE, LeaseKind.RWLOCK)
    )
    await gateway.ask("a", lease=semaphore, limit=3, weight=2)
    await gateway.ask("a", lease=shared, limit=ALL)

    with pytest.raises(
        Conflict, match="permits: expected 2, as 'a' holds or waits for it, found 1"
    ):
        await gateway.ask("a", lease=semaphore, limit=3)
    with pytest.raises(Conflict, match=r"mode: expected read, as 'a' .*, found write"):
        await gateway.ask("a", lease=shared, limit=ALL, weight=ALL)


async def test_a_leader_hands_over_to_one_that_waits(gateway, tasks):
    await gateway.ask("a", lease=LEADER)
    first = await gateway.line_up(tasks, "b", LEADER)
    named = await gateway.line_up(tasks, "c", LEADER)

    await gateway.free("a", LEADER, heir="c")

    assert (await named).mine.worker == "c"
    first.cancel()


async def test_a_leader_cannot_hand_over_to_one_that_does_not_wait(gateway):
    await gateway.ask("a", lease=LEADER)

    with pytest.raises(Conflict, match="to: expected a worker that waits for 'it', found 'b'"):
        await gateway.free("a", LEADER, heir="b")


async def test_whoever_observes_is_told_at_once_of_another_leader_than_it_knew(gateway):
    token = (await gateway.ask("a", lease=LEADER)).mine.token

    views = [await gateway.service.observe(LEADER, known, LONG) for known in (None, 0, token - 1)]

    assert [view.leader.worker for view in views] == ["a"] * 3


async def test_whoever_observes_waits_for_the_next_leader_and_for_nobody(gateway, tasks):
    token = (await gateway.ask("a", lease=LEADER)).mine.token
    observing = await gateway.observe(tasks, token)

    await gateway.free("a", LEADER)
    assert (await observing).leader is None
    observing = await gateway.observe(tasks, 0)
    await gateway.ask("b", lease=LEADER)

    assert (await observing).leader.worker == "b"


async def test_whoever_observes_sees_that_a_lease_has_ended_without_being_told(gateway, tasks):
    token = (await gateway.ask("a", lease=LEADER, ttl=0.05 * SECOND)).mine.token
    observing = await gateway.observe(tasks, token)

    gateway.clock.pass_(SECOND)

    assert (await observing).leader is None


async def test_an_observation_ends_with_its_time(gateway):
    token = (await gateway.ask("a", lease=LEADER)).mine.token

    assert (await gateway.service.observe(LEADER, token, 0)).leader.token == token


@pytest.mark.parametrize(("run", "name", "field"), [("", "it", "run"), ("run", "a\nb", "name")])
def test_a_name_that_cannot_be_is_rejected_by_its_field(run, name, field):
    with pytest.raises(Rejected, match=f"^{field}: expected"):
        Lease.of(run, LeaseKind.LOCK, name)
