"""What a connection has said while something that it said before is still under way."""

from collections import deque
from typing import Protocol

from syncsvc.adapters.testsync.wire import Command
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

MOST = 1000  # messages
LARGEST = 4 * 1024 * 1024  # bytes; with more of either the connection is not read


class Speaker(Protocol):
    """A connection, as far as its backlog knows it."""

    async def carry_out(self, command: Command) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def backlog_ended(self) -> None: ...

    def close(self, code: int, reason: str) -> None: ...


class Backlog:
    """Commands in the order in which they came."""

    __slots__ = ("_bytes", "_commands", "_paused", "_speaker")

    def __init__(self, speaker: Speaker, first: Command) -> None:
        self._speaker = speaker
        self._commands = deque(((first, 0),))
        self._bytes = 0
        self._paused = False

    def add(self, command: Command, size: int) -> None:
        """Queue a command, of a message of so many bytes."""
        self._commands.append((command, size))
        self._bytes += size
        if not self._paused and self._is_long():
            self._paused = True
            self._speaker.pause_reading()

    async def work_off(self) -> None:
        """Carry out all, in order."""
        try:
            while self._commands:
                command, size = self._commands[0]
                await self._speaker.carry_out(command)
                self._commands.popleft()
                self._bytes -= size
                self._read_on()
        except Exception:  # the outermost frame of a connection's work; its peer must not hang
            log.exception("connection failed unexpectedly")
            self._speaker.close(1011, "we failed unexpectedly")
        finally:
            self._speaker.backlog_ended()

    def _read_on(self) -> None:
        if self._paused and not self._is_long():
            self._paused = False
            self._speaker.resume_reading()

    def _is_long(self) -> bool:
        return len(self._commands) >= MOST or self._bytes >= LARGEST
