"""The commands of checkpoints."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from syncsvc.coordination.checkpoints.model import (
    LARGEST_TARGET,
    LONGEST_REASON,
    Arrival,
    Outcome,
    Policy,
    Status,
    Terms,
)
from syncsvc.coordination.checkpoints.service import Meetings
from syncsvc.coordination.names import check_name
from syncsvc.coordination.operations.fields import EXACT, Asking
from syncsvc.coordination.operations.operation import LONGEST_WAIT, Caller, Operation, Reply, table


class CheckpointWait(Asking, frozen=True, kw_only=True):
    name: str
    target: Annotated[int, Meta(ge=1, le=LARGEST_TARGET)]
    timeout_seconds: Annotated[float, Meta(gt=0, le=LONGEST_WAIT)] | None = None
    policy: Policy = Policy.IGNORE
    cyclic: bool = False
    generation: Annotated[int, Meta(ge=1, le=EXACT)] | None = None


class CheckpointName(Asking, frozen=True, kw_only=True):
    name: str


class CheckpointAbort(Asking, frozen=True, kw_only=True):
    name: str
    reason: Annotated[str, Meta(min_length=1, max_length=LONGEST_REASON)]


class CheckpointOutcome(Reply, frozen=True):
    name: str
    outcome: str
    generation: int
    target: int
    arrived: int
    start_at: int | None  # unix ms, by the clock of Redis
    start_in_ms: int | None  # the same moment, counted from this answer
    reason: str | None
    broken_by: list[str]


class CheckpointArrived(msgspec.Struct, frozen=True):
    worker: str
    since: int  # unix ms


class CheckpointStatus(Reply, frozen=True):
    name: str
    state: str
    generation: int
    target: int
    policy: str
    cyclic: bool
    arrived: list[CheckpointArrived]
    anonymous: int  # arrivals of connections that gave no worker's name
    missing: list[str]
    missing_count: int
    reason: str | None


@dataclass(frozen=True)
class CheckpointCommands:
    """Carries them out."""

    meetings: Meetings

    async def wait(self, caller: Caller, asked: CheckpointWait) -> CheckpointOutcome:
        arrival = arrival_of(caller, asked, session=secrets.token_hex(8))
        return outcome_reply(await self.meetings.wait(arrival))

    async def status(self, caller: Caller, asked: CheckpointName) -> CheckpointStatus:
        return await self._status(caller, check_name("name", asked.name))

    async def abort(self, caller: Caller, asked: CheckpointAbort) -> CheckpointStatus:
        name = check_name("name", asked.name)
        await self.meetings.abort(caller.run, name, asked.reason)
        return await self._status(caller, asked.name)

    async def leave(self, caller: Caller, asked: CheckpointName) -> CheckpointStatus:
        name = check_name("name", asked.name)
        await self.meetings.leave(caller.run, name, caller.named(asked.worker))
        return await self._status(caller, asked.name)

    async def reset(self, caller: Caller, asked: CheckpointName) -> CheckpointStatus:
        await self.meetings.reset(caller.run, check_name("name", asked.name))
        return await self._status(caller, asked.name)

    async def _status(self, caller: Caller, name: str) -> CheckpointStatus:
        return status_reply(name, await self.meetings.status(caller.run, name))


def arrival_of(caller: Caller, asked: CheckpointWait, *, session: str) -> Arrival:
    """Give the arrival that a command asks for. Raises Rejected without a worker's name."""
    timeout = asked.timeout_seconds
    return Arrival(
        run=caller.run,
        name=asked.name,
        worker=caller.named(asked.worker),
        terms=Terms(asked.target, asked.policy, asked.cyclic),
        session=session,
        generation=asked.generation,
        timeout=None if timeout is None else timedelta(seconds=timeout),
    )


def outcome_reply(outcome: Outcome) -> CheckpointOutcome:
    return CheckpointOutcome(
        name=outcome.name,
        outcome=outcome.ending.value,
        generation=outcome.generation,
        target=outcome.target,
        arrived=outcome.arrived,
        start_at=outcome.start_at,
        start_in_ms=outcome.start_in_ms,
        reason=outcome.reason,
        broken_by=list(outcome.broken_by),
    )


def status_reply(name: str, status: Status) -> CheckpointStatus:
    found = status.standing
    return CheckpointStatus(
        name=name,
        state=found.state.value,
        generation=found.generation,
        target=found.target,
        policy=found.policy.value,
        cyclic=found.cyclic,
        arrived=[CheckpointArrived(worker, since) for worker, since in status.arrived],
        anonymous=status.anonymous,
        missing=list(status.missing),
        missing_count=status.missing_count,
        reason=status.reason,
    )


def checkpoint_operations(meetings: Meetings) -> dict[str, Operation]:
    """Give the commands of checkpoints."""
    do = CheckpointCommands(meetings)
    return table(
        Operation(
            "checkpoint.wait",
            "Arrives at a checkpoint and waits until it ends.",
            CheckpointWait,
            CheckpointOutcome,
            do.wait,
        ),
        Operation(
            "checkpoint.status",
            "Says who has arrived at a checkpoint and who is missing.",
            CheckpointName,
            CheckpointStatus,
            do.status,
        ),
        Operation(
            "checkpoint.abort",
            "Ends a checkpoint for all who wait or come, until it is reset.",
            CheckpointAbort,
            CheckpointStatus,
            do.abort,
        ),
        Operation(
            "checkpoint.leave",
            "Takes an arrival back.",
            CheckpointName,
            CheckpointStatus,
            do.leave,
        ),
        Operation(
            "checkpoint.reset",
            "Begins the next generation of a checkpoint.",
            CheckpointName,
            CheckpointStatus,
            do.reset,
        ),
    )
