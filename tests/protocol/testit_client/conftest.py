from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from syncsvc.adapters.testit.http import new_http
from syncsvc.sandbox.identities import TOKEN
from syncsvc.sandbox.server import running
from tests.protocol.testit_client.client import Client
from tests.support.plain_http import plain_http

PATIENCE = timedelta(seconds=30)
AUTHORISED = {"Authorization": f"PrivateToken {TOKEN}"}


@pytest.fixture(params=["/adapters", "/api/v2"])
def surface(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def client(surface: str) -> AsyncIterator[Client]:
    """Our client before a server that has this surface, and the official one in any case."""
    async with (
        running() as address,
        new_http(PATIENCE) as http,
        plain_http(address.url, headers=AUTHORISED) as side,
    ):
        client = Client(address.url, http, side)
        rules = {"adapters_surface": surface == "/adapters"}
        await client.arrange("PUT", "/__sandbox__/rules", rules)
        yield client
