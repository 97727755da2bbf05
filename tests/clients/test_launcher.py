"""The published testit-adapter-pytest starts our executable itself, offline, and is content."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.launched import launchable, log_of
from tests.clients.outcome import (
    assert_closed_once_after_the_last_result,
    assert_content,
    assert_nothing_is_lost,
)
from tests.support.ports import own_port

pytestmark = [
    pytest.mark.clients,
    pytest.mark.timeout(240),  # the first one makes an environment
]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    with launchable(tmp_path) as prepared:
        yield prepared


@pytest.mark.parametrize("processes", [[], ["-n", "2"]], ids=["single", "xdist"])
def test_the_adapter_starts_it_and_its_run_closes_once(adapter, stack, project, processes):
    run_id = stack.new_run()
    port = str(own_port())

    session = adapter.run(
        stack,
        project,
        *processes,
        adapter_mode="1",
        test_run_id=run_id,
        sync_storage_port=port,
    )

    run = stack.closed(run_id)
    assert f"asked for by run {run_id}" in log_of(project)
    assert_content(session)
    assert_nothing_is_lost(run)
    assert_closed_once_after_the_last_result(run)
    assert [each for each in run["results"] if each["history"][0]["to"] == "InProgress"]
