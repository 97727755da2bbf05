"""All keys of a run are in one slot, so every command works on a server in cluster mode.

Such a server refuses a script that touches a second slot, or a key that it was not told of.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import redis

from syncsvc.coordination.connections.model import Count
from syncsvc.coordination.connections.redis import RedisConnections
from syncsvc.coordination.gate.model import Rate, Terms
from syncsvc.coordination.gate.redis import RedisTurns
from syncsvc.coordination.gate.service import TurnGate
from syncsvc.coordination.operations.operation import Caller
from syncsvc.runs.model import WorkerStatus
from syncsvc.runs.redis import RedisRosters
from syncsvc.settings import Settings
from syncsvc.stores.redis.scripts import Scripts, connect
from syncsvc.wiring.coordination import Coordination
from tests.support.operations import shapes_of_operations
from tests.support.valkey import OwnValkey, own_valkey
from tests.support.waiting import until

LEASE = {"ttl_seconds": 30}
STEPS = [
    ("checkpoint.wait", {"name": "start", "target": 1, "policy": "fail", "cyclic": True}),
    ("checkpoint.status", {"name": "start"}),
    ("checkpoint.leave", {"name": "start"}),
    ("checkpoint.abort", {"name": "never", "reason": "a test"}),
    ("checkpoint.reset", {"name": "never"}),
    *[
        (f"{kind}.acquire", {"name": "l", **LEASE, **more})
        for kind, more in (("lock", {}), ("rwlock", {"mode": "read"}), ("semaphore", {"limit": 2}))
    ],
    ("leader.campaign", {"name": "l", **LEASE}),
    ("leader.observe", {"name": "l", "wait_seconds": 0}),
    *[(f"{kind}.status", {"name": "l"}) for kind in ("lock", "rwlock", "semaphore")],
    *[
        (f"{kind}.renew", {"name": "l", **LEASE})
        for kind in ("lock", "rwlock", "semaphore", "leader")
    ],
    ("data.put", {"name": "k", "value": 1, "ttl_seconds": 60, "fence": "lock/l"}),
    ("data.get", {"name": "k"}),
    ("data.list", {}),
    ("data.watch", {"name": "k", "wait_seconds": 0}),
    ("data.delete", {"name": "k", "request": "once"}),
    *[(f"{kind}.release", {"name": "l"}) for kind in ("lock", "rwlock", "semaphore")],
    ("leader.resign", {"name": "l"}),
    ("counter.add", {"name": "n", "request": "once"}),
    ("counter.get", {"name": "n"}),
    ("counter.wait", {"name": "n", "at_least": 1, "wait_seconds": 0}),
    ("signal.send", {"name": "s"}),
    ("signal.wait", {"name": "s", "target": 1, "wait_seconds": 0}),
    ("signal.send_and_wait", {"name": "s", "target": 2, "wait_seconds": 0}),
    ("topic.publish", {"name": "t", "payload": {"a": 1}}),
    ("topic.read", {"name": "t"}),
    ("presence.join", {}),
    ("presence.beat", {}),
    ("presence.list", {}),
    ("presence.leave", {}),
]


@pytest.fixture
async def scripts(tmp_path: Path) -> AsyncIterator[Scripts]:
    with own_valkey(tmp_path, more="cluster-enabled yes\n") as server:
        await asyncio.to_thread(serve_all_slots, server)
        scripts = Scripts(connect(server.url))
        yield scripts
        await scripts.close()


def serve_all_slots(server: OwnValkey) -> None:
    with redis.Redis(unix_socket_path=str(server.socket)) as client:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        until(lambda: client.cluster("INFO")["cluster_state"] == "ok", "the cluster serves")


async def test_every_command_works_in_cluster_mode(scripts, tmp_path):
    coordination = Coordination.open(Settings(data_dir=tmp_path), scripts)
    running = asyncio.create_task(coordination.run())
    caller, tokens = Caller("a run {with} braces", "w1"), {}

    for name, given in STEPS:
        kind, _, verb = name.partition(".")
        content = msgspec.json.encode(with_token(verb, given, tokens.get(kind), tokens.get("lock")))
        reply = await coordination.operations[name].perform(caller, content)
        if verb in ("acquire", "campaign"):
            tokens[kind] = reply.token

    assert {name for name, _ in STEPS} == set(shapes_of_operations())
    running.cancel()
    await asyncio.wait({running})


def with_token(
    verb: str, content: dict[str, object], own: int | None, of_the_lock: int | None
) -> dict[str, object]:
    """Fill in the tokens of leases that were granted before."""
    if verb in ("renew", "release", "resign"):
        return {**content, "token": own}
    if "fence" in content:
        return {**content, "fence": {"lease": "lock/l", "token": of_the_lock}}
    return content


async def test_rosters_and_connection_counts_work_in_cluster_mode(scripts):
    limit, now = timedelta(minutes=1), datetime.now(UTC)
    rosters = RedisRosters(scripts, auto=True, idle_limit=limit, beat_silence=limit)
    counts = RedisConnections(scripts, limit, limit)

    assert (await rosters.register("a run", "w1", now))[0]
    _, mastership = await rosters.register("a run", "w2", now)
    assert mastership is not None
    assert await rosters.take_over("a run", "w2", mastership, now)
    await rosters.report("a run", "w2", WorkerStatus.COMPLETED, now)
    assert await rosters.get("a run")
    assert await counts.report("a run", Count("g1", 1, 1, 1))


async def test_gates_work_in_cluster_mode(scripts):
    second = timedelta(seconds=1)
    gate = TurnGate(RedisTurns(scripts), Terms(2, second, rate=Rate(1000, 10)))

    await gate.pause("https://{a}.example", second / 1000)
    async with gate.passing("https://{a}.example"):
        names = [name async for name in scripts.client.scan_iter("*")]

    assert names
    assert len({name.partition("}")[0] for name in names}) == 1
