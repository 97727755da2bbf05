"""A log of thirty megabytes costs a task worker little memory, and its head and tail are kept."""

from datetime import timedelta
from pathlib import Path

import pytest

from syncsvc.loadtests.model import LogsState
from syncsvc.loadtests.ports import KeptLog
from syncsvc.loadtests.showing import WhichLogs
from syncsvc.wiring.loadtests import Watch
from syncsvc.wiring.moments import now
from tests.cluster.catalogue.crew import Life

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(360)]

LINES = 100_000  # at once, of about a hundred bytes, each a millisecond after the other
GAP = timedelta(seconds=LINES / 1000)
MEGABYTE = 1_000_000
MOST = 200 * MEGABYTE  # of memory
CAP = 20 * MEGABYTE  # as the settings have it


def test_thirty_megabytes_of_one_container_are_cut_in_little_memory(house):
    house.has_run("large", parallelism=1)
    for part in range(3):
        house.emit("large", LINES, at=(now() + part * GAP).isoformat())
    house.kubernetes("POST", "/step", {"name": "large", "until": "end"})

    house.polls_every(timedelta(minutes=1))
    step = house.has_settled("large")

    log = house.here(the_log)
    key = (log.source.pod, log.source.container)
    kept, emitted = house.kept("large")[key], house.emitted("large")[key]
    assert step.logs is LogsState.COMPLETE
    assert log.left_out is not None
    assert len(emitted) > 30 * MEGABYTE
    assert len(kept) == len(emitted) - log.left_out.size <= CAP
    assert kept[: 3 * MEGABYTE] == emitted[: 3 * MEGABYTE]
    assert kept[-15 * MEGABYTE :] == emitted[-15 * MEGABYTE :]
    assert [peak for worker in house.crew.workers if (peak := memory(worker)) > MOST] == []


async def the_log(watch: Watch) -> KeptLog:
    step = await watch.showing.step("large")
    [log] = await watch.showing.kept(step, WhichLogs(runner=1))
    return log


def memory(worker: Life) -> int:
    """Give the most memory that a process has had, in bytes."""
    assert worker.process is not None
    told = Path(f"/proc/{worker.process.pid}/status").read_text().splitlines()
    [peak] = [line.split()[1] for line in told if line.startswith("VmHWM")]
    return int(peak) * 1024
