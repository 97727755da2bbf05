"""Whoever holds a lease knows when it ends, and never believes in it longer than the server."""

import asyncio

import pytest

from syncsvc.client import LeaseLost, NotGranted, NotGrantedInTime
from syncsvc.errors import Conflict, Rejected, Unavailable

TTL = 1.5  # seconds; renewed three times in that


async def until_lost(lease) -> None:
    async with asyncio.timeout(10):
        await lease.lost.wait()


async def test_a_lock_is_held_by_one_and_then_by_the_next(run, other):
    order = []

    async def use(whose):
        async with whose.lock("database"):
            order.append(f"{whose.worker} in")
            await whose.counter("used").add()
            order.append(f"{whose.worker} out")

    await asyncio.gather(use(run), use(other))

    assert order in (
        ["w1 in", "w1 out", "w2 in", "w2 out"],
        ["w2 in", "w2 out", "w1 in", "w1 out"],
    )


async def test_tokens_grow_with_each_grant(run, other):
    async with run.lock("database") as first:
        pass
    async with other.lock("database") as second:
        pass

    assert 0 < first.token < second.token


async def test_a_lock_that_somebody_holds_is_not_granted_and_says_who_has_it(run, other):
    async with run.lock("database"):
        with pytest.raises(NotGranted, match="database: held by w1"):
            async with other.lock("database", wait=0):
                pass


async def test_waiting_for_a_lock_ends_in_time(run, other, clock):
    async with run.lock("database"):
        denied = asyncio.create_task(other.lock("database", wait=0.05).__aenter__())
        await asyncio.wait([denied, asyncio.create_task(_advance(clock, 1))])

        with pytest.raises(NotGrantedInTime, match=r"not granted in 0\.05 s; held by w1"):
            await denied


async def _advance(clock, seconds):
    clock.now += seconds


async def test_two_blocks_of_one_worker_keep_each_other_out_as_well(run):
    async with run.lock("database"):
        with pytest.raises(NotGranted):
            async with run.lock("database", wait=0):
                pass


async def test_a_lease_is_renewed_as_long_as_its_block_lasts(run, server):
    async with run.lock("database", ttl=TTL) as lease:
        await server.until_asked("lock.renew", 2)

        assert lease.held
        assert lease.check() == lease.token


async def test_a_lease_is_lost_at_once_by_the_clock_of_its_holder(run, clock):
    async def story():
        async with run.lock("database", ttl=30) as lease:
            clock.now += 29.5  # the process was stopped, say

            assert not lease.held
            with pytest.raises(LeaseLost):
                lease.check()

    with pytest.raises(LeaseLost, match="somebody else may hold it"):
        await story()


async def test_a_server_that_gave_the_lease_away_says_so_with_the_next_renewal(run, server):
    async def story():
        async with run.lock("database", ttl=TTL) as lease:
            server.leases.lose()
            await until_lost(lease)

    with pytest.raises(LeaseLost):
        await story()


async def test_a_lease_is_lost_before_its_end_when_the_server_is_away(run, server, clock):
    called = asyncio.Event()

    async def story():
        async with run.lock("database", ttl=TTL, on_lost=called.set) as lease:
            server.open = False
            server.cut()
            clock.now += TTL * 0.99
            await until_lost(lease)

    with pytest.raises(LeaseLost):
        await story()

    assert called.is_set()


async def test_a_lease_outlives_a_connection(run, server):
    async with run.lock("database", ttl=TTL) as lease:
        server.cut()
        await server.until_asked("lock.renew")

        assert lease.held


async def test_a_block_that_wants_it_is_ended_when_its_lease_is_lost(run, server):
    ended = []

    async def story():
        async with run.lock("database", ttl=TTL, cancel_when_lost=True):
            server.leases.lose()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append(True)
                raise

    with pytest.raises(LeaseLost):
        await story()

    assert ended == [True]
    assert asyncio.current_task().cancelling() == 0


async def test_a_cancellation_from_outside_stays_one(run, server):
    inside = asyncio.Event()

    async def story():
        async with run.lock("database", cancel_when_lost=True):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(story())
    await inside.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert len(server.commands("lock.release")) == 1


async def test_a_block_that_swallows_its_ending_is_told_in_the_end(run, server):
    async def story():
        async with run.lock("database", ttl=TTL, cancel_when_lost=True) as lease:
            server.leases.lose()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.Event().wait()
            assert lease.lost.is_set()

    with pytest.raises(LeaseLost):
        await story()

    assert asyncio.current_task().cancelling() == 0


async def test_what_goes_wrong_inside_is_told_before_the_loss(run, clock):
    async def story():
        async with run.lock("database", ttl=30):
            clock.now += 60
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await story()


async def test_a_lease_whose_server_is_away_ends_by_itself_without_an_error(run, server):
    async with run.lock("database", ttl=TTL) as lease:
        server.open = False
        server.cut()

    assert not lease.held


async def test_releasing_early_lets_the_next_in(run, other):
    async with run.lock("database") as lease:
        await lease.release()
        async with other.lock("database", wait=0):
            pass


async def test_what_waits_long_for_its_lease_counts_from_when_it_asks_again(
    run, other, server, clock
):
    async with run.lock("database") as first:
        waiting = asyncio.create_task(other.lock("database", ttl=30).__aenter__())
        await server.until_asked("lock.acquire", 2)
        clock.now += 25
        await first.release()
        second = await waiting

    assert second.held
    assert len(server.commands("lock.renew")) == 1
    await second.release()


async def test_a_name_whose_lease_was_lost_is_not_used_again(run, server, clock):
    with pytest.raises(LeaseLost):
        async with run.lock("database"):
            clock.now += 60

    with pytest.raises(NotGranted):
        async with run.lock("database", wait=0):
            pass

    assert [asked["worker"] for asked in server.commands("lock.acquire")] == ["w1", "w1+2"]


async def test_a_forked_child_does_not_hold_what_its_parent_holds(run, server):
    lease = await run.lock("database").__aenter__()

    run.begin_anew("child")

    assert not lease.held
    with pytest.raises(LeaseLost):
        await lease.__aexit__(None, None, None)
    assert server.commands("lock.release") == []


async def test_readers_share_and_a_writer_is_alone(run, other):
    async with run.rwlock("table").read(), other.rwlock("table").read():
        with pytest.raises(NotGranted):
            async with other.rwlock("table").write(wait=0):
                pass
        status = await run.rwlock("table").status()

    assert [holder.mode for holder in status.holders] == ["read", "read"]
    async with other.rwlock("table").write(wait=0):
        assert (await run.rwlock("table").status()).holders[0].mode == "write"


async def test_a_semaphore_is_held_by_so_many_at_a_time(run, other):
    async with run.semaphore("sessions", limit=3, permits=2), run.semaphore("sessions", limit=3):
        with pytest.raises(NotGranted):
            async with other.semaphore("sessions", limit=3, wait=0):
                pass
        status = await run.semaphore("sessions", limit=3).status()

    assert (status.permits, status.limit) == (3, 3)


async def test_another_limit_is_refused_in_the_words_of_the_server(run, other):
    async with run.semaphore("sessions", limit=3):
        with pytest.raises(Conflict, match="limit: expected 3"):
            async with other.semaphore("sessions", limit=4):
                pass


async def test_one_leads_and_others_see_who(run, other):
    seen = other.leader("master").observe()
    before = await anext(seen)
    async with run.leader("master").campaign() as lease:
        during = await anext(seen)
    after = await anext(seen)

    assert [found.leader for found in (before, during, after)] == [None, "w1", None]
    assert during.token == lease.token


async def test_a_leader_hands_over_to_the_one_it_names(run, other, server):
    async with run.leader("master").campaign() as lease:
        waiting = asyncio.create_task(other.leader("master").campaign().__aenter__())
        await server.until_asked("leader.campaign", 2)

        await lease.resign(to="w2")

        heir = await waiting
    assert (await run.leader("master").current()).leader == "w2"
    await heir.release()


async def test_a_resignation_that_the_server_refuses_leaves_the_leader_leading(run):
    async with run.leader("master").campaign() as lease:
        with pytest.raises(Conflict, match="to: expected a worker that waits"):
            await lease.resign(to="nobody")

        assert lease.held


async def test_a_term_of_nothing_is_refused(run):
    with pytest.raises(Rejected, match="ttl: expected more than 0 seconds, found 0"):
        run.lock("database", ttl=0)


async def test_giving_up_the_wait_for_a_lock_leaves_no_holder(run, other, server):
    async with run.lock("database"):
        waiting = asyncio.create_task(other.lock("database").__aenter__())
        await server.until_asked("lock.acquire", 2)
        waiting.cancel()
        await asyncio.wait([waiting])
        await server.until_asked("cancel")

        assert (await run.lock("database").status()).waiting == 0


async def test_a_lost_lease_fences_nothing(run, clock):
    async def story():
        async with run.leader("master").campaign() as lease:
            await run.data.put("schema", 1, fence=lease)
            clock.now += 60
            with pytest.raises(LeaseLost):
                await run.data.put("schema", 2, fence=lease)

    with pytest.raises(LeaseLost):
        await story()

    assert (await run.data.get("schema")).value == 1


async def test_an_older_leader_is_fenced_off(run, other):
    async with run.leader("master").campaign() as lease:
        await lease.resign()
        async with other.leader("master").campaign():
            lease._ended = False  # as if it had not noticed

            with pytest.raises(Conflict):
                await run.data.put("schema", 2, fence=lease)
            lease._ended = True


async def test_what_on_lost_raises_is_not_lost(run, server):
    def shout():
        raise Unavailable("heard")

    async def story():
        async with run.lock("database", ttl=TTL, on_lost=shout) as lease:
            server.leases.lose()
            await until_lost(lease)

    with pytest.raises(Unavailable, match="heard"):
        await story()


async def test_a_lock_is_taken_again_and_again_but_not_twice_at_once(run):
    lock = run.lock("database")
    async with lock:
        first = lock.token
    async with lock:
        assert lock.held
        with pytest.raises(Rejected, match="one block at a time"):
            await lock.__aenter__()

    assert lock.token > first
