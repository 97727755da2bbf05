"""Logs in memory, for tests and for what needs no server."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncsvc.loadtests.capping import Cap, Piece
from syncsvc.loadtests.chunking import (
    Part,
    Weight,
    check_place,
    grown,
    in_order,
    packed,
    stamped,
    unpacked,
)
from syncsvc.loadtests.memory_rows import Shelf, not_known
from syncsvc.loadtests.merging import Summaries
from syncsvc.loadtests.ports import Addition, Chunk, KeptLog


@dataclass(frozen=True)
class MemoryLogs:
    shelf: Shelf

    async def logs(self, step_ids: Collection[str]) -> Sequence[KeptLog]:
        found = [log for log in self.shelf.logs.values() if log.source.step_id in step_ids]
        return sorted(found, key=in_order)

    async def log(self, log_id: str) -> KeptLog:
        if log_id not in self.shelf.logs:
            raise not_known("log", log_id)
        return self.shelf.logs[log_id]

    async def append(
        self, fence: int, additions: Sequence[Addition], cap: Cap, at: datetime
    ) -> None:
        self.shelf.check(fence)
        here = [each for each in additions if each.source.step_id in self.shelf.steps]
        for addition in here:
            check_place(self.shelf.logs.get(addition.source.id), addition)
        for addition in here:
            self._grow(addition, cap, at)

    async def chunks(
        self, log_id: str, after: int = 0, *, limit: int = 16, since: int | None = None
    ) -> Sequence[Chunk]:
        parts = self.shelf.chunks.get(log_id, {})
        numbers = [number for number in sorted(parts) if number > after]
        wanted = [number for number in numbers if _ends_since(parts[number], since)]
        return [_chunk(number, parts[number]) for number in wanted[:limit]]

    async def keep_summaries(self, fence: int, step_id: str, summaries: Summaries) -> None:
        self.shelf.check(fence)
        if step_id not in self.shelf.steps:
            return
        kept = self.shelf.summaries.setdefault(step_id, {})
        for runner, rows in summaries.items():
            kept.pop(runner, None)
            if rows:
                kept[runner] = list(rows)

    async def summaries(self, step_id: str) -> Summaries:
        return dict(sorted(self.shelf.summaries.get(step_id, {}).items()))

    def _grow(self, addition: Addition, cap: Cap, at: datetime) -> None:
        its_id = addition.source.id
        before = self.shelf.logs.get(its_id) or KeptLog(addition.source)
        chunks = {} if addition.replaces else self.shelf.chunks.get(its_id, {})
        stored = [
            Weight(Piece(number, part.lines, part.size), len(part.packed))
            for number, part in chunks.items()
        ]
        parts = packed(addition.fresh, cap)
        growth = stamped(grown(before, addition, parts, stored, cap), at)
        self.shelf.logs[its_id] = growth.log
        kept = {number: part for number, part in chunks.items() if number not in growth.removed}
        self.shelf.chunks[its_id] = {**kept, **dict(growth.added)}


def _ends_since(part: Part, since: int | None) -> bool:
    return since is None or part.last_moment is None or part.last_moment >= since


def _chunk(number: int, part: Part) -> Chunk:
    log = unpacked(part.packed)
    return Chunk(number, part.lines, part.first_moment, part.last_moment, log)
