"""Looks at TestRuns that are about to be watched: what is there by now is taken in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from syncsvc.errors import Unavailable
from syncsvc.loadtests.abreast import abreast
from syncsvc.loadtests.clusters import Clusters
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.seen import TestRunSeen

AT_ONCE = 8


@dataclass
class FirstLooks:
    """Looks at steps side by side; a cluster that is away is not asked again."""

    clusters: Clusters
    _slots: asyncio.Semaphore = field(init=False)
    _away: dict[str, str] = field(default_factory=dict, init=False)
    _notes: dict[str, str] = field(default_factory=dict, init=False)  # by the step's id

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def taken(self, steps: Sequence[Step]) -> Sequence[Step]:
        """Take in what is there; what cannot be seen now will be.

        Raises what a Cluster raises, but for Unavailable.
        """
        found = {step.id: step for step in steps}

        async def look(step: Step) -> None:
            async with self._slots:
                found[step.id] = await self._looked(step)

        await abreast(look(step) for step in steps)
        return list(found.values())

    def notes(self, steps: Sequence[Step]) -> Sequence[str]:
        """Tell of those that were not seen."""
        return [self._notes[step.id] for step in steps if step.id in self._notes]

    async def _looked(self, step: Step) -> Step:
        if step.cluster not in self._away:
            cluster = self.clusters.of(step.cluster)
            try:
                run = await cluster.test_run(step.namespace, step.test_run)
            except Unavailable as error:
                self._away[step.cluster] = str(error)
            else:
                return self._with(step, run)
        self._notes[step.id] = f"{step.test_run}: not seen yet: {self._away[step.cluster]}"
        return step

    def _with(self, step: Step, run: TestRunSeen | None) -> Step:
        if run is None:
            where = f"not there yet in namespace {step.namespace!r}"
            self._notes[step.id] = f"{step.test_run}: {where}"
            return step
        return replace(step, uid=run.uid, run_created_at=run.created_at, cleans_up=run.cleans_up)
