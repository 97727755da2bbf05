"""One life of a child: from its start, through the lines it prints, to its exit code."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from signal import Signals
from typing import Self

from syncsvc.embedded.child import Child
from syncsvc.embedded.tether import BY_KERNEL, tied

LAST_WORDS_S = 1.0  # for output of somebody who outlived the child and holds its pipe
LONGEST_LINE = 64 * 1024


class Life:
    """A process with a session of its own, so a terminal's Ctrl-C does not reach it."""

    def __init__(
        self, process: asyncio.subprocess.Process, pipe: asyncio.ReadTransport, lines: "Lines"
    ) -> None:
        self._process = process
        self._pipe = pipe
        self._lines = lines

    @classmethod
    async def begin(cls, child: Child, hear: Callable[[str], None]) -> Self:
        """Start the child and hand each line that it prints to `hear`.

        Raises OSError if the process cannot be started.
        """
        reading, writing = os.pipe()
        try:
            process = await _spawn(child, writing)
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        pipe, lines = await asyncio.get_running_loop().connect_read_pipe(
            lambda: Lines(hear), os.fdopen(reading, "rb", buffering=0)
        )
        return cls(process, pipe, lines)

    @property
    def pid(self) -> int:
        return self._process.pid

    def signal(self, number: Signals) -> None:
        """Send a signal; SIGKILL also hits whatever the child has started in its session."""
        with suppress(ProcessLookupError, PermissionError):
            if number is Signals.SIGKILL:
                os.killpg(self.pid, number)
            elif self._process.returncode is None:
                os.kill(self.pid, number)

    async def end(self) -> int:
        """Wait for the exit code, negative for a signal; cancelled, it kills the child."""
        try:
            return await self._process.wait()
        finally:
            self.signal(Signals.SIGKILL)
            await self._process.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._lines.ended.wait(), LAST_WORDS_S)
            self._pipe.close()
            await self._lines.ended.wait()


class Lines(asyncio.Protocol):
    """Cuts a stream of bytes into lines."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        self._hear = hear
        self._rest = b""
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            whole, self._rest = [*whole, self._rest], b""
        for line in whole:
            self._hear(line.decode(errors="replace").rstrip("\r"))

    def connection_lost(self, _error: Exception | None) -> None:
        if self._rest:
            self._hear(self._rest.decode(errors="replace"))
        self.ended.set()


async def _spawn(child: Child, output: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *tied(child.argv, child.orphan_signal),
        stdin=asyncio.subprocess.DEVNULL if BY_KERNEL else asyncio.subprocess.PIPE,
        stdout=output,
        stderr=output,
        env=dict(child.env),
        start_new_session=True,
        pass_fds=child.pass_fds,
    )
