"""Judges what became of a push, or of all that was pushed to a run, and says what to do next."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from syncsvc.cli.pushing.waiting import Listing, Outcome

MOST_REASONS = 3
LONGEST_REASON = 300  # characters
NO_REASON = "no reason"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many results are in which state, and why some are dead."""

    outcome: Outcome
    counts: dict[str, int]
    reasons: list[tuple[str, int]]  # the most frequent ones
    is_of_push: bool  # others may push to the run as well, and are not judged

    @classmethod
    def of(cls, listing: Listing, outcome: Outcome) -> "Verdict":
        """Judge; what a listing means, and nothing else, counts."""
        if listing.keys is not None:
            counts, reasons = _of_push(listing, listing.keys, outcome)
            return cls(outcome, counts, reasons.most_common(MOST_REASONS), is_of_push=True)
        dead = listing.entries("dead") if outcome.count("dead") else ()
        reasons = Counter(each["reason"] or NO_REASON for each in dead)
        counts = {name: int(count) for name, count in outcome.pushed["results"].items()}
        return cls(outcome, counts, reasons.most_common(MOST_REASONS), is_of_push=False)

    def count(self, state: str) -> int:
        return self.counts.get(state, 0)

    @property
    def is_over(self) -> bool:
        if self.outcome.complete:
            return self.outcome.is_over
        return not self.count("pending")

    @property
    def ok(self) -> bool:
        return self.is_over and not self.count("dead") and not self.outcome.files("refused")

    @property
    def told(self) -> str:
        """Say what is wrong, and what to do about it; or that nothing is."""
        return "\n".join([f"run {self.outcome.run_id}: {self._summary}", *self._why, *self._next])

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "judged": "push" if self.is_of_push else "run",
            "phase": self.outcome.pushed["phase"],
            "results": self.counts,
            "files": self.outcome.pushed["files"],
            "dead_reasons": [{"reason": why, "count": count} for why, count in self.reasons],
            "last_error": self.outcome.pushed["last_error"],
        }

    @property
    def _summary(self) -> str:
        total = sum(self.counts.values())
        late = f"{self.count('pending')} not delivered in time"
        parts = [
            f"{total} accepted",
            f"{self.count('delivered') + self.count('held')} delivered",
            f"{self.count('dead')} dead" if self.count("dead") else "",
            late if self.count("pending") else "",
            "the run is not completed yet" if self._is_late else "",
            f"{self.outcome.files('refused')} files refused" if self._refused else "",
            _others(sum(self.outcome.pushed["results"].values()) - total),
        ]
        return ", ".join(part for part in parts if part)

    @property
    def _why(self) -> list[str]:
        lines = [f"  {count} x {why[:LONGEST_REASON]}" for why, count in self.reasons]
        if not self.ok and not lines and self.outcome.pushed["last_error"]:
            lines.append(f"  last error: {self.outcome.pushed['last_error'][:LONGEST_REASON]}")
        return lines

    @property
    def _next(self) -> list[str]:
        run_id = self.outcome.run_id
        if self.count("dead"):
            return [
                f"look:  syncsvc results list --dead --run {run_id}",
                f"again: syncsvc results retry --run {run_id}",
            ]
        if not self.ok:
            return [f"look:  syncsvc run show {run_id}"]
        if self.outcome.complete:
            return []
        return [f"the run is still open; end it: syncsvc run complete {run_id} --wait"]

    @property
    def _is_late(self) -> bool:
        return self.outcome.complete and not self.is_over

    @property
    def _refused(self) -> bool:
        return self.outcome.files("refused") > 0


def _of_push(
    listing: Listing, keys: Collection[int], outcome: Outcome
) -> tuple[dict[str, int], Counter[str]]:
    """Count by state what is meant, and why it is dead.

    What neither waits nor is dead has been delivered. States are listed in the order in which a
    result goes through them, so that one that goes on meanwhile is not missed: the last counts.
    """
    found: dict[str, tuple[str, str]] = {}
    for state in ("pending", "held", "dead"):
        if state == "dead" or outcome.count(state):
            for each in listing.entries(state):
                found[each["key"]] = state, each["reason"] or NO_REASON
    counts = Counter(state for state, _ in found.values())
    counts["delivered"] = len(keys) - len(found)
    reasons = Counter(reason for state, reason in found.values() if state == "dead")
    return {state: count for state, count in counts.items() if count}, reasons


def _others(count: int) -> str:
    return f"and {count} of other pushes, which are not judged" if count > 0 else ""
