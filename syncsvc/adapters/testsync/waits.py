"""Waits at checkpoints, and how their ends are told: as TestSync does, or with all we know.

TestSync knows no end but the release. A plain agent whose checkpoint ends otherwise is told what
happened, in a message that TestSync lacks, and then loses its connection: it must not hang.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import Protocol

from syncsvc.adapters.testsync import replies, wire
from syncsvc.coordination.checkpoints.model import (
    HIDDEN,
    LARGEST_TARGET,
    Arrival,
    Outcome,
    Policy,
    Terms,
)
from syncsvc.coordination.names import check_name
from syncsvc.coordination.operations.operation import LONGEST_WAIT
from syncsvc.errors import Conflict, Rejected, SyncsvcError

COMMAND = "wait_checkpoint"


class Shared:
    """What all who are told one outcome are sent: written once."""

    __slots__ = ("_outcome", "_payload", "_write")

    def __init__(self, write: Callable[[Outcome], bytes]) -> None:
        self._write = write
        self._outcome: Outcome | None = None
        self._payload = b""

    def payload(self, outcome: Outcome) -> bytes:
        if outcome is not self._outcome:
            self._payload = self._write(outcome)
            self._outcome = outcome
        return self._payload


class Releases:
    """The payloads of the outcome that is told now, in both shapes."""

    __slots__ = ("extended", "plain")

    def __init__(self) -> None:
        self.plain = Shared(replies.outcome)
        self.extended = Shared(replies.extended)


class Agent(Protocol):
    """A connection, as far as its waits know it."""

    errors: bool
    waits: set["PlainWait | NamedWait"]

    @property
    def releases(self) -> Releases: ...

    def send(self, payload: bytes) -> None: ...

    def close(self, code: int, reason: str) -> None: ...


class PlainWait:
    """A wait of an agent that knows TestSync only."""

    __slots__ = ("_agent", "_id", "arrival")

    def __init__(self, agent: Agent, arrival: Arrival, identity: wire.Id) -> None:
        self._agent = agent
        self._id = identity
        self.arrival = arrival

    def tell(self, outcome: Outcome) -> None:
        agent = self._agent
        agent.waits.discard(self)
        if outcome.ending in replies.OPENED:
            agent.send(agent.releases.plain.payload(outcome))
        else:
            self._end(_unopened(outcome))

    def refuse(self, error: SyncsvcError) -> None:
        self._agent.waits.discard(self)
        if isinstance(error, Rejected) and self._agent.errors:
            self._agent.send(replies.error(COMMAND, self._id, error))
        else:
            self._end(error)

    def _end(self, error: SyncsvcError) -> None:
        if self._agent.errors:
            self._agent.send(replies.error(COMMAND, self._id, error))
        self._agent.close(1011, str(error))


class NamedWait:
    """A wait of an agent that uses more than TestSync knows."""

    __slots__ = ("_agent", "_id", "arrival")

    def __init__(self, agent: Agent, arrival: Arrival, identity: wire.Id) -> None:
        self._agent = agent
        self._id = identity
        self.arrival = arrival

    def tell(self, outcome: Outcome) -> None:
        agent = self._agent
        agent.waits.discard(self)
        agent.send(agent.releases.extended.payload(outcome))

    def refuse(self, error: SyncsvcError) -> None:
        self._agent.waits.discard(self)
        self._agent.send(replies.error(COMMAND, self._id, error))


def plain_arrival(run: str, session: str, command: wire.WaitCheckpoint) -> Arrival:
    """Give the arrival of an agent without a name: each one counts."""
    worker = HIDDEN + session
    return Arrival(run, command.identifier, worker, _terms(command.target), session, lenient=True)


def named_arrival(
    run: str, session: str, worker: str | None, command: wire.WaitCheckpoint
) -> Arrival:
    """Give the arrival of a worker, or of somebody without a name who says more than TestSync.

    Raises Rejected that names the field which cannot be.
    """
    asked = command.extras or wire.Extras(command.identifier, command.target)
    if not 1 <= asked.target_count <= LARGEST_TARGET:
        raise Rejected(f"target_count: expected 1 to {LARGEST_TARGET}, found {asked.target_count}")
    named = asked.worker if asked.worker is not None else worker
    return Arrival(
        run,
        check_name("identifier", asked.identifier),
        HIDDEN + session if named is None else named,
        Terms(asked.target_count, Policy(asked.policy), asked.cyclic),
        session,
        generation=asked.generation,
        timeout=_timeout(asked.timeout_seconds),
    )


@lru_cache(maxsize=1024)
def _terms(target: int) -> Terms:
    return Terms(target)


def _timeout(seconds: float | None) -> timedelta | None:
    if seconds is None:
        return None
    if not 0 < seconds <= LONGEST_WAIT:
        raise Rejected(
            f"timeout_seconds: expected more than 0 and at most {LONGEST_WAIT:g}, found {seconds:g}"
        )
    return timedelta(seconds=seconds)


def _unopened(outcome: Outcome) -> Conflict:
    why = outcome.reason or ", ".join(outcome.broken_by)
    said = f"checkpoint {outcome.name[:80]!r}: expected a release, found it {outcome.ending}"
    return Conflict(f"{said}: {why}" if why else said)
