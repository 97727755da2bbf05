"""What meeting needs from outside: a store that counts, somebody to tell, and a clock."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from syncsvc.coordination.checkpoints.model import (
    Cause,
    Outcome,
    Place,
    Standing,
    State,
    Terms,
)
from syncsvc.errors import SyncsvcError

ALIVE_FOR = timedelta(seconds=15)  # without a sign of life; three times as long as they are apart
UNTENDED_AFTER = timedelta(seconds=5)  # longer than a few rounds of tending
CONFIRM_WITHIN = 15.0  # seconds for an arrival; longer than a server needs to restart

Present = Callable[[str], Awaitable[Sequence[str]]]
"""Gives the names of the workers that are present in a run; nobody known is an empty answer."""


class Waiter(Protocol):
    """Somebody who waits; exactly one of the two is called, once, and must not raise."""

    def tell(self, outcome: Outcome) -> None:
        """The wait has ended."""
        ...

    def refuse(self, error: SyncsvcError) -> None:
        """The arrival was not counted."""
        ...


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class Timers(Protocol):
    """What a wait needs of an event loop."""

    def time(self) -> float:
        """Give seconds that only grow."""
        ...

    def call_later(self, delay: float, callback: Callable[..., object], /, *args: Any) -> Any:
        """Call back after so many seconds, unless what this gives is cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Arrivals of one moment that differ only in who arrives."""

    place: Place
    terms: Terms
    workers: Sequence[str]
    call: str  # this batch's own; it is what each worker's arrival is known by
    generation: int | None = None
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Members:
    """Workers and, for each, the batch it arrived with; '' takes any."""

    workers: Sequence[str] = ()
    calls: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Waited:
    """A generation of a checkpoint, and those who wait for it here."""

    place: Place
    generation: int
    terms: Terms
    members: Members


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """How the checkpoint stood before some took their arrival back, and who had arrived.

    `last`: how the generation before it ended, where that is known.
    """

    before: Standing | None
    arrived: Sequence[str] = ()
    last: Standing | None = None

    def of(self, generation: int) -> Standing:
        """Say how a generation stood that somebody was counted in; unknown if it was forgotten."""
        if self.before is None or self.before.generation < generation:
            return Standing(State.UNKNOWN, generation)
        if self.before.generation == generation:
            return self.before
        if self.last is not None and self.last.generation == generation:
            return self.last
        return replace(self.before.named(State.LATE), generation=generation)


class Checkpoints(Protocol):
    """Counts arrivals. Each call is atomic and may be repeated; all raise Unavailable.

    Every ending is announced, under the subject of the checkpoint, as the text of a Standing.
    """

    async def arrive(self, batch: Batch) -> Sequence[tuple[int, Standing]]:
        """Count arrivals in order, and give how so many of them, then so many, stand.

        Open: counted and waiting. Late: it was released before. Mismatch: not counted.
        """
        ...

    async def again(self, waited: Waited) -> Standing:
        """Count those who wait once more, and give how their generation stands.

        A store that has lost its last moments learns from this what it forgot.
        """
        ...

    async def tend(self, waited: Waited, within: timedelta) -> Standing | None:
        """Note that the members live, and apply the policy to those who do not.

        None: the generation is not known (any more). `within`: who has not lived longer than
        this is named beside the dead. Where nobody tended for a while nobody could give a sign
        of life, so all who were counted live on for one term.
        """
        ...

    async def suspect(self, waited: Waited, within: timedelta) -> None:
        """Give members that lost their connection so long to come back."""
        ...

    async def withdraw(self, place: Place, members: Members, cause: Cause) -> Withdrawn:
        """Take arrivals back, and apply the policy.

        A worker that leaves without having arrived counts where the policy minds its absence.
        """
        ...

    async def abort(self, place: Place, reason: str) -> Standing:
        """End a checkpoint for all who wait or come, unless it has ended before."""
        ...

    async def reset(self, place: Place, call: str, reason: str) -> Standing:
        """Begin the next generation once for each `call`; who waits is aborted with the reason."""
        ...

    async def status(self, place: Place) -> tuple[Standing, Mapping[str, int]]:
        """Give how a checkpoint stands, and who arrived when (unix ms)."""
        ...

    async def restore(self, place: Place, ending: Standing) -> None:
        """Write an ending that agents were told, if the store does not know it."""
        ...
