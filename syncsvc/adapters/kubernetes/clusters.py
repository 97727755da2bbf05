"""The clusters that are configured, each connected when it is first needed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from syncsvc.adapters.kubernetes.access import Access
from syncsvc.adapters.kubernetes.calls import KubernetesCalls, Manner
from syncsvc.adapters.kubernetes.client import KubernetesCluster
from syncsvc.adapters.kubernetes.connecting import connect
from syncsvc.errors import Rejected, Unknown


@dataclass
class KubernetesClusters:
    """Clusters. Raises Rejected when two have one name."""

    accesses: Sequence[Access]
    manner: Manner = field(default_factory=Manner)
    _connected: dict[str, KubernetesCluster] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        twice = next((name for name in self.names if self.names.count(name) > 1), None)
        if twice is not None:
            raise Rejected(f"clusters: expected each name once, found {twice!r} twice")

    @property
    def names(self) -> Sequence[str]:
        return [access.name for access in self.accesses]

    def of(self, name: str | None) -> KubernetesCluster:
        access = self._access(name)
        if access.name not in self._connected:
            calls = KubernetesCalls(access, connect(access), self.manner)
            self._connected[access.name] = KubernetesCluster(calls)
        return self._connected[access.name]

    async def close(self) -> None:
        while self._connected:
            _, cluster = self._connected.popitem()
            await cluster.close()

    def _access(self, name: str | None) -> Access:
        for access in self.accesses:
            if name in (None, access.name):
                return access
        if not self.accesses:
            raise Unknown("no cluster is configured: name a kubeconfig, or run in a cluster")
        names = ", ".join(repr(each) for each in self.names)
        raise Unknown(f"cluster: expected one of {names}, found {str(name)[:80]!r}")
