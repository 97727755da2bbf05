"""`syncsvc doctor`: looks at everything a running service needs, and says what to do.

A check gives what it found, or raises an error of ours; the remedy is said beside it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import httpx
import msgspec
import typer

from syncsvc import telemetry
from syncsvc.adapters.tasks import answering_workers
from syncsvc.catalogue.spending import Spending
from syncsvc.coordination.gate.memory import MemoryTurns
from syncsvc.embedded.holder import holder_of
from syncsvc.errors import Rejected, SyncsvcError, Unavailable
from syncsvc.loadtests.ports import Place
from syncsvc.settings import LOOPBACK, Settings
from syncsvc.stores.redis.keys import BEAT_LOCK
from syncsvc.stores.sql.migrate import current, newest
from syncsvc.wiring.catalogue import sources_from
from syncsvc.wiring.moments import now
from syncsvc.wiring.services import Services, build

LONGEST_CHECK = 15.0  # seconds
TEST_IO_CALLS = 10  # with those that are tried again


@dataclass(frozen=True)
class Check:
    """One thing to look at. `needed` ones fail the whole; others are only told."""

    name: str
    look: Callable[[], Awaitable[str]]
    remedy: str
    needed: bool = True


class Finding(msgspec.Struct):
    """What a check found; `state` is ok, failed or absent."""

    check: str
    state: str
    found: str
    remedy: str | None = None


def examine(settings: Settings, *, as_json: bool) -> bool:
    """Carry out all checks, tell what they found, and give whether all is well."""
    telemetry.configure(settings.model_copy(update={"log_level": "error"}))  # the rest is found
    findings = asyncio.run(_examine(settings))
    if as_json:
        typer.echo(msgspec.json.encode(findings).decode())
    else:
        for finding in findings:
            typer.echo(_line(finding))
    return all(finding.state != "failed" for finding in findings)


async def _examine(settings: Settings) -> list[Finding]:
    services = build(settings)
    patient = Patient(settings, services)
    try:
        return await asyncio.gather(*(_carry_out(check) for check in patient.checks()))
    finally:
        await services.close()


async def _carry_out(check: Check) -> Finding:
    try:
        async with asyncio.timeout(LONGEST_CHECK):
            return Finding(check.name, "ok", await check.look())
    except TimeoutError:
        said = f"no answer within {LONGEST_CHECK:g} s"
    except SyncsvcError as error:
        said = str(error)
    return Finding(check.name, "failed" if check.needed else "absent", said, check.remedy)


@dataclass(frozen=True)
class Patient:
    """The service as its settings describe it."""

    settings: Settings
    services: Services

    def checks(self) -> list[Check]:
        start = "start it with 'syncsvc up'"
        return [
            Check("settings", self.configuration, "correct what is named"),
            Check(
                "database", self.database, "run 'syncsvc migrate', or correct SYNCSVC_DATABASE_URL"
            ),
            Check("redis", self.redis, f"{start}, or set SYNCSVC_REDIS_URL to a running server"),
            Check("task workers", self.workers, f"{start}, or 'syncsvc worker'"),
            Check("beat", self.beat, f"{start}, or 'syncsvc beat'"),
            Check("api", self.api, f"{start}, or 'syncsvc gateway'"),
            Check("sync storage", self.sync_storage, f"{start}, or 'syncsvc gateway'"),
            Check("testsync", self.testsync, f"{start}, or 'syncsvc gateway'"),
            Check("sockets", self.sockets, f"{start}, or 'syncsvc gateway'"),
            Check(
                "test it",
                self.test_it,
                "set SYNCSVC_TESTIT_URL and SYNCSVC_TESTIT_TOKEN",
                self.names_test_it,
            ),
            *self.test_io_checks(),
            *self.cluster_checks(),
        ]

    def test_io_checks(self) -> list[Check]:
        """Give one check for each customer, or that there is none."""
        names = self.services.catalogue.syncs.customers()
        if not names:
            remedy = "set SYNCSVC_TESTIO_TOKEN, or SYNCSVC_TESTIO_CUSTOMERS, to sync a catalogue"
            return [Check("test io", self.no_test_io, remedy, needed=False)]
        remedy = "check SYNCSVC_TESTIO_URL, and the token that is named; syncs of it fail"
        return [
            Check(f"test io {name}", partial(self.test_io, name), remedy, needed=False)
            for name in names
        ]

    def cluster_checks(self) -> list[Check]:
        """Give one check for each namespace where load tests run, or that there is none."""
        places = self.services.watch.places
        if not places:
            remedy = "set SYNCSVC_K6_KUBECONFIG, or run in a cluster, to watch load tests"
            return [Check("k6", self.no_cluster, remedy, needed=False)]
        remedy = (
            "check SYNCSVC_K6_KUBECONFIG, SYNCSVC_K6_CONTEXTS and SYNCSVC_K6_NAMESPACES, and the "
            "rights there; its load tests turn stale"
        )
        return [
            Check(f"k6 {each.cluster}/{each.namespace}", partial(self.cluster, each), remedy, False)
            for each in places
        ]

    @property
    def names_test_it(self) -> bool:
        return self.settings.testit_url is not None

    async def configuration(self) -> str:
        kind = "embedded server" if self.settings.embeds_redis else "external Redis"
        database = "SQLite" if self.settings.database.startswith("sqlite") else "PostgreSQL"
        return f"{database}, {kind}, data in {self.settings.data_dir}"

    async def database(self) -> str:
        found, needed = await current(self.services.stores.database), newest()
        if found != needed:
            raise Rejected(f"it is at revision {found or 'none'}, this release needs {needed}")
        return f"answers, at revision {found}"

    async def redis(self) -> str:
        await self.services.stores.scripts.ping()
        return "answers"

    async def workers(self) -> str:
        names = await answering_workers(self.settings.broker)
        if not names:
            raise Unavailable("the broker answers, but no task worker does")
        return f"{len(names)} answer: {', '.join(names)}"

    async def beat(self) -> str:
        if not await self.services.stores.scripts.exists(BEAT_LOCK):
            raise Unavailable("nobody keeps the timetable")
        return "keeps the timetable"

    async def api(self) -> str:
        return await self._gateway(self.settings.api_port, "/ready", "SYNCSVC_API_PORT")

    async def sync_storage(self) -> str:
        port = self.settings.sync_storage_port
        return await self._gateway(port, "/health", "SYNCSVC_SYNC_STORAGE_PORT")

    async def testsync(self) -> str:
        port = self.settings.testsync_http_port
        return await self._gateway(port, "/health", "SYNCSVC_TESTSYNC_HTTP_PORT")

    async def sockets(self) -> str:
        port = self.settings.testsync_ws_port
        return await self._gateway(port, "/", "SYNCSVC_TESTSYNC_WS_PORT", expected="WebSocket")

    async def test_it(self) -> str:
        destination = self.services.runs.destinations.default()
        if destination is None:
            raise Rejected("none is configured: every worker must name its own")
        await self.services.board.ping(destination)
        return f"{destination.base_url} answers and takes the token"

    async def no_test_io(self) -> str:
        raise Rejected("no customer is configured")

    async def test_io(self, customer: str) -> str:
        """Read the list of products once; the gate that all processes share is not needed."""
        http = self.services.catalogue.http
        source = sources_from(self.settings, http, MemoryTurns(now)).of(customer)
        listed = await source.products(None, Spending(TEST_IO_CALLS))
        return f"answers and takes the token, lists {len(listed.products)} products"

    async def no_cluster(self) -> str:
        raise Rejected("no cluster is configured")

    async def cluster(self, place: Place) -> str:
        """List what a cycle lists."""
        cluster = self.services.watch.clusters.of(place.cluster)
        version, listed = await cluster.version(), await cluster.listed(place.namespace)
        counts = f"{len(listed.runs)} TestRuns, {len(listed.pods)} pods, {len(listed.jobs)} jobs"
        return f"Kubernetes {version} answers, and lists {counts}"

    async def _gateway(
        self, port: int, path: str, variable: str, *, expected: str = "status"
    ) -> str:
        try:
            async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
                answer = await http.get(f"http://{LOOPBACK[0]}:{port}{path}")
        except httpx.HTTPError as error:
            holder = holder_of(port)
            taken = f"; {holder} has the port: choose another with {variable}" if holder else ""
            raise Unavailable(f"port {port} does not answer{taken}") from error
        if not answer.is_success or expected not in answer.text:
            raise Unavailable(f"port {port} answered {answer.status_code}: {answer.text[:200]}")
        return f"port {port} serves"


def _line(finding: Finding) -> str:
    mark = {"ok": "ok     ", "failed": "FAILED ", "absent": "absent "}[finding.state]
    remedy = f"\n{'':23}-> {finding.remedy}" if finding.remedy else ""
    return f"{mark} {finding.check:<14} {finding.found}{remedy}"
