from collections.abc import AsyncIterator

import pytest

from syncsvc.sandbox.server import running
from syncsvc.sandbox.testio.recipe import Recipe
from syncsvc.sandbox.testio.worlds import TestIo
from tests.protocol.testio_client.client import Client
from tests.support.plain_http import plain_http


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Our client before a TestIO of three products, and one that arranges what it does."""
    async with (
        running(testio=TestIo(Recipe(products=3, features=4, tests=30, stories=2))) as address,
        plain_http(address.url) as side,
        Client.of(address.url, side) as client,
    ):
        yield client
