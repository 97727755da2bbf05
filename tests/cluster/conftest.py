"""One stack of real processes for all tests here that need nothing special of it.

Each test plays a run of its own, waits until everything has come back, and leaves no fault on.
"""

from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, running_stack
from tests.support.waiting import until

SETTINGS = {
    "quiet_period": "500ms",
    "testit_timeout": "1s",
    "idle_limit": "4s",  # a worker that is to be waited for longer sends a beat
}
PROCESSES = ("valkey", "gateway", "beat", "worker", "flower", "sandbox")


@pytest.fixture(scope="package")
def shared_stack(tmp_path_factory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with running_stack(folder, **SETTINGS) as started:
        yield started


@pytest.fixture
def stack(shared_stack) -> Stack:
    """Give the shared stack with everything up."""
    until(lambda: all(map(shared_stack.pid, PROCESSES)), "every process runs", 60)
    until(shared_stack.is_ready, "the gateway is ready", 60)
    return shared_stack
