"""Waits until a run's pushed results are delivered, or those of one push to it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from syncsvc.cli.pushing.gateway import Gateway
from syncsvc.cli.pushing.telling import Standing, Teller
from syncsvc.errors import Unavailable

LOOK_AGAIN = 0.5  # seconds
PAGE = 1000  # entries of one answer
MOST_LOOKED_AT = 100_000  # entries; a run with more that are dead has one cause for all


@dataclass(frozen=True, slots=True)
class Listing:
    """A run's entries, of which some may be meant only: those with these keys, shortened."""

    gateway: Gateway
    run_id: str
    keys: Collection[int] | None = None  # None: all are meant

    def entries(self, state: str, most: int = MOST_LOOKED_AT) -> Iterator[dict[str, Any]]:
        """Give those in a state that are meant, newest first, out of the `most` newest."""
        wanted = f"/api/v1/results?kind=pushed&state={state}&limit={PAGE}"
        before = ""
        for _ in range(0, most, PAGE):
            path = f"{wanted}&run={quote(self.run_id, safe='')}{before}"
            page = self.gateway.call("GET", path)
            yield from (each for each in page["results"] if self._means(each))
            if page["next"] is None:
                return
            before = f"&before={quote(page['next'], safe='')}"

    def _means(self, entry: dict[str, Any]) -> bool:
        return self.keys is None or hash(entry["key"]) in self.keys


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a run was when we stopped to wait; `complete`: it was to be completed."""

    run_id: str
    pushed: dict[str, Any]  # as the API gives it
    complete: bool

    def count(self, state: str) -> int:
        return int(self.pushed["results"].get(state, 0))

    def files(self, state: str) -> int:
        return int(self.pushed["files"].get(state, 0))

    @property
    def standing(self) -> Standing:
        total = sum(self.pushed["results"].values())
        return Standing(total, self.count("delivered"), self.count("dead"))

    @property
    def is_over(self) -> bool:
        """Nothing more will happen by itself."""
        if self.complete:
            return bool(self.pushed["phase"] == "completed")
        return not self.count("pending")


def wait(listing: Listing, teller: Teller, *, complete: bool, expected: int = 0) -> Outcome:
    """Wait until it is over, or the deadline. Raises Unavailable when nobody answers by then."""
    gateway = listing.gateway
    while True:
        outcome = _look(listing, complete=complete)
        teller.tell(replace(outcome.standing, expected=expected))
        if outcome.is_over or not gateway.deadline.left:
            return outcome
        if _ours_are_through(listing, outcome):
            return _look(listing, complete=complete)  # at the last one, some of ours waited
        gateway.pause(min(LOOK_AGAIN, gateway.deadline.left))


def _look(listing: Listing, *, complete: bool) -> Outcome:
    path = f"/api/v1/runs/{quote(listing.run_id, safe='')}"
    found = listing.gateway.call("GET", path)["pushed"]
    if found is None:
        raise Unavailable(f"run {listing.run_id}: expected pushed results, found none")
    return Outcome(listing.run_id, found, complete)


def _ours_are_through(listing: Listing, outcome: Outcome) -> bool:
    """Say whether only others' results wait; where too many do, it is not looked into."""
    if outcome.complete or listing.keys is None or outcome.count("pending") > PAGE:
        return False
    return next(listing.entries("pending", PAGE), None) is None
