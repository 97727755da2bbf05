"""Of those who wait for a lease in this process, the foremost watches for all.

Those before it in the queue may be of a gateway that is gone, and then nobody looks for them.
"""

from dataclasses import dataclass, field

from syncsvc.coordination.leases.model import Lease, View
from syncsvc.coordination.signals import Signals
from syncsvc.coordination.waiting import LOOK_AGAIN

WATCH = 1.0  # seconds; the foremost of a gateway looks so often while others are before it
MOMENT = 0.002  # seconds; whoever looks so long after the end finds that it has come


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a call stood when it looked last."""

    place: int
    worker: str


@dataclass
class Line:
    """The calls that wait for one lease, foremost first, as far as is known."""

    calls: dict[str, Standing] = field(default_factory=dict)  # by their tickets
    watching: str | None = None  # the ticket of that call
    looking: set[str] = field(default_factory=set)  # they will know where they stand in a moment

    def stands(self, ticket: str, standing: Standing) -> bool:
        """Note where a call stands; whether it is the one that watches from now on."""
        self.looking.discard(ticket)
        before = self.calls.get(ticket)
        if before is not None and before.place < standing.place:  # it queued again
            del self.calls[ticket]
        self.calls[ticket] = standing
        is_foremost = standing.place == 1 or next(iter(self.calls)) == ticket
        if is_foremost or self.watching not in self.calls:
            self.watching = ticket
        return self.watching == ticket

    def leaves(self, ticket: str) -> str | None:
        """Give the worker that must be told to watch, when nobody does or is about to."""
        self.calls.pop(ticket, None)
        self.looking.discard(ticket)
        if self.watching in self.calls or not self.calls:
            return None
        heir, standing = next(iter(self.calls.items()))
        return None if heir in self.looking else standing.worker


@dataclass(frozen=True)
class Lines:
    """Says when each call should look again without an announcement."""

    signals: Signals
    lines: dict[Lease, Line] = field(default_factory=dict)

    def look(self, lease: Lease, ticket: str) -> None:
        """Note that a call begins to look."""
        line = self.lines.get(lease)
        if line is not None and ticket in line.calls:
            line.looking.add(ticket)

    def next_look(self, lease: Lease, ticket: str, worker: str, view: View) -> float:
        """Give the seconds until a call that waits should look again."""
        if view.place is None:
            return LOOK_AGAIN
        line = self.lines.setdefault(lease, Line())
        if not line.stands(ticket, Standing(view.place, worker)):
            return LOOK_AGAIN
        soon = next_change(view)
        return soon if view.place == 1 else min(soon, WATCH)

    def leave(self, lease: Lease, ticket: str) -> None:
        """Forget a call that waits no more; if it watched, the next one is told to look."""
        line = self.lines.get(lease)
        if line is None:
            return
        heir = line.leaves(ticket)
        if heir is not None:
            self.signals.announced(lease.subject_of(heir), "")
        if not line.calls:
            del self.lines[lease]


def next_change(view: View) -> float:
    """Give the seconds after which something may have changed without an announcement."""
    if view.changes_in is None:
        return LOOK_AGAIN
    return max(view.changes_in.total_seconds(), 0) + MOMENT
