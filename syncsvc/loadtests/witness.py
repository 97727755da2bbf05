"""Witnesses what a cluster removes before the next cycle looks: how pods end, and their logs.

With `cleanup: post` the operator deletes a TestRun with its pods about a second after its end.
So the pods of such runs are watched, and their logs are followed, from when a cycle has first
seen a step of them. To a cycle the clusters then look as if those pods were still there. All of
it is in the memory of one process: when that dies, what was not kept by then is lost.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syncsvc.errors import Unknown
from syncsvc.loadtests.attending import Attendance
from syncsvc.loadtests.clusters import Cluster, Clusters, Event, NoLog
from syncsvc.loadtests.hearing import Room
from syncsvc.loadtests.listeners import AttendanceTerms, LogKey
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.ports import KeptLog, LoadTests, Logs, Place
from syncsvc.loadtests.registering import Discovery
from syncsvc.loadtests.seen import Listed, PodSeen, TestRunSeen

ASKED = 500  # steps at once


@dataclass
class Witness:
    """Clusters, with what was witnessed of them. `news` is set when a cycle should come at once.

    With a discovery its places are attended to always: what nobody registered may be short-lived.
    """

    clusters: Clusters
    tests: LoadTests
    logs: Logs
    terms: AttendanceTerms = field(default_factory=AttendanceTerms)
    discovery: Discovery | None = None
    room: Room = field(default_factory=Room)
    news: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _places: dict[Place, Attendance] = field(default_factory=dict, init=False)

    @property
    def names(self) -> Sequence[str]:
        return self.clusters.names

    def of(self, name: str | None) -> "WitnessedCluster":
        cluster = self.clusters.of(name)
        return WitnessedCluster(cluster, name or self.names[0], self._places)

    @property
    def is_attending(self) -> bool:
        return bool(self._places)

    async def attend(self) -> None:
        """Attend to what could be lost by now, and to nothing else.

        Raises Unavailable when it cannot be known what that is.
        """
        wanted = await self._wanted()
        for place in self._places.keys() - wanted.keys():
            await self._places.pop(place).rest()
        for place in wanted.keys() - self._places.keys():
            self._places[place] = self._attendance(place)
        for place, steps in wanted.items():
            kept = await self._kept(steps)
            self._places[place].attend(steps, kept)

    async def rest(self) -> None:
        """Attend to nothing more."""
        places = list(self._places.values())
        self._places.clear()
        await asyncio.gather(*(each.rest() for each in places))

    async def _wanted(self) -> dict[Place, list[Step]]:
        discovered = self.discovery.places if self.discovery else ()
        wanted: defaultdict[Place, list[Step]] = defaultdict(
            list, {each: [] for each in discovered}
        )
        for place in await self.tests.places():
            if place.cluster not in self.names:
                continue
            for step in await self.tests.under_way(place.cluster, place.namespace):
                if may_be_lost(step):
                    wanted[place].append(step)
        return dict(wanted)

    async def _kept(self, steps: Sequence[Step]) -> dict[LogKey, KeptLog]:
        found: dict[LogKey, KeptLog] = {}
        for first in range(0, len(steps), ASKED):
            for each in await self.logs.logs([step.id for step in steps[first : first + ASKED]]):
                found[each.source.pod, each.source.container] = each
        return found

    def _attendance(self, place: Place) -> Attendance:
        cluster = self.clusters.of(place.cluster)
        attendance = Attendance(cluster, place.namespace, self.terms, self.room, self.news)
        if self.discovery is not None and place in self.discovery.places:
            attendance.discovers = self.discovery.takes
        return attendance


def may_be_lost(step: Step) -> bool:
    """Whether its TestRun is removed at its end, or may be, for it was never seen."""
    return step.cleans_up or step.uid is None


@dataclass(frozen=True)
class WitnessedCluster:
    """A cluster that also shows what was witnessed of it."""

    cluster: Cluster
    name: str
    places: dict[Place, Attendance]

    async def listed(self, namespace: str, selector: str | None = None) -> Listed:
        listed = await self.cluster.listed(namespace, selector)
        attendance = self._at(namespace)
        return attendance.added_to(listed) if attendance else listed

    async def test_run(self, namespace: str, name: str) -> TestRunSeen | None:
        return await self.cluster.test_run(namespace, name)

    async def log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        since: datetime | None = None,
        limit_bytes: int | None = None,
    ) -> bytes:
        try:
            return await self.cluster.log(
                namespace, pod, container, since=since, limit_bytes=limit_bytes
            )
        except (NoLog, Unknown) as error:
            attendance = self._at(namespace)
            listening = attendance.of(pod, container) if attendance else None
            if listening is None:
                raise
            return await listening.log(since, limit_bytes, str(error))

    def follow(
        self, namespace: str, pod: str, container: str, *, since: datetime | None = None
    ) -> AsyncGenerator[bytes]:
        return self.cluster.follow(namespace, pod, container, since=since)

    def watch_test_runs(
        self, namespace: str, version: str = ""
    ) -> AsyncGenerator[Event[TestRunSeen]]:
        return self.cluster.watch_test_runs(namespace, version)

    def watch_pods(self, namespace: str, version: str = "") -> AsyncGenerator[Event[PodSeen]]:
        return self.cluster.watch_pods(namespace, version)

    async def version(self) -> str:
        return await self.cluster.version()

    def _at(self, namespace: str) -> Attendance | None:
        return self.places.get(Place(self.name, namespace))
