"""Figures of load tests among a gateway's metrics: of each place, and of the cycles over all.

They are of the record, so every gateway shows the same. A place that is configured, or has steps
that are watched, is shown.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

from prometheus_client import Gauge

from syncsvc.errors import SyncsvcError
from syncsvc.loadtests.ports import Cycle, CycleReport, Cycles, LoadTests, Place, Pulse
from syncsvc.wiring.loadtests import Watch
from syncsvc.wiring.moments import now

PLACE = ["cluster", "namespace"]
UNDER_WAY = Gauge("syncsvc_loadtest_steps", "Steps of load tests that are not over.", PLACE)
STALE = Gauge("syncsvc_loadtest_steps_stale", "Those that could not be looked at lately.", PLACE)
STALLED = Gauge("syncsvc_loadtest_steps_stalled", "Those that do not get on.", PLACE)
UNREAD = Gauge(
    "syncsvc_loadtest_steps_unread", "Steps that are over, with logs still to be read.", PLACE
)
AGE = Gauge(
    "syncsvc_loadtest_cycle_age_seconds",
    "Time since the last cycle over load tests ended; +Inf before the first.",
)
ERRORS = Gauge("syncsvc_loadtest_cycle_errors", "Steps with which that cycle had trouble.")
SECONDS = Gauge("syncsvc_loadtest_cycle_seconds", "How long it took.")
CALLS = Gauge("syncsvc_loadtest_cycle_calls", "Requests to clusters that it took.")
COUNTED_EVERY = 10.0  # seconds
LONGEST_COUNT = 10.0  # seconds


@dataclass
class LoadTestFigures:
    """Shows the figures; `places` are those that are configured."""

    tests: LoadTests
    cycles: Cycles
    places: Sequence[Place]
    _shown: set[Place] = field(default_factory=set, init=False)

    async def count(self) -> None:
        """Keep the figures, until cancelled."""
        while True:
            with suppress(SyncsvcError, TimeoutError):  # the next count tells
                async with asyncio.timeout(LONGEST_COUNT):
                    await self.count_once(now())
            await asyncio.sleep(COUNTED_EVERY)

    async def count_once(self, moment: datetime) -> None:
        """Read the figures, and show them."""
        pulses = {place: Pulse(place, 0, 0, 0, 0) for place in self.places}
        pulses |= {pulse.place: pulse for pulse in await self.tests.pulses()}
        for place in self._shown - pulses.keys():
            _remove(place)
        for pulse in pulses.values():
            _show(pulse)
        self._shown = set(pulses)
        _show_cycle(await self.cycles.last_ended(), moment)


def figures_of(watch: Watch) -> LoadTestFigures:
    return LoadTestFigures(watch.tests, watch.showing.cycles, watch.places)


def _show(pulse: Pulse) -> None:
    of = (pulse.place.cluster, pulse.place.namespace)
    UNDER_WAY.labels(*of).set(pulse.under_way)
    STALE.labels(*of).set(pulse.stale)
    STALLED.labels(*of).set(pulse.stalled)
    UNREAD.labels(*of).set(pulse.unread)


def _remove(place: Place) -> None:
    for gauge in (UNDER_WAY, STALE, STALLED, UNREAD):
        gauge.remove(place.cluster, place.namespace)


def _show_cycle(cycle: Cycle | None, moment: datetime) -> None:
    report = cycle.report if cycle else None
    if cycle is None or report is None:
        AGE.set(inf)
        return
    AGE.set(max((moment - cycle.began_at - report.duration).total_seconds(), 0))
    _show_report(report)


def _show_report(report: CycleReport) -> None:
    ERRORS.set(report.errors)
    SECONDS.set(report.duration.total_seconds())
    CALLS.set(report.calls)
