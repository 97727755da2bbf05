"""The blackboard in Redis: a hash for each entry, changed by scripts only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from syncsvc.coordination.board.model import MOST_ENTRIES, Change, Listed, Outcome, State
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.scripts import Script, Scripts

PACKAGE = "syncsvc.coordination.board"
CLOCK, ONCE = "syncsvc.coordination:clock", "syncsvc.coordination:once"
FENCE = "syncsvc.coordination.leases:fence"
CHANGE = Script.load(PACKAGE, CLOCK, ONCE, FENCE, "board", "change")
LOOK = Script.load(PACKAGE, CLOCK, "board", "look")
PAGE = Script.load(PACKAGE, CLOCK, "board", "page")


@dataclass
class RedisBoard:
    """`clock_shift` moves the server's clock, for tests."""

    scripts: Scripts
    life: timedelta
    most_entries: int = MOST_ENTRIES
    clock_shift: timedelta = timedelta(0)

    async def change(self, run: str, change: Change) -> tuple[Outcome, int]:
        done = keys.done(run, change.once.id, change.once.life)
        fence = change.fence
        lease = [keys.lease(run, fence.kind, fence.name)] if fence else []
        outcome, number = await self.scripts.run(
            CHANGE,
            [*self._keys(run), done, *lease],
            *self._arguments(run),
            change.name,
            change.value or "",
            change.worker or "",
            "" if change.if_version is None else change.if_version,
            "" if change.lasts is None else _ms(change.lasts),
            fence.token if fence else "",
            self.most_entries,
            done.life_ms,
        )
        return Outcome(outcome), int(number)

    async def look(self, run: str, name: str, known: int) -> State:
        version, value, worker, ends_in = await self.scripts.run(
            LOOK, self._keys(run), *self._arguments(run), name, known
        )
        ends = None if ends_in < 0 else timedelta(milliseconds=ends_in)
        return State(int(version), value or None, worker or None, ends)

    async def page(self, run: str, prefix: str, after: str, limit: int) -> Sequence[Listed]:
        flat: list[str] = await self.scripts.run(
            PAGE, self._keys(run), *self._arguments(run), _first(prefix, after), prefix, limit
        )
        parts = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        return [Listed(name, int(version), worker or None) for name, version, worker in parts]

    def _keys(self, run: str) -> list[keys.Key]:
        return [keys.board(run, part, self.life) for part in ("revision", "index", "due")]

    def _arguments(self, run: str) -> tuple[Any, ...]:
        prefix = keys.entry(run, "", self.life).name
        return _ms(self.clock_shift), _ms(self.life), keys.NEWS, run, prefix


def _first(prefix: str, after: str) -> str:
    if after and after >= prefix:  # characters sort as their bytes in UTF-8 do
        return f"({after}"
    return f"[{prefix}" if prefix else "-"


def _ms(time: timedelta) -> int:
    return round(time.total_seconds() * 1000)
