"""Counts of connections in this process: the twin that unit tests use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syncsvc.coordination.connections.model import Count
from syncsvc.coordination.names import subject


@dataclass
class MemoryConnections:
    clock: Callable[[], datetime]
    silent_after: timedelta
    announce: Callable[[str, str], None]  # as Signals.announced
    said: dict[str, dict[str, tuple[Count, datetime]]] = field(default_factory=dict)

    async def report(self, run: str, count: Count) -> Sequence[Count]:
        sources = self.said.setdefault(run, {})
        known = sources[count.source][0] if count.source in sources else None
        if known is None or known.number <= count.number:
            sources[count.source] = (count, self.clock())
            if known is None or (known.live, known.ever) != (count.live, count.ever):
                body = f"{count.number}|{count.live}|{count.ever}|{count.source}"
                self.announce(subject("connections", run), body)
        return await self.counts(run)

    async def counts(self, run: str) -> Sequence[Count]:
        stale = self.clock() - self.silent_after
        return [
            count if said_at >= stale else replace(count, live=0)
            for count, said_at in self.said.get(run, {}).values()
        ]
