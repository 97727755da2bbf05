"""Two task workers and two beats: cycles never overlap, however often they are asked for."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest

from syncsvc.adapters.tasks import CeleryNudge
from syncsvc.loadtests.ports import Cycle
from tests.cluster.loadtests.house import House
from tests.support.waiting import apart, until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

ENOUGH = 8  # cycles
OFTEN = timedelta(seconds=0.5)
SLOW = {"kind": "hang", "pattern": "/log$", "seconds": 0.7}  # a cycle takes longer than that


def test_cycles_that_are_late_and_asked_for_by_many_never_overlap(house):
    house.has_run("often", parallelism=2)
    before = house.cycles(1)[0].fence if house.cycles(1) else 0
    with house.sandbox.misbehaving(SLOW):
        house.polls_every(OFTEN)
        until(lambda: has_asked(house) and len(ended(house, before)) >= ENOUGH, "cycles end", 120)
        until(lambda: has_asked(house) and all_have_looked(house), "all have run a cycle", 60)
        house.stops()

    found = ended(house, before)
    assert overlapping(found) == []
    assert [each.fence for each in found] == list(range(before + 1, before + 1 + len(found)))


def has_asked(house: House) -> bool:
    """Ask all task workers for a cycle, besides the beats."""

    async def ask() -> None:
        nudge = CeleryNudge(house.settings.broker)
        await asyncio.gather(*(nudge.poll() for _ in range(6)))

    apart(ask())
    return True


def all_have_looked(house: House) -> bool:
    """Tell whether each task worker has run a cycle; whose turn it is is a matter of chance."""
    return all(b"load tests looked at" in each.log.read_bytes() for each in house.crew.workers)


def ended(house: House, after: int) -> Sequence[Cycle]:
    """Give the cycles that have ended, oldest first."""
    cycles = sorted(house.cycles(), key=lambda each: each.fence)
    return [each for each in cycles if each.fence > after and each.report]


def overlapping(cycles: Sequence[Cycle]) -> list[tuple[Cycle, Cycle]]:
    return [
        (one, next_)
        for one, next_ in pairwise(cycles)
        if one.report and one.began_at + one.report.duration > next_.began_at
    ]
