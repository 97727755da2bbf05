"""Looks at places where steps run, side by side; a place that fails harms no other."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncsvc.errors import SyncsvcError, Unavailable
from syncsvc.loadtests.clusters import Clusters
from syncsvc.loadtests.ports import Place
from syncsvc.loadtests.seen import TestRunSeen
from syncsvc.loadtests.sight import NOTHING, Sight, sights

AT_ONCE = 4  # places: each takes three lists of many pages


@dataclass(frozen=True, slots=True)
class Look:
    """What a place has shown, by the names of TestRuns, or `error`: why it could not be seen."""

    error: str | None = None
    shown: Mapping[str, Sight] = field(default_factory=dict)
    at: datetime | None = None
    calls: int = 1

    def of(self, test_run: str) -> Sight:
        return self.shown.get(test_run, NOTHING)


@dataclass
class Looking:
    """Looks at places. `limit` is for all lists of one, or for one TestRun."""

    clusters: Clusters
    limit: timedelta
    at_once: int = AT_ONCE
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.at_once)

    async def at(self, place: Place) -> Look:
        """Look once. Raises nothing of what clusters raise: the look says what went wrong."""
        async with self._slots:
            try:
                async with asyncio.timeout(self.limit.total_seconds()):
                    listed = await self.clusters.of(place.cluster).listed(place.namespace)
            except TimeoutError:
                return Look(self._too_slow(place))
            except SyncsvcError as error:
                return Look(str(error))
        return Look(None, sights(listed), listed.at, listed.calls)

    async def test_run(self, place: Place, name: str) -> TestRunSeen | None:
        """Ask for one that a list lacks. Raises what a Cluster raises."""
        try:
            async with asyncio.timeout(self.limit.total_seconds()):
                return await self.clusters.of(place.cluster).test_run(place.namespace, name)
        except TimeoutError as error:
            raise Unavailable(self._too_slow(place)) from error

    def _too_slow(self, place: Place) -> str:
        seconds = self.limit.total_seconds()
        return (
            f"cluster {place.cluster!r} did not show namespace {place.namespace!r} "
            f"within {seconds:g} s"
        )
