from collections.abc import AsyncIterator

import pytest

from syncsvc.sandbox.kubernetes.clusters import Kubernetes
from syncsvc.sandbox.server import running
from tests.protocol.kubernetes_client.world import World
from tests.support.plain_http import plain_http


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A cluster that stands still unless it is told, and one that arranges what it does."""
    async with (
        running(kubernetes=Kubernetes(factor=0)) as address,
        plain_http(address.url) as side,
    ):
        world = World(address.url, side)
        yield world
        await world.close()
