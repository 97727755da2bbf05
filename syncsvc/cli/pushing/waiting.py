"""Waits until a run's pushed results are delivered, and says how that ended."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from syncsvc.cli.pushing.gateway import Gateway
from syncsvc.cli.pushing.telling import Standing, Teller
from syncsvc.errors import Unavailable

LOOK_AGAIN = 0.5  # seconds


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a run was when we stopped to wait; `complete`: it was to be completed."""

    run_id: str
    pushed: dict[str, Any]  # as the API gives it
    complete: bool

    def count(self, state: str) -> int:
        return int(self.pushed["results"].get(state, 0))

    @property
    def total(self) -> int:
        return sum(self.pushed["results"].values())

    @property
    def standing(self) -> Standing:
        return Standing(self.total, self.count("delivered"), self.count("dead"))

    @property
    def is_over(self) -> bool:
        """Nothing more will happen by itself."""
        if self.complete:
            return bool(self.pushed["phase"] == "completed")
        return not self.count("pending")

    @property
    def ok(self) -> bool:
        return self.is_over and not self.count("dead")

    @property
    def told(self) -> str:
        """Say what is wrong, and what to do about it; or that nothing is."""
        if self.ok:
            held = "" if self.complete or not self.count("held") else "; the run is still open"
            return f"run {self.run_id}: {self.standing}{held}"
        late = "" if self.is_over else f", {self.count('pending')} not delivered in time"
        open_ = "" if self.is_over or not self.complete else ", the run is not completed yet"
        why = f"; last error: {self.pushed['last_error']}" if self.pushed["last_error"] else ""
        look = "--dead --run" if self.count("dead") else "--run"
        return (
            f"run {self.run_id}: {self.standing}{late}{open_}{why}\n"
            f"look: syncsvc results list {look} {self.run_id}"
        )


def wait(gateway: Gateway, run_id: str, teller: Teller, *, complete: bool) -> Outcome:
    """Wait until it is over, or the deadline. Raises Unavailable when nobody answers by then."""
    path = f"/api/v1/runs/{quote(run_id, safe='')}"
    while True:
        found = gateway.call("GET", path)["pushed"]
        if found is None:
            raise Unavailable(f"run {run_id}: expected pushed results, found none")
        outcome = Outcome(run_id, found, complete)
        teller.tell(outcome.standing)
        if outcome.is_over or not gateway.deadline.left:
            return outcome
        gateway.pause(min(LOOK_AGAIN, gateway.deadline.left))
