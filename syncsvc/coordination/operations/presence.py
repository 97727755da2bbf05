"""The commands of presence."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from syncsvc.coordination.operations.fields import EXACT, Asking, Seconds, json_text
from syncsvc.coordination.operations.operation import Caller, Operation, Reply, table
from syncsvc.coordination.presence.model import Arriving, Attendance
from syncsvc.coordination.presence.service import PresenceService

LONGEST_TERM = 3600.0  # seconds; whoever is silent longer is not there


def _nothing() -> msgspec.Raw:
    return msgspec.Raw(b"null")


class PresenceJoin(Asking, frozen=True, kw_only=True):
    ttl_seconds: Annotated[float, Meta(ge=0.1, le=LONGEST_TERM)] = 15
    about: msgspec.Raw = msgspec.field(default_factory=_nothing)


class PresenceBeat(Asking, frozen=True, kw_only=True):
    pass


class PresenceLeave(Asking, frozen=True, kw_only=True):
    pass


class PresenceList(Asking, frozen=True, kw_only=True):
    after_version: Annotated[int, Meta(ge=0, le=EXACT)] | None = None
    wait_seconds: Seconds = 0


class PresenceVersion(Reply, frozen=True):
    worker: str
    version: int


class PresenceBeaten(Reply, frozen=True):
    worker: str


class PresentWorker(msgspec.Struct, frozen=True):
    worker: str
    since: int  # unix ms
    about: msgspec.Raw


class PresentWorkers(Reply, frozen=True):
    version: int
    workers: list[PresentWorker]


@dataclass(frozen=True)
class PresenceCommands:
    """Carries them out."""

    presence: PresenceService

    async def join(self, caller: Caller, asked: PresenceJoin) -> PresenceVersion:
        lasts = timedelta(seconds=asked.ttl_seconds)
        worker = caller.named(asked.worker)
        arriving = Arriving(worker, lasts, json_text("about", asked.about))
        return PresenceVersion(worker, await self.presence.join(caller.run, arriving))

    async def beat(self, caller: Caller, asked: PresenceBeat) -> PresenceBeaten:
        worker = caller.named(asked.worker)
        await self.presence.beat(caller.run, worker)
        return PresenceBeaten(worker)

    async def leave(self, caller: Caller, asked: PresenceLeave) -> PresenceVersion:
        worker = caller.named(asked.worker)
        return PresenceVersion(worker, await self.presence.leave(caller.run, worker))

    async def list(self, caller: Caller, asked: PresenceList) -> PresentWorkers:
        found = await self.presence.list(caller.run, asked.after_version, asked.wait_seconds)
        return _workers(found)


def presence_operations(presence: PresenceService) -> dict[str, Operation]:
    """Give the commands of presence."""
    do = PresenceCommands(presence)
    return table(
        Operation(
            "presence.join",
            "Makes a worker present until its time passes without a beat.",
            PresenceJoin,
            PresenceVersion,
            do.join,
        ),
        Operation(
            "presence.beat",
            "Renews the time of a worker that is present.",
            PresenceBeat,
            PresenceBeaten,
            do.beat,
        ),
        Operation(
            "presence.leave",
            "Lets a worker go.",
            PresenceLeave,
            PresenceVersion,
            do.leave,
        ),
        Operation(
            "presence.list",
            "Lists who is present, waiting until that is another than at a version.",
            PresenceList,
            PresentWorkers,
            do.list,
        ),
    )


def _workers(found: Attendance) -> PresentWorkers:
    workers = [
        PresentWorker(
            each.worker, round(each.since.timestamp() * 1000), msgspec.Raw(each.about.encode())
        )
        for each in found.workers
    ]
    return PresentWorkers(found.version, workers)
