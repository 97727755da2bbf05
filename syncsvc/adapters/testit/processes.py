"""Workers of this host whose process has ended without a word.

Adapters for JS, Go, Swift and Flutter build a worker's id of its process id. It is believed only
if that process holds the other end of the connection that the request came over: in a container
with our network but its own processes the same number is another process, or none. Then, and
where another user's processes cannot be looked into, nothing is concluded.
"""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from syncsvc.errors import SyncsvcError, Unknown
from syncsvc.runs.model import WorkerStatus
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

NAMED = re.compile(r"worker-(\d{1,9})-\d{13}\Z")  # process id and the moment in milliseconds
MOST = 10_000  # processes that are watched at once
EVERY = timedelta(seconds=2)
GONE_FOR = timedelta(seconds=3)  # a worker that ends may still have a last word on its way


@dataclass(frozen=True, slots=True)
class Process:
    """A process, told by its start (in ticks since boot) from a later one of the same number."""

    pid: int
    started: int


@dataclass(frozen=True, slots=True)
class Watched:
    process: Process
    status: WorkerStatus | None
    gone_since: datetime | None = None


@dataclass(frozen=True)
class ProcessTable:
    """What /proc says; on a system without it nothing is known."""

    root: Path = Path("/proc")

    def find(self, pid: int) -> Process | None:
        """Give a process that lives, None where there is none."""
        try:
            fields = (self.root / str(pid) / "stat").read_text().rpartition(")")[2].split()
            return None if fields[0] in "ZX" else Process(pid, int(fields[19]))
        except (OSError, IndexError, ValueError):
            return None

    def holds(self, pid: int, port: int) -> bool:
        """Tell whether a process holds the local end of a TCP connection at this port."""
        sockets = {f"socket:[{inode}]" for inode in self._inodes(port)}
        try:
            with os.scandir(self.root / str(pid) / "fd") as opened:
                return any(_target(each.path) in sockets for each in opened)
        except OSError:
            return False

    def _inodes(self, port: int) -> set[str]:
        end, found = f":{port:04X}", set()
        for name in ("tcp", "tcp6"):
            try:
                lines = (self.root / "net" / name).read_text().splitlines()[1:]
            except OSError:
                continue
            found |= {line.split()[9] for line in lines if line.split()[1].endswith(end)}
        return found - {"0"}


@dataclass
class Processes:
    """Speaks the last word for workers whose process has ended."""

    report: Callable[[str, str, WorkerStatus | None], Awaitable[None]]
    clock: Callable[[], datetime]
    table: ProcessTable = field(default_factory=ProcessTable)
    _watched: dict[tuple[str, str], Watched] = field(default_factory=dict)

    async def note(
        self, run_id: str, worker: str, status: WorkerStatus | None, port: int | None
    ) -> None:
        """Watch the process that a worker's id names, if it is at this end of our connection.

        `port` is that of a caller over loopback, else None. `status` is what it said.
        """
        known = self._watched.get((run_id, worker))
        if known is not None:
            self._watched[run_id, worker] = replace(known, status=status, gone_since=None)
            return
        named = NAMED.match(worker)
        if port is None or named is None or len(self._watched) >= MOST:
            return
        process = await asyncio.to_thread(self._proven, int(named[1]), port)
        if process is not None:
            self._watched[run_id, worker] = Watched(process, status)

    async def watch(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(EVERY.total_seconds())
            await self.look()

    async def look(self) -> None:
        """Report those as completed whose process has been gone for a while."""
        alive = await asyncio.to_thread(self._alive, list(self._watched.items()))
        now = self.clock()
        for who, watched in list(self._watched.items()):
            if who not in alive:
                await self._missed(who, watched, now)

    def _proven(self, pid: int, port: int) -> Process | None:
        process = self.table.find(pid)
        return process if process is not None and self.table.holds(pid, port) else None

    def _alive(self, watched: list[tuple[tuple[str, str], Watched]]) -> set[tuple[str, str]]:
        return {who for who, each in watched if self.table.find(each.process.pid) == each.process}

    async def _missed(self, who: tuple[str, str], watched: Watched, now: datetime) -> None:
        if watched.status is WorkerStatus.COMPLETED:
            self._watched.pop(who, None)
        elif watched.gone_since is None:
            self._watched[who] = replace(watched, gone_since=now)
        elif now - watched.gone_since >= GONE_FOR and await self._reported(*who):
            self._watched.pop(who, None)

    async def _reported(self, run_id: str, worker: str) -> bool:
        try:
            await self.report(run_id, worker, WorkerStatus.COMPLETED)
        except Unknown:
            return True  # its run was forgotten meanwhile
        except SyncsvcError as error:
            log.warning("end of a process was not told", run=run_id, reason=str(error))
            return False
        log.info("process of a worker has ended", run=run_id, worker=worker)
        return True


def _target(link: str) -> str:
    try:
        return str(Path(link).readlink())
    except OSError:
        return ""  # it was closed meanwhile
