"""A checkpoint, seen from a worker that waits at it."""

from typing import Literal

import msgspec

from syncsvc.client.asking import Done, Part
from syncsvc.client.calls import Wait
from syncsvc.client.failures import (
    CheckpointAborted,
    CheckpointBroken,
    CheckpointFailed,
    CheckpointLeft,
    CheckpointLost,
    CheckpointTimedOut,
)
from syncsvc.client.tempo import Seconds, seconds

Policy = Literal["ignore", "fail", "shrink"]

DEFAULT_TIMEOUT = 60.0  # seconds: nobody waits for ever by oversight
SHORTEST = 0.001  # a worker that does not want to wait looks at the status instead
PASSED = ("released", "late")


class Outcome(msgspec.Struct, frozen=True):
    """How a wait ended, and when to go on together.

    `start_at` is that moment in unix milliseconds by the server's clock; `start_in_ms` is how
    long to wait for it after the wait has ended, which needs no clock that is set.
    """

    name: str
    outcome: str
    generation: int
    target: int
    arrived: int
    start_at: int | None = None
    start_in_ms: int | None = None
    reason: str | None = None
    broken_by: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.outcome in PASSED

    @property
    def seconds_until_start(self) -> float:
        """How long to sleep now, right after the wait, to go on together with the others."""
        return (self.start_in_ms or 0) / 1000


class Arrival(msgspec.Struct, frozen=True):
    worker: str
    since: int | float | str


class CheckpointStatus(msgspec.Struct, frozen=True):
    """Who is there, and who is missing of the workers that are present.

    `anonymous` counts plain TestSync agents that gave no name.
    """

    name: str
    state: str
    generation: int = 0
    target: int | None = None
    policy: str | None = None
    cyclic: bool = False
    arrived: tuple[Arrival, ...] = ()
    anonymous: int = 0
    missing: tuple[str, ...] = ()
    missing_count: int = 0
    reason: str | None = None

    @property
    def next_generation(self) -> int:
        """The generation in which a worker that arrives now is counted, or told of its end."""
        begins = self.cyclic and self.state == "released"
        return self.generation + 1 if begins else max(self.generation, 1)


class Checkpoint(Part):
    """Holds workers back until enough of them have arrived."""

    async def wait(
        self,
        target: int,
        *,
        timeout: Seconds = DEFAULT_TIMEOUT,
        policy: Policy = "ignore",
        cyclic: bool = False,
    ) -> Outcome:
        """Arrive, and wait until `target` workers have.

        A lost connection is no second arrival: the wait goes on in the generation it began in.
        Raises CheckpointTimedOut, CheckpointBroken, CheckpointAborted and their kin.
        """
        generation = (await self.status()).next_generation
        outcome = await self._ask(
            Outcome,
            "checkpoint.wait",
            Wait("timeout_seconds", seconds("timeout", timeout), SHORTEST),
            worker=self._session.worker,
            target=target,
            policy=policy,
            cyclic=cyclic,
            generation=generation,
        )
        if not outcome.passed:
            raise _failure(outcome)
        return outcome

    async def status(self) -> CheckpointStatus:
        return await self._ask(CheckpointStatus, "checkpoint.status")

    async def abort(self, reason: str) -> None:
        """Tell all who wait that it will not open, and why."""
        await self._ask(Done, "checkpoint.abort", reason=reason)

    async def leave(self) -> None:
        """Take this worker's arrival back."""
        await self._ask(Done, "checkpoint.leave", worker=self._session.worker)

    async def reset(self) -> None:
        """Begin a new generation."""
        await self._ask(Done, "checkpoint.reset")


_FAILURES: dict[str, type[CheckpointFailed]] = {
    "aborted": CheckpointAborted,
    "broken": CheckpointBroken,
    "left": CheckpointLeft,
    "lost": CheckpointLost,
    "timed_out": CheckpointTimedOut,
}


def _failure(outcome: Outcome) -> CheckpointFailed:
    kind = _FAILURES.get(outcome.outcome, CheckpointFailed)
    named = f"checkpoint {outcome.name!r}"
    if outcome.reason and outcome.reason.startswith(named):  # the server has said it all
        return kind(outcome.reason, outcome)
    said = f"{named}: {outcome.outcome.replace('_', ' ')}"
    counted = f"{outcome.arrived} of {outcome.target} had arrived"
    by = f"; broken by {', '.join(outcome.broken_by)}" if outcome.broken_by else ""
    why = f"; {outcome.reason}" if outcome.reason else ""
    return kind(f"{said}; {counted}{by}{why}", outcome)
