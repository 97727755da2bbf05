"""What every lock between syncs promises."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from syncsvc.catalogue.locks.file import FileLock
from syncsvc.catalogue.locks.lease import LeaseLock
from syncsvc.catalogue.ports import SyncLock
from syncsvc.coordination.leases.memory import MemoryLeases
from syncsvc.coordination.leases.redis import RedisLeases
from syncsvc.errors import Rejected
from syncsvc.stores.redis.scripts import Scripts, connect
from tests.contract.lease_homes import LIFE
from tests.support.builders import SECOND, Clock


@dataclass
class Door:
    """One lock as two processes see it."""

    ours: SyncLock
    theirs: SyncLock
    customer: str


@pytest.fixture(params=["file", "memory", "redis"])
async def door(request, tmp_path) -> AsyncIterator[Door]:
    customer = f"acme-{uuid.uuid4().hex[:8]}"
    if request.param == "file":
        path = tmp_path / "locks" / "sync.lock"
        yield Door(FileLock(path, Clock()), FileLock(path, Clock()), customer)
    elif request.param == "memory":
        leases = MemoryLeases(Clock())
        yield Door(LeaseLock(leases), LeaseLock(leases), customer)
    else:
        scripts = Scripts(connect(request.getfixturevalue("valkey_url")))
        leases = RedisLeases(scripts, LIFE)
        yield Door(LeaseLock(leases), LeaseLock(leases), customer)
        await scripts.close()


async def test_one_run_has_it_and_no_other(door):
    assert await door.ours.acquire(door.customer, "run-1") is not None

    assert await door.theirs.acquire(door.customer, "run-2") is None
    assert await door.ours.acquire(door.customer, "run-2") is None


async def test_customers_do_not_share_it(door):
    await door.ours.acquire(door.customer, "run-1")

    assert await door.theirs.acquire(f"{door.customer}-too", "run-2") is not None


async def test_a_run_that_has_it_gets_its_token_again(door):
    token = await door.ours.acquire(door.customer, "run-1")

    assert await door.ours.acquire(door.customer, "run-1") == token


async def test_what_was_given_back_is_free_with_another_token(door):
    token = await door.ours.acquire(door.customer, "run-1")

    await door.ours.release(door.customer, "run-1", token)

    again = await door.ours.acquire(door.customer, "run-2")
    assert again not in (None, token)


async def test_what_was_given_back_is_free_for_another_process(door):
    token = await door.ours.acquire(door.customer, "run-1")

    await door.ours.release(door.customer, "run-1", token)

    assert await door.theirs.acquire(door.customer, "run-2") is not None


async def test_only_its_run_with_its_token_gives_it_back(door):
    token = await door.ours.acquire(door.customer, "run-1")

    await door.ours.release(door.customer, "run-2", token)
    await door.ours.release(door.customer, "run-1", token + 1)

    assert await door.theirs.acquire(door.customer, "run-3") is None


async def test_giving_back_twice_takes_it_from_nobody(door):
    token = await door.ours.acquire(door.customer, "run-1")
    await door.ours.release(door.customer, "run-1", token)
    await door.theirs.acquire(door.customer, "run-2")

    await door.ours.release(door.customer, "run-1", token)

    assert await door.ours.acquire(door.customer, "run-3") is None


async def test_it_is_kept_by_its_run_and_by_no_other(door):
    token = await door.ours.acquire(door.customer, "run-1")

    assert await door.ours.renew(door.customer, "run-1", token)
    assert not await door.ours.renew(door.customer, "run-2", token)
    assert not await door.ours.renew(door.customer, "run-1", token + 1)


async def test_what_was_given_back_cannot_be_kept(door):
    token = await door.ours.acquire(door.customer, "run-1")
    await door.ours.release(door.customer, "run-1", token)

    assert not await door.ours.renew(door.customer, "run-1", token)


async def test_everybody_is_told_who_has_it(door):
    await door.ours.acquire(door.customer, "run-1")

    assert "run-1" in await door.theirs.holder(door.customer)


async def test_nobody_has_what_is_free(door):
    assert await door.ours.holder(door.customer) is None

    token = await door.ours.acquire(door.customer, "run-1")
    await door.ours.release(door.customer, "run-1", token)

    assert await door.ours.holder(door.customer) is None


@pytest.mark.parametrize("name", ["a", "A.b_c-9", "x" * 64])
async def test_every_name_that_a_customer_may_have_can_be_locked(door, name):
    token = await door.ours.acquire(name, "run-1")

    await door.ours.release(name, "run-1", token)

    assert token is not None


async def test_a_file_is_not_made_for_a_name_that_leaves_its_folder(tmp_path):
    with pytest.raises(Rejected, match=r"customer: expected 1 to 64 of letters.*'\.\./x'"):
        await FileLock(tmp_path / "sync.lock", Clock()).acquire("../x", "run-1")


async def test_a_lease_that_nobody_renews_is_free_after_its_term():
    clock = Clock()
    lock = LeaseLock(MemoryLeases(clock))
    token = await lock.acquire("acme", "run-1")
    clock.pass_(31 * SECOND)

    assert await lock.acquire("acme", "run-2") is not None
    assert not await lock.renew("acme", "run-1", token)


async def test_a_lease_that_is_renewed_lasts_for_hours():
    clock = Clock()
    lock = LeaseLock(MemoryLeases(clock))
    token = await lock.acquire("acme", "run-1")

    for _ in range(720):
        clock.pass_(10 * SECOND)
        assert await lock.renew("acme", "run-1", token)

    assert await lock.acquire("acme", "run-2") is None
