"""Connects the room of load tests to the stores and to Kubernetes.

Nothing of it needs Redis: whose turn it is to run a cycle stands in SQL.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from syncsvc.adapters.kubernetes.access import Access
from syncsvc.adapters.kubernetes.calls import Manner
from syncsvc.adapters.kubernetes.clusters import KubernetesClusters
from syncsvc.adapters.kubernetes.in_cluster import ACCOUNT, in_cluster, is_in_cluster
from syncsvc.adapters.kubernetes.kubeconfig import from_kubeconfig
from syncsvc.errors import Rejected
from syncsvc.loadtests.capping import Cap
from syncsvc.loadtests.collecting import LogTerms
from syncsvc.loadtests.cycle import CycleRunner, CycleTerms
from syncsvc.loadtests.following import Following
from syncsvc.loadtests.jobs import JobDefaults, SyncJobs
from syncsvc.loadtests.listeners import AttendanceTerms
from syncsvc.loadtests.names import check_namespace
from syncsvc.loadtests.polling import Polling
from syncsvc.loadtests.ports import LoadTests, Origin, Place
from syncsvc.loadtests.registering import Discovery, Registering
from syncsvc.loadtests.selecting import selector
from syncsvc.loadtests.showing import Showing
from syncsvc.loadtests.sql import SqlControl, SqlCycles, SqlLoadTests, SqlLogs
from syncsvc.loadtests.witness import Witness
from syncsvc.settings import Settings
from syncsvc.stores.sql.database import Database
from syncsvc.telemetry import get_logger
from syncsvc.wiring.moments import new_id, now

log = get_logger(__name__)

MEGABYTE = 1_000_000
LISTS_AT_ONCE = 8
NAMESPACES, DISCOVER = "SYNCSVC_K6_NAMESPACES", "SYNCSVC_K6_DISCOVER"


@dataclass(frozen=True)
class Watch:
    """Load tests: who watches them in this process, and what is kept of them."""

    clusters: KubernetesClusters
    tests: LoadTests
    registering: Registering
    jobs: SyncJobs
    polling: Polling
    showing: Showing
    places: Sequence[Place]

    def following(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> Following:
        """Begin to follow logs for one reader."""
        return Following(self.showing, self.clusters, now, pause)

    async def close(self) -> None:
        await self.polling.close()
        await self.clusters.close()


def build_watch(
    settings: Settings, database: Database, environ: Mapping[str, str] = os.environ
) -> Watch:
    """Connect it all; no cluster is reached before it is used.

    Raises Rejected for a kubeconfig, a namespace or a selector that cannot be used.
    """
    accesses = accesses_from(settings, environ)
    clusters = KubernetesClusters(accesses, _manner(settings))
    namespaces = _namespaces(settings, accesses)
    tests, logs = SqlLoadTests(database), SqlLogs(database)
    cycles, control = SqlCycles(database), SqlControl(database)
    registering = Registering(clusters, tests, namespaces, now, new_id, control)
    places = [Place(name, each) for name, some in namespaces.items() for each in some]
    discovery = _discovery(settings, registering, places)
    terms = AttendanceTerms(beside=settings.k6_beside)
    witness = Witness(clusters, tests, logs, terms, discovery)
    runner = CycleRunner(witness, tests, cycles, logs, _terms(settings), now, discovery)
    holder = f"{socket.gethostname()}:{os.getpid()}:{new_id()[-6:]}"
    defaults = defaults_from(settings)
    return Watch(
        clusters,
        tests,
        registering,
        SyncJobs(control, defaults, now),
        Polling(runner, control, defaults, holder, now, asyncio.sleep, witness),
        Showing(tests, cycles, logs),
        places,
    )


def accesses_from(
    settings: Settings, environ: Mapping[str, str], account: Path = ACCOUNT
) -> Sequence[Access]:
    """Find the ways into clusters: what is named, else our pod's, else what kubectl would take.

    Without any of them there are none. Raises Rejected for what is named and cannot be used.
    """
    if settings.k6_kubeconfig is not None or settings.k6_contexts:
        return from_kubeconfig(settings.k6_kubeconfig, settings.k6_contexts, environ)
    if is_in_cluster(environ, account):
        return (in_cluster(environ, account),)
    return _kubectls(environ) if _has_kubeconfig(environ) else ()


def _kubectls(environ: Mapping[str, str]) -> Sequence[Access]:
    """Take what kubectl would; nobody asked for it, so what is wrong with it stops nothing."""
    try:
        return from_kubeconfig(None, (), environ)
    except Rejected as error:
        log.warning("kubectl's configuration is not used for load tests", reason=str(error))
        return ()


def defaults_from(settings: Settings) -> JobDefaults:
    if settings.k6_sync_interval_seconds is None:
        return JobDefaults(settings.k6_auto_sync_enabled)
    interval = timedelta(seconds=settings.k6_sync_interval_seconds)
    return JobDefaults(settings.k6_auto_sync_enabled, interval, Origin.ENVIRONMENT)


def _has_kubeconfig(environ: Mapping[str, str]) -> bool:
    if environ.get("KUBECONFIG"):
        return True
    home = environ.get("HOME")
    try:
        return home is not None and (Path(home) / ".kube" / "config").is_file()
    except OSError:  # such as the home of somebody else, which we may not look into
        return False


def _namespaces(settings: Settings, accesses: Sequence[Access]) -> Mapping[str, Sequence[str]]:
    for name in settings.k6_namespaces:
        check_namespace(NAMESPACES, name)
    return {each.name: settings.k6_namespaces or (each.namespace,) for each in accesses}


def _discovery(
    settings: Settings, registering: Registering, places: Sequence[Place]
) -> Discovery | None:
    if settings.k6_discover is None:
        return None
    return Discovery(registering, selector(DISCOVER, settings.k6_discover), places)


def _manner(settings: Settings) -> Manner:
    return Manner(
        at_once=LISTS_AT_ONCE,
        logs_at_once=settings.k6_at_once,
        limit=settings.k6_timeout,
        log_limit=settings.k6_timeout,
    )


def _terms(settings: Settings) -> CycleTerms:
    logs = LogTerms(
        at_once=settings.k6_at_once, limit=settings.k6_timeout, beside=settings.k6_beside
    )
    head, tail = settings.k6_log_head_mb * MEGABYTE, settings.k6_log_tail_mb * MEGABYTE
    return CycleTerms(logs=logs, cap=Cap(head=head, tail=tail))
