"""Two gateways of their own processes, on one memory, for all tests here that kill neither."""

from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest

from tests.support.agents import Agent
from tests.support.fleet import Fleet, running_fleet

_NUMBERS = count(1)


@pytest.fixture(scope="package")
def fleet(tmp_path_factory) -> Iterator[Fleet]:
    with running_fleet(tmp_path_factory.mktemp("fleet")) as started:
        yield started


@pytest.fixture(autouse=True)
async def agents_closed() -> AsyncIterator[None]:
    """Leave no agent connected."""
    yield
    await Agent.close_all()


@pytest.fixture
def run() -> str:
    """Name a run that nobody has used."""
    return f"run-{next(_NUMBERS)}"
