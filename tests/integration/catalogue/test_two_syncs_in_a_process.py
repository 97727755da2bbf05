"""Two syncs of one customer in one process: the second waits, and nothing else does."""

import asyncio
import time

import pytest

from syncsvc.catalogue.model import IfRunning, RunStatus
from syncsvc.catalogue.service import Request
from syncsvc.sandbox.identities import TESTIO_TOKEN
from syncsvc.settings import Settings
from syncsvc.wiring.syncing import open_syncing
from tests.support.testio import a_catalogue

pytestmark = pytest.mark.alone  # it tells a loop that waits from a machine that does

LONGEST_STALL = 0.5  # seconds
TICK = 0.01


async def test_a_second_sync_in_a_process_waits_without_stalling_it(tmp_path):
    async with a_catalogue(products=3, features=2, tests=60) as catalogue:
        await catalogue.faults(latency=0.2)
        settings = Settings(data_dir=tmp_path, testio_url=catalogue.url, testio_token=TESTIO_TOKEN)
        syncing = await open_syncing(settings)
        ticking = asyncio.create_task(longest_stall())
        try:
            syncs, runs = syncing.syncs, asyncio.Event()
            told = Request(progress=lambda *_: runs.set())
            leading = asyncio.create_task(syncs.execute_sync(request=told))
            await asyncio.wait_for(runs.wait(), timeout=30)
            first, second, joined = await asyncio.gather(
                leading,
                syncs.execute_sync(),
                syncs.execute_sync(request=Request(if_running=IfRunning.JOIN)),
            )
        finally:
            ticking.cancel()
            stall = (await asyncio.gather(ticking, return_exceptions=True))[0]
            await syncing.close()

    assert {first.status, second.status, joined.status} == {RunStatus.SUCCESS}
    assert first.run_id != second.run_id
    assert joined.joined
    assert stall < LONGEST_STALL


async def longest_stall() -> float:
    """Tick until it is cancelled, and give how long the loop has let a tick wait at most."""
    longest = 0.0
    try:
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK)
            longest = max(longest, time.monotonic() - before - TICK)
    except asyncio.CancelledError:
        return longest
