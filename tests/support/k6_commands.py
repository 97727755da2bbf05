"""`syncsvc k6` as it is typed, beside a Kubernetes in a box that a thread serves."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread
from typing import Any

import httpx

from syncsvc.settings import DASHBOARD, PREFIX
from tests.support import player
from tests.support.kubernetes import CONTROL, NAMESPACE, a_kubernetes
from tests.support.waiting import until

PATIENCE = 60  # seconds
READER, NOBODY = "syncsvc", "nobody"


@dataclass(frozen=True)
class Box:
    """Kubernetes, and its control surface."""

    http: httpx.Client

    def tell(self, path: str, **body: Any) -> Any:
        answer = self.http.post(CONTROL + path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def launch(self, name: str, *, until: str = "end", exits: tuple = (0,), **wish: Any) -> None:
        """Start a TestRun with a runner for each exit, and take it so far."""
        scenario = {"exits": exits, **wish.pop("scenario", {})}
        body = {"parallelism": len(exits), "until": until, **wish}
        self.tell("/testruns", name=name, scenario=scenario, **body)

    def emitted(self, pod: str) -> bytes:
        """Give all that a runner has written, with its moments."""
        query = {"namespace": NAMESPACE, "pod": pod, "container": "k6", "timestamps": "true"}
        return self.http.get(f"{CONTROL}/emitted", params=query).content

    def kubeconfig(self, folder: Path, user: str = READER) -> Path:
        file = folder / f"kubeconfig-{user}"
        file.write_bytes(self.http.get(f"{CONTROL}/kubeconfig", params={"user": user}).content)
        return file


@contextmanager
def a_box() -> Iterator[Box]:
    """Serve Kubernetes from a thread until the context ends."""
    ready: list[str] = []
    over = asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with a_kubernetes() as world:
            ready.append(str(world.http.base_url))
            await over.wait()

    thread = Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        url = until(lambda: ready and ready[0], "Kubernetes serves")
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
            yield Box(http)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@dataclass(frozen=True)
class Said:
    """What a command has said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Desk:
    """A folder to work in, and one process that runs what is typed there."""

    folder: Path
    process: "subprocess.Popen[str]"
    settings: dict[str, Any] = field(default_factory=dict)

    def with_settings(self, **settings: Any) -> "Desk":
        """Give the same place with other settings; None leaves one out."""
        return replace(self, settings=self.settings | settings)

    @property
    def environment(self) -> dict[str, str]:
        ours = {name for name in os.environ if name.startswith(PREFIX) or name in DASHBOARD}
        found = {name: value for name, value in os.environ.items() if name not in ours}
        found |= {f"{PREFIX}CONFIG": os.devnull, "HOME": str(self.folder)}
        found |= {f"{PREFIX}DATA_DIR": str(self.folder / "data")}
        named = {PREFIX + name.upper(): value for name, value in self.settings.items()}
        return found | {name: str(value) for name, value in named.items() if value is not None}

    def k6(self, *arguments: str) -> Said:
        return self.cli("k6", *arguments)

    def ask(self, *arguments: str) -> Any:
        """Give what a command says in JSON."""
        said = self.k6(*arguments, "--json")
        assert said.code == 0, said.err
        return said.told

    def cli(self, *arguments: str) -> Said:
        """Run a command to its end."""
        return typed(self.process, arguments, self.environment, self.folder)

    @contextmanager
    def begun(self, *arguments: str, **more: Any) -> "Iterator[subprocess.Popen[bytes]]":
        """Begin a command in a process of its own; at the end it is not there any more."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        command = [sys.executable, "-m", "syncsvc", "k6", *arguments]
        with subprocess.Popen(command, env=self.environment, **pipes) as process:
            try:
                yield process
            finally:
                process.kill()


def typed(
    process: "subprocess.Popen[str]",
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
) -> Said:
    """Have a player run a command to its end; what it says is kept in the folder."""
    out, err = folder / "out", folder / "err"
    wish = {"arguments": [*arguments], "environment": {**environment}}
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({**wish, "out": str(out), "err": str(err)}) + "\n")
    process.stdin.flush()
    code = int(process.stdout.readline())
    return Said(code, out.read_bytes().decode(), err.read_bytes().decode())


@contextmanager
def a_player() -> "Iterator[subprocess.Popen[str]]":
    """Start the process that runs what is typed at any desk."""
    with subprocess.Popen(
        [sys.executable, player.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
