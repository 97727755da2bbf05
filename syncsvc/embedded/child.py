"""What there is to know about a process that the supervisor keeps running."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from signal import Signals
from typing import Protocol

from syncsvc.settings import LOOPBACK

ANSWER_WITHIN = timedelta(seconds=1)
Connecting = Coroutine[None, None, tuple[asyncio.StreamReader, asyncio.StreamWriter]]


class Readiness(Protocol):
    """How to tell that a child serves."""

    def reset(self) -> None:
        """Forget what an earlier life of the child has left behind."""
        ...

    async def met(self) -> bool:
        """Say whether the child serves now: within a second, and without raising."""
        ...


@dataclass(frozen=True)
class TouchesFile:
    """A child of ours makes the file that the environment names."""

    path: Path

    def reset(self) -> None:
        self.path.unlink(missing_ok=True)

    async def met(self) -> bool:
        return self.path.exists()


@dataclass(frozen=True)
class Accepts:
    """The child accepts connections at a unix socket."""

    socket: Path

    def reset(self) -> None:
        """Nothing to forget: a stale socket file refuses connections."""

    async def met(self) -> bool:
        return await _ask(asyncio.open_unix_connection(self.socket), b"") is not None


@dataclass(frozen=True)
class Listens:
    """The child accepts connections at a port of this machine."""

    port: int

    def reset(self) -> None:
        """Nothing to forget: a port closes with its process."""

    async def met(self) -> bool:
        return await _ask(asyncio.open_connection(LOOPBACK[0], self.port), b"") is not None


@dataclass(frozen=True)
class AnswersPing:
    """The child is a Redis-like server that has loaded what it stored."""

    socket: Path

    def reset(self) -> None:
        """Nothing to forget: a stale socket file refuses connections."""

    async def met(self) -> bool:
        answer = await _ask(asyncio.open_unix_connection(self.socket), b"PING\r\n")
        return answer == b"+PONG\r\n"


@dataclass(frozen=True)
class Child:
    """A process to keep running: `env` is its whole environment."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready: Readiness
    stop_order: int  # those with the lowest stop first, those with the same one together
    grace: timedelta = timedelta(seconds=1)  # to stop in, even if all before it took all of theirs
    stop_signals: tuple[Signals, ...] = (Signals.SIGTERM, Signals.SIGKILL)
    orphan_signal: Signals = Signals.SIGKILL  # what it gets when the supervisor is killed
    pass_fds: tuple[int, ...] = ()


async def _ask(connecting: Connecting, question: bytes) -> bytes | None:
    """Send one line and give the answer, `b""` if nothing was asked, None if nobody answered."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
            reader, writer = await connecting
            try:
                writer.write(question)
                return await reader.readline() if question else b""
            finally:
                writer.close()
                await writer.wait_closed()
    except (OSError, TimeoutError):
        return None
