"""The client library against the gateway itself: what two workers of a run do with each other."""

import asyncio
import os
import secrets
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from syncsvc.client import (
    CheckpointAborted,
    CheckpointTimedOut,
    NotGranted,
    Run,
    TimedOut,
    connect,
)
from syncsvc.errors import Conflict, Rejected, Unknown
from syncsvc.settings import Settings
from syncsvc.wiring.gateway import Gateway
from tests.support.ports import own_port


@asynccontextmanager
async def served(settings: Settings, migrated: Path) -> AsyncIterator[Gateway]:
    """A gateway that ends with the block, as one that is restarted does."""
    shutil.copy(migrated, settings.data_dir / "syncsvc.db")
    started = asyncio.Event()
    serving = Gateway.open(settings)
    task = asyncio.create_task(serving.serve(started.set))
    await asyncio.wait_for(started.wait(), 60)
    yield serving
    serving.stop()
    await asyncio.wait_for(task, 60)


@pytest.fixture
def url(gateway) -> str:
    if getattr(gateway, "testsync_ws_port", None) is None:
        pytest.skip("the gateway does not serve WebSocket yet")
    return f"ws://127.0.0.1:{gateway.testsync_ws_port}"


@pytest.fixture
def name() -> str:
    """A run of this test's own, as TestSync would number it."""
    return str(secrets.randbelow(10**15))


@pytest.fixture
async def one(url: str, name: str) -> AsyncIterator[Run]:
    async with connect(url, run=name, worker="w1") as run:
        yield run


@pytest.fixture
async def two(url: str, name: str) -> AsyncIterator[Run]:
    async with connect(url, run=name, worker="w2") as run:
        yield run


async def test_workers_meet_and_are_given_one_moment_to_start(one, two):
    first, second = await asyncio.gather(
        one.checkpoint("start").wait(target=2), two.checkpoint("start").wait(target=2)
    )

    assert first.start_at == second.start_at is not None
    assert (await one.checkpoint("start").wait(target=2)).outcome == "late"


async def test_workers_meet_again_and_again(one, two):
    async def rounds(run: Run) -> list[int]:
        checkpoint = run.checkpoint("round")
        return [(await checkpoint.wait(target=2, cyclic=True)).generation for _ in range(10)]

    generations = await asyncio.gather(rounds(one), rounds(two))

    assert generations == [list(range(1, 11))] * 2


async def test_a_checkpoint_that_fails_says_how(one, two):
    with pytest.raises(CheckpointTimedOut, match="1 of 2 arrived"):
        await one.checkpoint("never").wait(target=2, timeout=0.1)

    waiting = asyncio.create_task(one.checkpoint("start").wait(target=2))
    status = await two.checkpoint("start").status()
    while not status.arrived:
        status = await two.checkpoint("start").status()
    await two.checkpoint("start").abort("no database")
    with pytest.raises(CheckpointAborted, match="no database"):
        await waiting
    assert [arrival.worker for arrival in status.arrived] == ["w1"]


async def test_leases_keep_others_out_and_fence_them_off(one, two):
    async with one.lock("database") as lease:
        with pytest.raises(NotGranted, match="held by w1"):
            await two.lock("database", wait=0).__aenter__()
        await one.data.put("schema", 1, fence=lease)
        stale = lease.token
    async with two.lock("database") as lease:
        assert lease.token > stale
        await two.data.put("schema", 2, fence=lease)
    async with one.rwlock("table").read(), two.rwlock("table").read():
        pass
    async with one.semaphore("seats", limit=2), two.semaphore("seats", limit=2) as lease:
        assert {holder.worker for holder in (await lease.status()).holders} == {"w1", "w2"}


async def test_a_leader_hands_over(one, two):
    changes = two.leader("master").observe()
    seen = [(await anext(changes)).leader]
    async with one.leader("master").campaign():
        seen.append((await anext(changes)).leader)

    seen.append((await anext(changes)).leader)
    assert seen == [None, "w1", None]


async def test_counts_and_signals_are_shared(one, two):
    waiting = asyncio.create_task(one.counter("n").wait(at_least=3))
    await two.counter("n").add(3)

    assert await waiting == 3
    places = await asyncio.gather(
        one.signal("ready").send_and_wait(2), two.signal("ready").send_and_wait(2)
    )
    assert sorted(places) == [1, 2]
    with pytest.raises(TimedOut):
        await one.signal("ready").wait(3, timeout=0)


async def test_topics_and_data_are_followed(one, two):
    entries, changes = two.topic("log").read(), two.data.watch("key")
    coming = asyncio.gather(anext(entries), anext(changes))
    await one.topic("log").publish({"n": None})
    version = await one.data.put("key", [1])

    entry, change = await coming

    assert (entry.payload, change.value, change.version) == ({"n": None}, [1], version)
    with pytest.raises(Conflict):
        await two.data.put_if("key", 2, 0)
    assert [each.name for each in await two.data.list()] == ["key"]
    await two.data.delete("key")
    with pytest.raises(Unknown):
        await one.data.get("key")


async def test_who_attends_is_present_and_who_looks_on_is_not(one, two, url, name):
    async with connect(url, run=name, attend=False) as onlooker:
        async for workers in onlooker.watch_workers():
            if len(workers) == 2:
                break

    assert [each.worker for each in workers] == ["w1", "w2"]
    assert {one.worker, two.worker} == {"w1", "w2"}


async def test_a_worker_says_something_about_itself(one, two):
    while "w1" not in {each.worker for each in await two.workers()}:
        pass  # its connection says that it is here, and nothing about it

    async with one.presence({"role": "driver"}):
        present = {each.worker: each.about for each in await two.workers()}

    assert present["w1"] == {"role": "driver"}


async def test_test_data_is_that_of_testsync(one, two):
    await one.test_data.update({"a": 1})

    assert await two.test_data.read() == b'{"a":1}'
    assert await one.test_data.connections() == 2


async def test_what_is_wrong_is_said_in_the_servers_words(one):
    with pytest.raises(Rejected, match="target"):
        await one.checkpoint("start").wait(target=0)


async def test_commands_speak_to_the_gateway(url, name):
    ours = [sys.executable, "-m", "syncsvc"]
    variables = {**os.environ, "SYNCSVC_SERVER": url, "SYNCSVC_RUN": name}
    write = [*ours, "data", "put", "schema", "42", "--fence", "leader/m"]

    process = await asyncio.create_subprocess_exec(
        *ours, "leader", "campaign", "m", "--", *write, env=variables, stdout=PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 100)

    assert process.returncode == 0
    async with connect(url, run=name, attend=False) as run:
        item = await run.data.get("schema")
    assert (item.value, item.version) == (42, int(out))


async def test_waits_and_leases_outlive_a_restart_of_the_gateway(settings, migrated, name):
    port = own_port()  # nobody takes it meanwhile
    settings = settings.model_copy(update={"testsync_ws_port": port})
    async with served(settings, migrated):
        run = connect(f"ws://127.0.0.1:{port}", run=name, worker="w1")
        await run.open()
        lease = await run.lock("database", ttl=60).__aenter__()
        waiting = asyncio.create_task(run.checkpoint("start").wait(target=2, policy="fail"))
        while not (await run.checkpoint("start").status()).arrived:
            pass

    async with served(settings, migrated) as second:
        assert second.testsync_ws_port == port
        async with connect(f"ws://127.0.0.1:{port}", run=name, worker="w2") as other:
            await other.checkpoint("start").wait(target=2, policy="fail")

        assert (await waiting).passed
        assert lease.held
        await lease.release()
        await run.close()
