"""All clusters of a sandbox, by name."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from syncsvc.sandbox.kubernetes.cluster import Cluster
from syncsvc.sandbox.kubernetes.operator import Operator

FIRST = "main"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Kubernetes:
    """The clusters; `factor` is the speed at which each of them begins, 0 for standing still."""

    clock: Callable[[], datetime] = _now
    factor: float = 1.0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    clusters: dict[str, Cluster] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reset()

    def listen_to(self, released: asyncio.Event) -> None:
        """End all streams when this is set."""
        self.released = released
        for each in self.clusters.values():
            each.released = released

    def reset(self) -> None:
        """Begin anew: one cluster, with nothing in it."""
        for each in self.clusters.values():
            each.operator.store.wake()
        self.clusters.clear()
        self.put(FIRST)

    def put(self, name: str) -> Cluster:
        """Make a cluster, in place of the one that had this name."""
        operator = Operator(clock=self.clock, factor=self.factor)
        self.clusters[name] = Cluster(operator, self.released)
        return self.clusters[name]
