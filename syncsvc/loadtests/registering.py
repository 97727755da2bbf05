"""Takes up load tests to watch: those that somebody names, and those that a selector finds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syncsvc.errors import Rejected
from syncsvc.loadtests.clusters import Clusters
from syncsvc.loadtests.first_looks import FirstLooks
from syncsvc.loadtests.grouping import grouped
from syncsvc.loadtests.model import LoadTest, Step
from syncsvc.loadtests.names import check_namespace, check_once, check_test_run, check_text
from syncsvc.loadtests.ports import Control, Group, LoadTests, Place
from syncsvc.loadtests.seen import TestRunSeen
from syncsvc.loadtests.selecting import Selector

MOST_STEPS = 500
MOST_LABELS = 20
GROUPS = 100  # in one transaction


@dataclass(frozen=True, slots=True)
class WishedStep:
    """A TestRun to watch; without a name the step has that of the TestRun."""

    test_run: str
    name: str | None = None
    namespace: str | None = None
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """A load test with the steps that were asked for, in their order.

    `new` are the ids of steps that nobody watched before; `notes` tell of what is not there yet.
    """

    test: LoadTest
    steps: Sequence[Step]
    new: Sequence[str]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Registering:
    """Registers load tests. `namespaces` are those of each cluster; the first is the default."""

    clusters: Clusters
    tests: LoadTests
    namespaces: Mapping[str, Sequence[str]]
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    control: Control | None = None  # of the job that is to look at what is new at once

    async def watch(
        self, name: str, wished: Sequence[WishedStep], labels: Mapping[str, str] | None = None
    ) -> Registered:
        """Watch TestRuns as the ordered steps of one load test; they need not be there yet.

        Raises Rejected for a name that cannot be, Unknown for a cluster that is not configured,
        Denied or Forbidden where we may not look. A cluster that is away is a note.
        """
        check_text("name", name)
        _check_labels(labels or {})
        looks = FirstLooks(self.clusters)
        steps = await looks.taken(self._steps(wished))
        test = LoadTest(steps[0].test_id, name, self.clock(), labels=dict(labels or {}))
        registered = await self._registered(test, steps, looks.notes(steps))
        await self._hurry([registered])
        return registered

    async def discover(
        self, selector: Selector, cluster: str | None = None, namespace: str | None = None
    ) -> Sequence[Registered]:
        """Watch every TestRun of a namespace that is taken. Raises what a Cluster raises."""
        place = self._place("", cluster, namespace)
        listed = await self.clusters.of(place.cluster).listed(place.namespace)
        runs = [run for run in listed.runs if selector.takes(run.labels)]
        registered = await self.found(place, runs)
        await self._hurry(registered)
        return registered

    async def found(self, place: Place, runs: Sequence[TestRunSeen]) -> Sequence[Registered]:
        """Watch TestRuns that were seen at a place, those that are known included."""
        groups = grouped(place, runs, self.clock(), self.new_id)
        found: list[Registered] = []
        for first in range(0, len(groups), GROUPS):
            some = groups[first : first + GROUPS]
            given = await self.tests.register_all(some)
            found += [await self._told(*each) for each in zip(some, given, strict=True)]
        return found

    def place(self, cluster: str | None, namespace: str | None) -> Place:
        """Say which place is meant. Raises Unknown or Rejected."""
        return self._place("", cluster, namespace)

    async def _registered(
        self, test: LoadTest, steps: Sequence[Step], notes: Sequence[str] = ()
    ) -> Registered:
        given = await self.tests.register(test, steps)
        return await self._told(Group(test, steps), given, notes)

    async def _told(
        self, group: Group, given: Sequence[Step], notes: Sequence[str] = ()
    ) -> Registered:
        """Tell what was given for a group; the test that is told is that of the first new step."""
        mine = {step.id for step in group.steps}
        new = [step for step in given if step.id in mine]
        test = await self.tests.test((new or given)[0].test_id)
        return Registered(test, given, [step.id for step in new], notes)

    async def _hurry(self, registered: Sequence[Registered]) -> None:
        """Let the next cycle begin at once, so that nothing of what is new goes by unseen."""
        if self.control is not None and any(each.new for each in registered):
            await self.control.hurry(self.clock())

    def _steps(self, wished: Sequence[WishedStep]) -> list[Step]:
        if not 1 <= len(wished) <= MOST_STEPS:
            raise Rejected(f"steps: expected 1 to {MOST_STEPS}, found {len(wished)}")
        test_id, now = self.new_id(), self.clock()
        steps = [
            self._step(f"steps[{order}].", each, test_id, order, now)
            for order, each in enumerate(wished)
        ]
        names = [f"{each.cluster}/{each.namespace}/{each.test_run}" for each in steps]
        check_once("steps", names)
        return steps

    def _step(self, path: str, each: WishedStep, test_id: str, order: int, now: datetime) -> Step:
        check_test_run(f"{path}test_run", each.test_run)
        if each.name is not None:
            check_text(f"{path}name", each.name)
        place = self._place(path, each.cluster, each.namespace)
        return Step(
            id=self.new_id(),
            test_id=test_id,
            name=each.name or each.test_run,
            order=order + 1,
            cluster=place.cluster,
            namespace=place.namespace,
            test_run=each.test_run,
            registered_at=now,
            phase_since=now,
        )

    def _place(self, path: str, cluster: str | None, namespace: str | None) -> Place:
        self.clusters.of(cluster)
        name = cluster or self.clusters.names[0]
        namespace = namespace or self.namespaces[name][0]
        check_namespace(f"{path}namespace", namespace)
        return Place(name, namespace)


@dataclass
class Discovery:
    """TestRuns to take up in each cycle, at these places."""

    registering: Registering
    selector: Selector
    places: Sequence[Place]
    _known: dict[Place, set[str]] = field(default_factory=dict, init=False)  # uids

    def takes(self, run: TestRunSeen) -> bool:
        return self.selector.takes(run.labels)

    async def take_up(
        self, runs: Sequence[TestRunSeen], place: Place, watched: Sequence[Step]
    ) -> Sequence[Step]:
        """Watch those that the selector takes, and give the steps that nobody watched before.

        Those that are `watched` or were found before are not asked for. One whose name another
        run's step still has is asked for again, until that one is over.
        """
        wanted = [run for run in runs if self.takes(run)]
        known = self._known.get(place, set()) | {step.uid for step in watched if step.uid}
        fresh = [run for run in wanted if run.uid not in known]
        registered = await self.registering.found(place, fresh)
        taken = {step.uid for each in registered for step in each.steps}
        self._known[place] = {run.uid for run in wanted if run.uid in known | taken}
        return [step for each in registered for step in each.steps if step.id in each.new]


def _check_labels(labels: Mapping[str, str]) -> None:
    if len(labels) > MOST_LABELS:
        raise Rejected(f"labels: expected at most {MOST_LABELS}, found {len(labels)}")
    for key, value in labels.items():
        check_text("labels", key)
        check_text(f"labels.{key}", value)
