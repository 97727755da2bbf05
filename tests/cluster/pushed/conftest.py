"""Four task workers on one stack; each test plays runs of its own and leaves no fault on."""

from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, running_stack
from tests.support.waiting import until

SETTINGS = {"testit_timeout": "3s", "quiet_period": "500ms"}
PROCESSES = ("valkey", "gateway", "beat", "worker-1", "worker-2", "worker-3", "worker-4", "sandbox")


@pytest.fixture(scope="package")
def four_workers(tmp_path_factory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("pushed")
    with running_stack(folder, "--workers", "4", **SETTINGS) as started:
        yield started


@pytest.fixture
def stack(four_workers) -> Stack:
    """Give the shared stack with everything up."""
    until(lambda: all(map(four_workers.pid, PROCESSES)), "every process runs", within=60)
    until(four_workers.is_ready, "the gateway is ready", 60)
    return four_workers
