"""What a sync is asked to do, how far it is, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class SyncPhase(StrEnum):
    """An ordered part of a sync; however they are asked for, they run in this order."""

    PRODUCTS = "products"
    FEATURES = "features"
    NEW_TESTS = "new_tests"


class EntityType(StrEnum):
    PRODUCTS = "products"
    FEATURES = "features"
    USER_STORIES = "user_stories"
    TESTS = "tests"


@dataclass(frozen=True, slots=True)
class SyncScope:
    """How much of the catalogue; None stands for all.

    `since_date` leaves out tests that ended before it. `entity_types` leaves out the phases whose
    entities it does not name; user stories come with features, and only if they are named too.
    """

    product_ids: tuple[int, ...] | None = None
    since_date: datetime | None = None
    entity_types: tuple[EntityType, ...] | None = None

    def means(self, kind: EntityType) -> bool:
        return self.entity_types is None or kind in self.entity_types


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """`force_refresh`: walk every list whole, whatever is known or fresh.

    `incremental_only`: only look for new tests of known products; nothing is swept or refreshed.
    `nuke`: build everything in scope anew, aside, and put it in the place of the old at the end.
    `allow_vanishing`: believe a list from which most of what is known has gone.
    """

    force_refresh: bool = False
    incremental_only: bool = False
    nuke: bool = False
    allow_vanishing: bool = False


class Barrier(StrEnum):
    """When a product's tests may begin: after all features, or after its own."""

    PHASE = "phase"
    PRODUCT = "product"


class IfRunning(StrEnum):
    """What to do while another sync of the same customer runs."""

    WAIT = "wait"
    FAIL = "fail"
    JOIN = "join"  # wait for that one's end and give its result


class Trigger(StrEnum):
    CLI = "cli"
    API = "api"
    BEAT = "beat"
    TASK = "task"
    LIBRARY = "library"


class RunStatus(StrEnum):
    RUNNING = "running"
    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"  # its processes are gone; what they committed is kept

    @property
    def is_over(self) -> bool:
        return self is not RunStatus.RUNNING


class UnitState(StrEnum):
    WAITING = "waiting"  # for its phase, or its product's features
    OPEN = "open"  # may be claimed once it is due
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        return self not in (UnitState.WAITING, UnitState.OPEN)


class ErrorClass(StrEnum):
    AUTH = "auth"  # 401, 403: ends the run at once
    GONE = "gone"  # 404: the product is marked inactive
    UNAVAILABLE = "unavailable"  # 5xx, 408, no connection, after all tries
    REFUSED = "refused"  # another 4xx
    SHAPE = "shape"  # an answer that is not what was expected
    BUDGET = "budget"  # more calls than a unit may make
    OURS = "ours"  # a defect of ours; the unit is failed, the others go on


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows that one commit, unit, phase or run has changed, and calls that it made."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    quarantined: int = 0
    calls: int = 0
    retries: int = 0
    throttled_ms: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asked for. `phases` are in their order, without those out of scope."""

    customer: str
    phases: tuple[SyncPhase, ...]
    scope: SyncScope = SyncScope()
    options: SyncOptions = SyncOptions()
    trigger: Trigger = Trigger.LIBRARY
    barrier: Barrier = Barrier.PRODUCT


@dataclass(frozen=True, slots=True)
class SyncRun:
    """One sync, as it is recorded.

    `fence` grows with each run of a customer: what an older one writes is refused. `holder` names
    the process that drives a run alone (host:pid); None: any task worker may.
    """

    id: str
    order: Order
    status: RunStatus
    fence: int
    lease_token: int | None
    holder: str | None
    started_at: datetime
    heartbeat_at: datetime
    ended_at: datetime | None = None
    resumed_from: str | None = None
    error: str | None = None
    error_class: ErrorClass | None = None
    totals: Counts = Counts()

    @property
    def is_shared(self) -> bool:
        return self.holder is None

    def seconds(self, now: datetime) -> float:
        """How long it has taken so far, or took."""
        return max((self.ended_at or now) - self.started_at, timedelta(0)).total_seconds()


@dataclass(frozen=True, slots=True)
class PhaseProgress:
    """How far a phase is: units by state, and what they changed."""

    phase: SyncPhase
    planned: int
    done: int
    failed: int
    counts: Counts
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None


@dataclass(frozen=True, slots=True)
class SyncEvent:
    """One line of a run's history.

    `kind`: started, phase_started, phase_completed, unit_failed, warning, completed, failed,
    cancelled, abandoned, reclaimed or skipped.
    """

    run_id: str | None
    customer: str
    at: datetime
    kind: str
    message: str
    phase: SyncPhase | None = None
    product_id: int | None = None


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What came of a sync; `duration_seconds` is always set.

    `stats` has an entry for each phase of the run and one named `total`.
    """

    run_id: str
    customer: str
    status: RunStatus
    duration_seconds: float
    phases_completed: tuple[SyncPhase, ...] = ()
    stats: Mapping[str, Counts] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    errors: Sequence[str] = ()
    error_class: ErrorClass | None = None
    joined: bool = False  # it was somebody else's run


PHASE_OF = {
    EntityType.PRODUCTS: SyncPhase.PRODUCTS,
    EntityType.FEATURES: SyncPhase.FEATURES,
    EntityType.USER_STORIES: SyncPhase.FEATURES,
    EntityType.TESTS: SyncPhase.NEW_TESTS,
}


def phases_of(
    asked: Sequence[SyncPhase] | None, scope: SyncScope, options: SyncOptions
) -> tuple[SyncPhase, ...]:
    """Give the phases to run, in their order; none asked for stands for all."""
    wanted = set(asked or SyncPhase)
    if scope.entity_types is not None:
        wanted &= {PHASE_OF[kind] for kind in scope.entity_types}
    if options.incremental_only:
        wanted &= {SyncPhase.NEW_TESTS}
    return tuple(phase for phase in SyncPhase if phase in wanted)
