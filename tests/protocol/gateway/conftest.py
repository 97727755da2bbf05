"""A gateway over real HTTP: the product's own server, SQLite, and an embedded Valkey."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from syncsvc.settings import Settings
from syncsvc.wiring.gateway import Gateway
from tests.support.plain_http import plain_http

PATIENCE = 60  # seconds


@pytest.fixture
def settings(tmp_path: Path, valkey_url: str) -> Settings:
    return Settings(
        data_dir=tmp_path,
        redis_url=valkey_url,
        api_port=0,
        sync_storage_port=0,
        testsync_http_port=0,
        testsync_ws_port=0,
        testit_url="http://127.0.0.1:9",
        testit_token="configured",
    )


@pytest.fixture
async def gateway(settings: Settings, migrated: Path) -> AsyncIterator[Gateway]:
    shutil.copy(migrated, settings.data_dir / "syncsvc.db")
    started = asyncio.Event()
    serving = Gateway.open(settings)
    task = asyncio.create_task(serving.serve(started.set))
    await asyncio.wait_for(started.wait(), PATIENCE)
    yield serving
    serving.stop()
    await asyncio.wait_for(task, PATIENCE)


@pytest.fixture
async def storage(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to Sync Storage, as an adapter does."""
    async with plain_http(
        f"http://localhost:{gateway.sync_storage_port}", timeout=PATIENCE
    ) as client:
        yield client


@pytest.fixture
async def api(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with plain_http(f"http://localhost:{gateway.api_port}", timeout=PATIENCE) as client:
        yield client
