"""Keeps what was read of logs, many at once in one transaction.

A log and how far it is read are kept together: whatever is not kept is read again. A summary is
kept before the log that it is from is called complete, so that it cannot be forgotten.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from syncsvc.loadtests.capping import Cap
from syncsvc.loadtests.ports import Addition, Logs
from syncsvc.loadtests.summary_rows import Row

HELD = 200  # additions
HELD_SIZE = 8_000_000  # bytes


@dataclass
class Appending:
    """Additions of one cycle. Whoever adds while others are being kept waits for that."""

    logs: Logs
    fence: int
    cap: Cap
    clock: Callable[[], datetime]
    _held: list[Addition] = field(default_factory=list, init=False)
    _rows: dict[str, dict[int, list[Row]]] = field(default_factory=dict, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def add(self, addition: Addition, rows: list[Row] | None = None) -> None:
        """Take an addition, with the summary of its runner. Raises what Logs raises."""
        async with self._lock:
            self._held.append(addition)
            index = addition.source.index
            if rows and index is not None:
                self._rows.setdefault(addition.source.step_id, {})[index] = rows
            if len(self._held) >= HELD or self._size >= HELD_SIZE:
                await self._keep()

    async def flush(self) -> None:
        """Keep all that was taken."""
        async with self._lock:
            await self._keep()

    @property
    def _size(self) -> int:
        return sum(len(addition.fresh) for addition in self._held)

    async def _keep(self) -> None:
        if not self._held:
            return
        held, rows = self._held, self._rows
        self._held, self._rows = [], {}
        for step_id, summaries in rows.items():
            await self.logs.keep_summaries(self.fence, step_id, summaries)
        await self.logs.append(self.fence, held, self.cap, self.clock())
