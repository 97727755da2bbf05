"""One cluster: what it holds, who may see it, what is wrong with it, and who has called."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from syncsvc.sandbox.kubernetes.counts import Counts
from syncsvc.sandbox.kubernetes.kubelet import Kubelet
from syncsvc.sandbox.kubernetes.malformed import Mischief
from syncsvc.sandbox.kubernetes.model import Kind, Meta, Namespace
from syncsvc.sandbox.kubernetes.operator import Operator
from syncsvc.sandbox.kubernetes.pages import Lists
from syncsvc.sandbox.kubernetes.switches import Switches, Wanted
from syncsvc.sandbox.kubernetes.writing import Writing

NAMESPACES = ("default", "k6-runs", "kube-system")


@dataclass(eq=False)
class Cluster:
    operator: Operator
    released: asyncio.Event = field(default_factory=asyncio.Event)  # ends every stream
    switches: Switches = field(default_factory=Switches)
    counts: Counts = field(default_factory=Counts)
    mischief: Mischief = field(default_factory=Mischief)

    def __post_init__(self) -> None:
        self.lists = Lists(self.operator.store)
        self.writing = Writing(self.operator)
        for name in NAMESPACES:
            self.add_namespace(name)

    @property
    def kubelet(self) -> Kubelet:
        return Kubelet(self.operator, self.switches, self.released)

    def add_namespace(self, name: str) -> None:
        """Make a namespace, unless it is there."""
        if self.operator.store.get(Kind.NAMESPACES, ("", name)) is None:
            meta = Meta("", name, self.operator.pods.uid(), self.operator.clock())
            self.operator.store.put(Kind.NAMESPACES, Namespace(meta))

    def stages(self) -> Counter[str]:
        """Count the TestRuns by their stages, those that are gone too."""
        self.operator.advance()
        return Counter(each.stage or "without stage" for each in self.operator.lives.values())

    def switch(self, wanted: Wanted) -> None:
        self.switches.now = wanted
        self.lists.expired = wanted.expired_continues
        for log in self.operator.logs.by_container.values():
            for each in log.readers:
                each.set()

    def switched(self) -> Wanted:
        """Tell the switches that are in force now."""
        now = self.switches.now
        return Wanted(
            forbidden=now.forbidden,
            crd=now.crd,
            kubelet=now.kubelet,
            gone_nodes=now.gone_nodes,
            expired_continues=self.lists.expired,
            tokens=now.tokens,
            anonymous=now.anonymous,
        )
