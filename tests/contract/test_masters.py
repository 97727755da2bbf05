"""The master of a run holds a lease like any other: it lives by beats, ends, and is observed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from syncsvc.coordination.leases.memory import MemoryLeases
from syncsvc.coordination.leases.model import OFFER, Holder, Wish
from syncsvc.coordination.leases.ports import Leases
from syncsvc.coordination.leases.redis import RedisLeases
from syncsvc.runs.memory import MemoryRosters
from syncsvc.runs.model import Mastership, WorkerStatus, master_lease
from syncsvc.runs.ports import Rosters
from syncsvc.runs.redis import RedisRosters
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.scripts import Scripts, connect
from tests.support.builders import LIVENESS, MINUTE, NOON, SECOND, Clock
from tests.support.listening import listening

REGISTERED, IN_PROGRESS, COMPLETED = WorkerStatus
TERMS = {"idle_limit": LIVENESS.idle_limit, "beat_silence": LIVENESS.beat_silence}


@dataclass
class Party:
    """The workers of a run, and those who observe or want its mastership by other ways."""

    rosters: Rosters
    leases: Leases
    run: str
    pass_: Callable[[timedelta], None]
    clock: Clock
    heard: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)

    @property
    def now(self) -> datetime:
        return self.clock()

    async def register(self, worker: str) -> tuple[bool, Mastership | None]:
        return await self.rosters.register(self.run, worker, self.now)

    async def report(self, worker: str, status: WorkerStatus | None = None) -> None:
        await self.rosters.report(self.run, worker, status, self.now)

    async def begin(self, worker: str) -> None:
        await self.register(worker)
        await self.report(worker, IN_PROGRESS)

    async def take_over(self, worker: str, mastership: Mastership | None) -> bool:
        assert mastership is not None
        return await self.rosters.take_over(self.run, worker, mastership, self.now)

    async def campaign(self, worker: str) -> None:
        wish = Wish(worker, timedelta(minutes=50), ticket=f"of {worker}")
        await self.leases.acquire(master_lease(self.run), wish, queue=True)

    async def give_up(self, worker: str) -> None:
        """Give up campaigning."""
        lease, ticket = master_lease(self.run), f"of {worker}"
        await self.leases.withdraw(lease, worker, ticket, release=True)

    async def leader(self) -> Holder | None:
        return (await self.leases.look(master_lease(self.run))).leader

    async def leads(self) -> str | None:
        leader = await self.leader()
        return leader.worker if leader else None

    async def hear(self) -> str:
        return await asyncio.wait_for(self.heard.get(), 10)

    def announced(self, subject: str, body: str) -> None:
        if subject == master_lease(self.run).subject:
            self.heard.put_nowait(body)

    def began(self, *, lost: bool) -> None:
        """Nothing was missed: it begins before the test."""

    async def token(self) -> int:
        roster = await self.rosters.get(self.run)
        assert roster is not None
        assert roster.token is not None
        return roster.token


@pytest.fixture(params=["memory", "redis"])
async def party(request, run_id) -> AsyncIterator[Party]:
    clock = Clock()
    if request.param == "memory":
        leases = MemoryLeases(clock)
        rosters = MemoryRosters(auto=True, leases=leases, **TERMS)
        party = Party(rosters, leases, run_id, clock.pass_, clock)
        leases.announce = party.announced
        yield party
        return
    scripts = Scripts(connect(request.getfixturevalue("valkey_url")))
    stored = RedisRosters(scripts, auto=True, **TERMS)
    kept = RedisLeases(scripts, timedelta(hours=12))

    def pass_(time: timedelta) -> None:
        clock.pass_(time)
        stored.clock_shift = kept.clock_shift = clock() - NOON

    party = Party(stored, kept, run_id, pass_, clock)
    async with listening(scripts, party):
        yield party


async def test_the_master_leads_its_run(party):
    await party.begin("a")

    leader = await party.leader()

    assert (leader.worker, leader.token) == ("a", await party.token())


async def test_each_sign_of_life_keeps_the_mastership(party):
    await party.begin("a")
    for _ in range(5):
        party.pass_(20 * MINUTE)
        await party.report("a", IN_PROGRESS)

    assert await party.leads() == "a"
    assert (await party.leader()).ends_in > 29 * MINUTE


async def test_the_mastership_of_one_that_beats_ends_sooner(party):
    await party.begin("a")
    await party.report("a")
    party.pass_(2 * MINUTE + SECOND)

    _, gives_way = await party.register("b")

    assert await party.leads() is None
    assert gives_way.worker == "a"
    assert await party.take_over("b", gives_way)
    assert await party.leads() == "b"


async def test_a_master_that_has_completed_leads_no_more(party):
    await party.begin("a")

    await party.report("a", COMPLETED)
    await party.report("a", COMPLETED)

    assert await party.leads() is None
    assert (await party.rosters.get(party.run)).master == "a"


async def test_a_master_that_has_completed_hands_over_to_the_next_in_line(party):
    await party.begin("a")
    await party.campaign("next")
    await party.hear()

    await party.report("a", COMPLETED)

    assert await party.hear() == str(await party.token())
    assert await party.leads() == "next"


async def test_a_worker_that_completes_hands_nothing_over(party):
    await party.begin("a")
    await party.begin("b")

    await party.report("b", COMPLETED)

    assert await party.leads() == "a"


async def test_a_master_that_goes_on_after_all_leads_again_by_a_larger_token(party):
    await party.begin("a")
    before = await party.token()
    await party.report("a", COMPLETED)

    await party.report("a", IN_PROGRESS)

    assert await party.leads() == "a"
    assert await party.token() > before


async def test_each_master_has_a_larger_token_than_the_one_before(party):
    await party.register("a")
    tokens = [await party.token()]
    for heir in "bcd":
        _, gives_way = await party.register(heir)
        await party.take_over(heir, gives_way)
        tokens.append(await party.token())

    assert tokens == sorted(set(tokens))
    assert await party.leads() == "d"


async def test_an_heir_of_an_earlier_time_of_the_same_master_is_too_late(party):
    await party.register("a")
    _, early = await party.register("late")
    _, gives_way = await party.register("b")
    await party.take_over("b", gives_way)
    _, gives_way = await party.register("a")
    await party.take_over("a", gives_way)

    assert early.worker == "a"
    assert not await party.take_over("late", early)
    assert await party.leads() == "a"


async def test_a_master_that_begins_before_its_heir_takes_over_stays(party):
    await party.register("a")
    _, gives_way = await party.register("b")
    await party.report("a", IN_PROGRESS)

    assert not await party.take_over("b", gives_way)
    assert await party.leads() == "a"


async def test_taking_over_twice_is_harmless(party):
    await party.register("a")
    _, gives_way = await party.register("b")

    assert [await party.take_over("b", gives_way) for _ in range(2)] == [True, True]


async def test_one_that_leads_by_its_own_wish_does_not_give_way(party):
    await party.campaign("outsider")

    assert await party.register("a") == (False, None)
    assert await party.leads() == "outsider"


async def test_one_that_resigned_gives_way(party):
    await party.begin("a")
    token = await party.token()
    await party.leases.release(master_lease(party.run), "a", token, None)

    _, gives_way = await party.register("b")

    assert gives_way == Mastership("a", token)


async def test_one_that_waits_to_lead_may_become_master_first(party):
    await party.register("a")
    await party.campaign("b")
    _, gives_way = await party.register("b")

    await party.take_over("b", gives_way)

    view = await party.leases.look(master_lease(party.run))
    assert (view.leader.worker, view.waiters) == ("b", 0)


@pytest.mark.parametrize("ways", ["campaign register", "register campaign"])
async def test_one_that_gives_up_campaigning_stays_master(party, ways):
    for way in ways.split():
        await getattr(party, way)("a")

    await party.give_up("a")

    assert await party.leads() == "a"


@pytest.mark.parametrize("way", ["register", "report", "take_over"])
async def test_one_that_is_offered_to_lead_claims_it_as_a_worker_too(party, way):
    await party.register("a")
    _, gives_way = await party.register("b")
    await party.campaign("b")
    await party.report("a", COMPLETED)

    await getattr(party, way)("b", *[gives_way][: way == "take_over"])
    party.pass_(OFFER)

    assert await party.leads() == "b"


async def test_the_next_in_line_that_does_not_claim_the_mastership_gives_way(party):
    await party.begin("a")
    await party.campaign("dead")
    await party.report("a", COMPLETED)
    party.pass_(OFFER)

    _, gives_way = await party.register("b")

    assert gives_way.worker == "dead"
    assert await party.take_over("b", gives_way)
    assert await party.leads() == "b"


async def test_a_silent_master_that_comes_back_leads_again_unless_another_does(party):
    await party.begin("a")
    before = await party.token()
    party.pass_(LIVENESS.idle_limit)

    await party.report("a", IN_PROGRESS)

    assert await party.leads() == "a"
    assert await party.token() > before


async def test_a_silent_master_that_comes_back_late_leaves_another_alone(party):
    await party.begin("a")
    party.pass_(LIVENESS.idle_limit)
    _, gives_way = await party.register("b")
    await party.take_over("b", gives_way)

    await party.report("a", IN_PROGRESS)

    assert await party.leads() == "b"


async def test_whoever_observes_is_told_of_each_master(party):
    await party.begin("a")
    first = await party.token()
    party.pass_(LIVENESS.idle_limit)
    _, gives_way = await party.register("b")
    await party.take_over("b", gives_way)
    await party.report("b", COMPLETED)

    told = [await party.hear() for _ in range(4)]
    assert told == [str(first), "", str(await party.token()), ""]


async def test_looking_never_shortens_what_is_kept(valkey_url, run_id):
    scripts = Scripts(connect(valkey_url))
    await RedisRosters(scripts, auto=True, **TERMS).register(run_id, "a", NOON)

    await RedisLeases(scripts, life=SECOND).look(master_lease(run_id))

    terms, *_ = keys.lease_keys(run_id, "leader", "master")
    assert await scripts.client.pttl(terms.name) > 23 * 3_600_000
    await scripts.close()
