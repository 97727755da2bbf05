"""The commands of locks, read-write locks, semaphores and leaders."""

from itertools import count
from typing import Any

import msgspec
import pytest

from syncsvc.coordination.leases.memory import MemoryLeases
from syncsvc.coordination.leases.service import LeaseService
from syncsvc.coordination.operations.leases import lease_operations
from syncsvc.coordination.operations.operation import Caller
from syncsvc.coordination.signals import Signals
from syncsvc.errors import Conflict, Rejected
from tests.support.builders import Clock


class Commands:
    """Gives commands as a connection does."""

    def __init__(self) -> None:
        signals, numbers = Signals(), count()
        home = MemoryLeases(Clock(), signals.announced)
        service = LeaseService(home, signals, lambda: str(next(numbers)))
        self.operations = lease_operations(service)

    async def __call__(self, command: str, worker: str | None = "a", **content: Any) -> Any:
        body = msgspec.json.encode({"name": "it", **content})
        reply = await self.operations[command].perform(Caller("run", worker), body)
        return msgspec.json.decode(msgspec.json.encode(reply))


@pytest.fixture
def do() -> Commands:
    return Commands()


def test_every_command_has_its_name_and_says_what_it_does(do):
    kept = {f"{kind}.{verb}" for kind in ("lock", "rwlock", "semaphore") for verb in KEPT}
    led = {f"leader.{verb}" for verb in ("campaign", "renew", "resign", "observe")}

    assert set(do.operations) == kept | led
    assert all(each.name == name and each.summary for name, each in do.operations.items())


KEPT = ("acquire", "renew", "release", "status")


async def test_a_lock_is_acquired_renewed_and_released(do):
    held = await do("lock.acquire", ttl_seconds=10)
    renewed = await do("lock.renew", token=held["token"], ttl_seconds=20)
    released = [await do("lock.release", token=held["token"]) for _ in range(2)]

    holder = {"worker": "a", "token": held["token"], "permits": 1, "mode": None}
    assert held == {
        "name": "it",
        "granted": True,
        "token": held["token"],
        "expires_in_seconds": 10.0,
        "holders": [{**holder, "expires_in_seconds": 10.0}],
        "position": None,
    }
    assert renewed == {"name": "it", "token": held["token"], "expires_in_seconds": 20.0}
    assert released == [{"name": "it", "token": held["token"]}] * 2


async def test_one_that_is_not_granted_is_told_so(do):
    await do("lock.acquire")

    refused = await do("lock.acquire", "b")

    assert (refused["granted"], refused["token"], refused["expires_in_seconds"]) == (
        False,
        None,
        None,
    )
    assert [holder["worker"] for holder in refused["holders"]] == ["a"]


async def test_readers_share_and_a_writer_does_not(do):
    read = await do("rwlock.acquire", "a", mode="read")
    shared = await do("rwlock.acquire", "b", mode="read")
    refused = await do("rwlock.acquire", "c", mode="write")

    assert (read["granted"], shared["granted"], refused["granted"]) == (True, True, False)
    assert [holder["mode"] for holder in refused["holders"]] == ["read", "read"]


@pytest.mark.parametrize(("mode", "workers"), [("read", "ab"), ("write", "a")])
async def test_the_status_of_a_read_write_lock_counts_its_holders(do, mode, workers):
    for worker in workers:
        await do("rwlock.acquire", worker, mode=mode)

    status = await do("rwlock.status")

    assert (status["permits"], status["limit"]) == (len(workers), None)


async def test_a_semaphore_counts_permits(do):
    await do("semaphore.acquire", "a", limit=3, permits=2)
    refused = await do("semaphore.acquire", "b", limit=3, permits=2)
    status = await do("semaphore.status")

    assert not refused["granted"]
    assert (status["limit"], status["permits"], status["waiting"]) == (3, 2, 0)


async def test_a_name_that_nobody_uses_has_a_status(do):
    assert await do("lock.status", None) == {
        "name": "it",
        "limit": None,
        "permits": 0,
        "holders": [],
        "waiting": 0,
    }


async def test_a_leader_is_observed(do):
    nobody = await do("leader.observe", None)
    led = await do("leader.campaign", ttl_seconds=5)
    seen = await do("leader.observe", None, after_token=nobody["token"], wait_seconds=60)
    same = await do("leader.observe", None, after_token=seen["token"])

    assert (nobody["leader"], nobody["token"], nobody["changed"]) == (None, 0, True)
    assert seen == {
        "name": "it",
        "leader": "a",
        "token": led["token"],
        "expires_in_seconds": 5.0,
        "changed": True,
    }
    assert not same["changed"]


async def test_a_leader_resigns(do):
    token = (await do("leader.campaign"))["token"]
    await do("leader.renew", token=token)

    await do("leader.resign", token=token)

    assert (await do("leader.observe", None))["leader"] is None


async def test_a_leader_resigns_only_to_one_that_waits(do):
    token = (await do("leader.campaign"))["token"]

    with pytest.raises(Conflict, match="to: expected"):
        await do("leader.resign", token=token, to="b")
    with pytest.raises(Rejected, match="to: expected"):
        await do("leader.resign", token=token, to="")


@pytest.mark.parametrize(
    ("command", "content", "field"),
    [
        ("lock.acquire", {"ttl_seconds": 0.4}, "ttl_seconds"),
        ("lock.acquire", {"ttl_seconds": 3601}, "ttl_seconds"),
        ("lock.acquire", {"wait_seconds": -1}, "wait_seconds"),
        ("lock.acquire", {"name": ""}, "name"),
        ("lock.acquire", {"name": "x" * 1_000_000}, "name"),
        ("lock.acquire", {"worker": "a\nb"}, "worker"),
        ("lock.acquire", {"mode": "read"}, "mode"),
        ("lock.renew", {}, "token"),
        ("lock.release", {"token": "1"}, "token"),
        ("lock.release", {"token": 2**60}, "token"),
        ("rwlock.acquire", {"mode": "append"}, "mode"),
        ("rwlock.acquire", {}, "mode"),
        ("semaphore.acquire", {"limit": 0}, "limit"),
        ("semaphore.acquire", {"limit": 10**30}, "limit"),
        ("semaphore.acquire", {"limit": 2, "permits": 3}, "permits"),
        ("semaphore.acquire", {"limit": 2, "permits": 0}, "permits"),
    ],
)
async def test_what_cannot_be_is_rejected_by_its_field(do, command, content, field):
    with pytest.raises(Rejected, match=f"^{field}: "):
        await do(command, **content)


async def test_whoever_holds_has_a_name(do):
    with pytest.raises(Rejected, match="worker: expected the name"):
        await do("lock.acquire", None)
