"""Task workers and beats that watch a sandbox's load tests over one record, and what they keep."""

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from syncsvc.loadtests.model import LogsState, Step
from syncsvc.loadtests.ports import Cycle, JobChange, KeptLog, Origin, SyncJob
from syncsvc.loadtests.registering import WishedStep
from syncsvc.settings import Settings
from syncsvc.stores.sql.database import Database, open_database
from syncsvc.stores.sql.migrate import migrate
from syncsvc.wiring.loadtests import Watch, build_watch
from syncsvc.wiring.moments import now
from tests.cluster.catalogue.crew import PORTS, Crew, Life
from tests.cluster.catalogue.home import Home, home
from tests.cluster.catalogue.world import Sandbox
from tests.support.ports import own_port
from tests.support.valkey import own_valkey
from tests.support.waiting import apart, until

WORKER = ("worker", "--queues", "loadtests")
SETTLED = (LogsState.COMPLETE, LogsState.LOST)
Answer = TypeVar("Answer")
Logs = Mapping[tuple[str, str], bytes]  # by pod and container


@dataclass(frozen=True)
class House:
    sandbox: Sandbox
    crew: Crew

    @property
    def settings(self) -> Settings:
        return Settings(**self.crew.home.settings)

    def here(self, story: Callable[[Watch], Awaitable[Answer]]) -> Answer:
        """Tell a story in this process, as one more that shares the record."""

        async def told(database: Database) -> Answer:
            watch = build_watch(self.settings, database, {})
            try:
                return await story(watch)
            finally:
                await watch.close()

        return apart(over(self.settings, told))

    def k6(self, *arguments: str) -> Any:
        """Ask another process: run a command of `syncsvc k6` to its end."""
        command = [sys.executable, "-m", "syncsvc", "k6", *arguments, "--json"]
        ran = subprocess.run(
            command, env=self.crew.home.environment, capture_output=True, timeout=120, check=False
        )
        assert ran.returncode in (0, 1), ran.stderr.decode()[-2000:]
        return json.loads(ran.stdout)

    def kubernetes(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        return self.sandbox.ask(method, f"/kubernetes{path}", body, **query)

    def has_run(self, name: str, **wish: Any) -> None:
        """Make a TestRun that is under load, and see that it is watched."""
        self.kubernetes("POST", "/testruns", {"name": name, "until": "started", **wish})
        self.here(lambda watch: watch.registering.watch(name, [WishedStep(name)]))

    def emit(self, name: str, lines: int, **wish: Any) -> None:
        self.kubernetes("POST", "/emit", {"name": name, "lines": lines, **wish})

    def emitted(self, name: str) -> Logs:
        """Give what all containers of a TestRun have written."""
        told = self.kubernetes("GET", "/emitted", name=name)["containers"]
        return {
            (each["pod"], each["container"]): self._written(each["pod"], each["container"])
            for each in told
        }

    def _written(self, pod: str, container: str) -> bytes:
        query = {"pod": pod, "container": container, "timestamps": "true"}
        url = f"{self.sandbox.url}/__sandbox__/kubernetes/emitted"
        answer = self.sandbox.http.get(url, params=query)
        assert answer.is_success, answer.text
        return answer.content

    def kept(self, name: str) -> Logs:
        """Give what is kept of all logs of a step."""

        async def read(watch: Watch) -> Logs:
            step = await watch.showing.step(name)
            logs = await watch.showing.logs.logs([step.id])
            return {
                (each.source.pod, each.source.container): await text(watch, each) for each in logs
            }

        return self.here(read)

    def step(self, name: str) -> Step:
        return self.here(lambda watch: watch.showing.step(name))

    def has_settled(self, name: str) -> Step:
        """Wait until a step is over, and its logs are complete or lost."""
        until(lambda: self._is_settled(name), f"{name} is over, with its logs", 120)
        return self.step(name)

    def _is_settled(self, name: str) -> bool:
        step = self.step(name)
        return step.is_over and step.logs in SETTLED

    def job(self) -> SyncJob:
        return self.here(lambda watch: watch.jobs.control.job())

    def polls_every(self, interval: timedelta) -> None:
        """Set an interval, be it shorter than a person may choose; a cycle is due at once."""

        async def change(watch: Watch) -> None:
            job = await watch.jobs.control.job()
            wanted = JobChange(
                enabled=True, interval=interval, origin=Origin.RUNTIME, due_at=None, by="a test"
            )
            await watch.jobs.control.change(job.version, wanted, now())

        self.here(change)

    def stops(self) -> None:
        """Stop the job, and wait for the end of the cycle that runs."""
        self.here(lambda watch: watch.jobs.stop("a test"))
        until(lambda: self.job().busy_by is None, "no cycle runs", 120)

    def cycles(self, limit: int = 50) -> Sequence[Cycle]:
        return self.here(lambda watch: watch.showing.latest_cycles(limit))

    @property
    def polling(self) -> Life | None:
        """The task worker whose turn it is."""
        holder = self.job().busy_by
        pid = int(holder.split(":")[-2]) if holder else None
        alive = [each for each in self.crew.workers if each.process and not each.is_over]
        return next((each for each in alive if each.process and each.process.pid == pid), None)

    def turn_is_over(self) -> None:
        """Do as if the term of a turn had passed."""

        async def end(watch: Watch) -> None:
            job = await watch.jobs.control.job()
            if job.busy_by is not None:
                await watch.jobs.control.done(job.busy_by)

        self.here(end)

    def counts(self) -> Any:
        return self.kubernetes("GET", "/counts")

    def forget_counts(self) -> None:
        self.kubernetes("GET", "/counts", clear="")


async def text(watch: Watch, log: KeptLog) -> bytes:
    """Read a kept log, byte by byte."""
    found, after = b"", log.first - 1
    while chunks := await watch.showing.logs.chunks(log.source.id, after):
        found += b"".join(chunk.log for chunk in chunks)
        after = chunks[-1].number
    return found


async def over(settings: Settings, story: Callable[[Database], Awaitable[Answer]]) -> Answer:
    database = open_database(settings.database)
    try:
        return await story(database)
    finally:
        await database.close()


@contextmanager
def running_house(
    folder: Path, sandbox: Sandbox, *, workers: int = 2, beats: int = 2
) -> Iterator[House]:
    """Start task workers and beats on a Redis of their own; the job is stopped at first."""
    sandbox.ask("PUT", "/kubernetes/speed", {"factor": 0})
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_bytes(
        sandbox.http.get(f"{sandbox.url}/__sandbox__/kubernetes/kubeconfig").content
    )
    with own_valkey(folder) as valkey:
        ports = {f"{name}_port": own_port() for name in PORTS}
        known = {"redis_url": valkey.url, "k6_kubeconfig": kubeconfig, "k6_namespaces": ["k6-runs"]}
        place = home(folder, **ports, **known)
        crew = Crew(
            place,
            valkey,
            [_life(place, f"worker-{n}", WORKER) for n in range(1, workers + 1)],
            [_life(place, f"beat-{n}", ("beat",)) for n in range(1, beats + 1)],
        )
        house = House(sandbox, crew)
        apart(over(house.settings, migrate))
        house.stops()
        try:
            crew.is_complete()
            yield house
        finally:
            crew.end()


def _life(place: Home, name: str, command: Sequence[str]) -> Life:
    named = ("--name", name) if command is WORKER else ()
    return Life(place, name, (*command, *named))
