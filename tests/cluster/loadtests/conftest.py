"""One sandbox and one house for all tests here; each test has TestRuns of its own."""

from collections.abc import Iterator

import pytest

from tests.cluster.catalogue.world import running_sandbox
from tests.cluster.loadtests.house import House, running_house


@pytest.fixture(scope="package")
def shared_house(tmp_path_factory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("load")
    with running_sandbox(folder) as sandbox, running_house(folder, sandbox) as started:
        yield started


@pytest.fixture
def house(shared_house) -> Iterator[House]:
    """Give the house with everything up and the job stopped, and leave it so."""
    shared_house.crew.is_complete()
    yield shared_house
    shared_house.sandbox.ask("DELETE", "/faults")
    shared_house.turn_is_over()
    shared_house.stops()
