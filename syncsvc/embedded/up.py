"""`syncsvc up`: the whole service as one tree of processes that starts and ends together."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass

from syncsvc.embedded import folder, ports, sandbox_kubernetes, valkey
from syncsvc.embedded.child import Child
from syncsvc.embedded.console import OURS, Console
from syncsvc.embedded.interrupts import interrupts
from syncsvc.embedded.supervisor import Supervisor
from syncsvc.embedded.tree import ONE_OF_EACH, SERVER, Crew, Plan, SandboxOptions, with_ports
from syncsvc.errors import Unavailable
from syncsvc.settings import Settings

STOPPED, FAILED = 0, 1
_CUT_SHORT_WITHIN_S = 0.5
Story = Callable[[], Awaitable[int | None]]
_LABELS = {
    "api": "API",
    "sync_storage": "Sync Storage",
    "testsync_http": "TestSync",
    "testsync_ws": "sockets",
    "flower": "Flower",
    "sandbox": "sandbox",
}


async def up(
    settings: Settings,
    *,
    sandbox: SandboxOptions | None = None,
    crew: Crew = ONE_OF_EACH,
    as_json: bool = False,
    after_ready: Story | None = None,
) -> int:
    """Run everything until a signal, or until `after_ready` gives an exit code.

    Raises Rejected, with nothing started, if a port, the data folder or a server is missing.
    Gives 0 when it was asked to stop and 1, after saying why, when a start failed.
    """
    plan = Plan(with_ports(settings), sandbox, crew, os.environ)
    folder.prepare(plan.settings)
    async with folder.locked(plan.settings.data_dir) as lock:
        ports.check(plan.port_uses)
        if sandbox is not None:
            sandbox_kubernetes.write(plan.settings.data_dir, sandbox.use.url)
        servers = await _servers(plan, lock)
        with Console.on(sys.stderr) as console:
            return await _Tree(plan, servers, console, as_json).live(after_ready)


@dataclass(frozen=True)
class _Tree:
    plan: Plan
    servers: list[Child]
    console: Console
    as_json: bool

    async def live(self, after_ready: Story | None) -> int:
        """Start, tell the story, stop: whatever happens in between, nothing is left running."""
        supervisor = Supervisor(self.console)
        with interrupts(supervisor.kill) as asked:
            try:
                return await _unless(asked, self._play(supervisor, after_ready), self.console)
            except Unavailable as error:
                self.console.say(str(error))
                return FAILED
            finally:
                await supervisor.stop()

    async def _play(self, supervisor: Supervisor, after_ready: Story | None) -> int:
        began = asyncio.get_running_loop().time()
        await supervisor.start(self.servers)
        await supervisor.run(self.plan.migrate())
        await supervisor.start(self.plan.gateways())
        await supervisor.start(self.plan.others())
        self.console.say(f"all are ready after {asyncio.get_running_loop().time() - began:.1f} s")
        self._announce(supervisor.pids)
        code = await after_ready() if after_ready else None
        if code is None:
            await asyncio.Event().wait()  # a signal ends it
        return code or STOPPED

    def _announce(self, pids: dict[str, int]) -> None:
        addresses = self.plan.addresses
        if self.as_json:
            line = json.dumps(
                {
                    "addresses": addresses,
                    "pids": {OURS: os.getpid(), **pids},
                    "data_dir": str(self.plan.settings.data_dir),
                }
            )
        else:
            line = "ready: " + ", ".join(f"{_LABELS[key]} {url}" for key, url in addresses.items())
        with suppress(OSError):  # whoever asked may have gone; the service stays
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


async def _servers(plan: Plan, lock: int) -> list[Child]:
    if not plan.settings.embeds_redis:
        return []
    binary = await valkey.find_server(plan.settings)
    environ = plan.foreign_environ
    return [valkey.server(binary, plan.settings, environ=environ, stop_order=SERVER, lock=lock)]


async def _unless(asked: asyncio.Event, play: Coroutine[None, None, int], console: Console) -> int:
    """Give the outcome of the play, or cut it short when asked to stop."""
    playing = asyncio.create_task(play)
    asking = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({playing, asking}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            return playing.result()
        console.say("stopping; a second signal stops at once")
        return STOPPED
    finally:
        playing.cancel()
        asking.cancel()
        await asyncio.wait({playing, asking}, timeout=_CUT_SHORT_WITHIN_S)
