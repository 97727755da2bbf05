"""Checkpoints in Redis: three keys each, changed by scripts only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from syncsvc.coordination.checkpoints.model import Cause, Place, Standing
from syncsvc.coordination.checkpoints.ports import (
    ALIVE_FOR,
    UNTENDED_AFTER,
    Batch,
    Members,
    Waited,
    Withdrawn,
)
from syncsvc.coordination.names import subject
from syncsvc.stores.redis import keys
from syncsvc.stores.redis.scripts import Script, Scripts

PACKAGE = "syncsvc.coordination.checkpoints"
ARRIVE = Script.load(PACKAGE, "prelude", "counting", "arrive")
AGAIN = Script.load(PACKAGE, "prelude", "counting", "again")
TEND = Script.load(PACKAGE, "prelude", "policy", "tend")
SUSPECT = Script.load(PACKAGE, "prelude", "policy", "suspect")
WITHDRAW = Script.load(PACKAGE, "prelude", "policy", "withdraw")
ABORT = Script.load(PACKAGE, "prelude", "abort")
RESET = Script.load(PACKAGE, "prelude", "reset")
STATUS = Script.load(PACKAGE, "prelude", "status")
RESTORE = Script.load(PACKAGE, "prelude", "restore")


@dataclass
class RedisCheckpoints:
    """`clock_shift` moves the server's clock, for tests."""

    scripts: Scripts
    life: timedelta
    clock_shift: timedelta = timedelta(0)

    async def arrive(self, batch: Batch) -> Sequence[tuple[int, Standing]]:
        place, terms = batch.place, batch.terms
        answer = await self.scripts.run(
            ARRIVE,
            [*self._keys(place), keys.checkpoint_answer(place.run, batch.call)],
            *self._common(place),
            terms.target,
            terms.policy.value,
            int(terms.cyclic),
            int(batch.lenient),
            "" if batch.generation is None else batch.generation,
            batch.call,
            _ms(ALIVE_FOR),
            _json(batch.workers),
        )
        texts = zip(answer[::2], answer[1::2], strict=True)
        return [(int(many), Standing.read(text)) for many, text in texts]

    async def again(self, waited: Waited) -> Standing:
        terms = waited.terms
        text = await self._run(
            AGAIN,
            waited.place,
            waited.generation,
            terms.target,
            terms.policy.value,
            int(terms.cyclic),
            _ms(ALIVE_FOR),
            _json(waited.members.workers),
            _json(waited.members.calls),
        )
        return Standing.read(text)

    async def tend(self, waited: Waited, within: timedelta) -> Standing | None:
        members = waited.members
        text = await self._run(
            TEND,
            waited.place,
            waited.generation,
            _ms(ALIVE_FOR),
            _ms(within),
            _ms(UNTENDED_AFTER),
            _json(members.workers) if members.workers else "",
            _json(members.calls) if members.workers else "",
        )
        return _standing(text)

    async def suspect(self, waited: Waited, within: timedelta) -> None:
        members = waited.members
        names, calls = _json(members.workers), _json(members.calls)
        await self._run(SUSPECT, waited.place, waited.generation, _ms(within), names, calls)

    async def withdraw(self, place: Place, members: Members, cause: Cause) -> Withdrawn:
        before, arrived, last = await self._run(
            WITHDRAW, place, cause.value, _json(members.workers), _json(members.calls)
        )
        return Withdrawn(_standing(before), arrived, _standing(last))

    async def abort(self, place: Place, reason: str) -> Standing:
        return Standing.read(await self._run(ABORT, place, reason))

    async def reset(self, place: Place, call: str, reason: str) -> Standing:
        return Standing.read(await self._run(RESET, place, call, reason))

    async def status(self, place: Place) -> tuple[Standing, Mapping[str, int]]:
        text, flat = await self._run(STATUS, place)
        moments = (int(kept.rpartition("|")[2]) for kept in flat[1::2])
        return Standing.read(text), dict(zip(flat[::2], moments, strict=True))

    async def restore(self, place: Place, ending: Standing) -> None:
        await self._run(RESTORE, place, *ending.fields())

    async def _run(self, script: Script, place: Place, *arguments: str | int) -> Any:
        return await self.scripts.run(script, self._keys(place), *self._common(place), *arguments)

    def _keys(self, place: Place) -> list[keys.Key]:
        return keys.checkpoint(place.run, place.name, self.life)

    def _common(self, place: Place) -> tuple[str | int, ...]:
        about = subject("checkpoint", place.run, place.name)
        return _ms(self.clock_shift), _ms(self.life), keys.NEWS, about


def _standing(text: str) -> Standing | None:
    return Standing.read(text) if text else None


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)


def _json(names: Sequence[str]) -> str:
    return msgspec.json.encode(names).decode()
