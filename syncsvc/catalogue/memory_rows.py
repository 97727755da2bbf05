"""What the memory twin holds: rows of catalogues, and the record of syncs."""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

from syncsvc.catalogue.entities import CatalogueTest, Entity, Feature, Product, UserStory
from syncsvc.catalogue.model import (
    Counts,
    PhaseProgress,
    SyncEvent,
    SyncPhase,
    SyncRun,
    UnitState,
)
from syncsvc.catalogue.verdict import Tally
from syncsvc.catalogue.walk import Coverage, Mark
from syncsvc.catalogue.work import Quarantined, Unit
from syncsvc.errors import Unknown

E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True)
class Row(Generic[E]):
    """An entity as it is stored; a product that is inactive counts as deleted."""

    what: E
    digest: str
    first_seen_run: str
    last_seen_run: str
    read_at: datetime
    deleted_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.deleted_at is None


@dataclass
class Shelf:
    """A customer's catalogue at one stage."""

    products: dict[int, Row[Product]] = field(default_factory=dict)
    features: dict[int, Row[Feature]] = field(default_factory=dict)
    stories: dict[str, Row[UserStory]] = field(default_factory=dict)
    tests: dict[int, Row[CatalogueTest]] = field(default_factory=dict)
    coverage: dict[int, Coverage] = field(default_factory=dict)
    vanished: set[int] = field(default_factory=set)  # aside: live products that the list lacked

    def live_tests(self, product_id: int) -> list[Row[CatalogueTest]]:
        """Give a product's tests that are not deleted, newest first."""
        rows = [t for t in self.tests.values() if t.is_live and t.what.product_id == product_id]
        return sorted(rows, key=lambda row: mark_of(row.what).key, reverse=True)

    def product_of_story(self, key: str) -> int | None:
        feature = self.features.get(self.stories[key].what.feature_id)
        return None if feature is None else feature.what.product_id


def mark_of(test: CatalogueTest) -> Mark:
    return Mark(test.end_at, test.id)


@dataclass
class PhaseTimes:
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass
class MemoryRows:
    """All rows; what is frozen is replaced, so what somebody was given stays as it was."""

    new_id: Callable[[], str]
    shelves: dict[tuple[str, int], Shelf] = field(default_factory=lambda: defaultdict(Shelf))
    known_runs: dict[str, SyncRun] = field(default_factory=dict)
    known_units: dict[str, Unit] = field(default_factory=dict)
    phase_times: dict[str, dict[SyncPhase, PhaseTimes]] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)  # unit → claim
    served_at: dict[str, datetime] = field(default_factory=dict)
    fences: dict[str, int] = field(default_factory=dict)
    slots: dict[str, datetime] = field(default_factory=dict)
    history: list[SyncEvent] = field(default_factory=list)
    places: dict[str, Quarantined] = field(default_factory=dict)

    def units_of(self, run_id: str, phase: SyncPhase | None = None) -> list[Unit]:
        order = list(SyncPhase)
        units = [u for u in self.known_units.values() if u.run_id == run_id]
        return sorted(
            (u for u in units if phase in (None, u.phase)),
            key=lambda u: (order.index(u.phase), u.product_id or 0),
        )

    def recorded(self, run_id: str) -> SyncRun:
        """Give a run with its totals. Raises Unknown."""
        if run_id not in self.known_runs:
            text = "sync run: expected the id of one that is recorded"
            raise Unknown(f"{text}, found {run_id[:80]!r}")
        return replace(self.known_runs[run_id], totals=summed(self.units_of(run_id)))

    def note_on(
        self,
        run: SyncRun,
        at: datetime,
        kind: str,
        message: str,
        of: tuple[SyncPhase | None, int | None] = (None, None),
    ) -> None:
        self.history.append(SyncEvent(run.id, run.order.customer, at, kind, message, *of))

    def progress(self, run_id: str, phase: SyncPhase) -> PhaseProgress:
        units, times = self.units_of(run_id, phase), self.phase_times[run_id][phase]
        of_phase = tally(units)
        return PhaseProgress(
            phase,
            of_phase.planned,
            of_phase.done,
            of_phase.failed,
            summed(units),
            times.started_at,
            times.ended_at,
        )


def summed(units: Collection[Unit]) -> Counts:
    return sum((unit.counts for unit in units), Counts())


def tally(units: Collection[Unit]) -> Tally:
    states = [unit.state for unit in units]
    return Tally(states.count(UnitState.DONE), states.count(UnitState.FAILED), len(states))
