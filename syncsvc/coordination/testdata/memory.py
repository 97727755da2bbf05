"""Test data in this process: the twin that unit tests use."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class MemoryTestData:
    rows: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)

    async def create(self, run: str, content: bytes, at: datetime) -> bool:
        if run in self.rows:
            return False
        self.rows[run] = content, at
        return True

    async def replace(self, run: str, content: bytes, at: datetime) -> None:
        self.rows[run] = content, at

    async def read(self, run: str) -> bytes | None:
        found = self.rows.get(run)
        return None if found is None else found[0]

    async def older(self, before: datetime) -> Sequence[str]:
        return [run for run, (_, at) in self.rows.items() if at < before]

    async def forget(self, before: datetime, runs: Collection[str]) -> int:
        old = [run for run in await self.older(before) if run in runs]
        for run in old:
            del self.rows[run]
        return len(old)
