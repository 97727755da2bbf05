"""One sandbox for all tests here; each test has a world, and a folder for its catalogue."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.cluster.catalogue.home import Home, home
from tests.cluster.catalogue.world import Sandbox, World, running_sandbox

_NUMBERS = count(1)


@pytest.fixture(scope="package")
def sandbox(tmp_path_factory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


@pytest.fixture
def world(sandbox) -> World:
    """Give a world that nobody else has; it is empty until it is built."""
    return World(sandbox, f"token-{next(_NUMBERS)}")


@pytest.fixture
def alone(world, tmp_path) -> Home:
    """Give a home without Redis: whoever syncs there does it alone."""
    return home(tmp_path, testio_url=world.sandbox.testio, testio_token=world.token)
