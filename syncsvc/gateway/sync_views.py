"""What the API shows of syncs of a catalogue; moments are ISO 8601 in UTC."""

from datetime import datetime

import msgspec

from syncsvc.catalogue.model import (
    PhaseProgress,
    SyncEvent,
    SyncOptions,
    SyncRun,
)
from syncsvc.catalogue.ports import CustomerState
from syncsvc.catalogue.work import Quarantined, Unit


class CountsView(msgspec.Struct):
    created: int
    updated: int
    unchanged: int
    deleted: int
    quarantined: int
    calls: int
    retries: int
    throttled_ms: int


class PhaseView(msgspec.Struct):
    """How far a phase is, in units: one for each product, one for the list of products."""

    phase: str
    planned: int
    done: int
    failed: int
    started_at: datetime | None
    ended_at: datetime | None
    counts: CountsView

    @classmethod
    def of(cls, phase: PhaseProgress) -> "PhaseView":
        return cls(
            phase.phase,
            phase.planned,
            phase.done,
            phase.failed,
            phase.started_at,
            phase.ended_at,
            CountsView(**phase.counts.as_dict()),
        )


class SyncRunView(msgspec.Struct):
    """A sync; `duration_seconds` is of what has passed so far while it runs."""

    id: str
    customer: str
    status: str
    trigger: str
    phases: list[str]
    product_ids: list[int] | None
    since_date: datetime | None
    options: list[str]
    started_at: datetime
    ended_at: datetime | None
    duration_seconds: float
    heartbeat_at: datetime
    resumed_from: str | None
    error: str | None
    error_class: str | None
    totals: CountsView

    @classmethod
    def of(cls, run: SyncRun, now: datetime) -> "SyncRunView":
        order = run.order
        return cls(
            id=run.id,
            customer=order.customer,
            status=run.status,
            trigger=order.trigger,
            phases=[str(phase) for phase in order.phases],
            product_ids=None if order.scope.product_ids is None else list(order.scope.product_ids),
            since_date=order.scope.since_date,
            options=named(order.options),
            started_at=run.started_at,
            ended_at=run.ended_at,
            duration_seconds=round(run.seconds(now), 3),
            heartbeat_at=run.heartbeat_at,
            resumed_from=run.resumed_from,
            error=run.error,
            error_class=run.error_class,
            totals=CountsView(**run.totals.as_dict()),
        )


class UnitView(msgspec.Struct):
    """A phase of one product."""

    phase: str
    product_id: int | None
    state: str
    attempt: int
    error_class: str | None
    error: str | None
    started_at: datetime | None
    ended_at: datetime | None
    counts: CountsView

    @classmethod
    def of(cls, unit: Unit) -> "UnitView":
        return cls(
            unit.phase,
            unit.product_id,
            unit.state,
            unit.attempt,
            unit.error_class,
            unit.error,
            unit.started_at,
            unit.ended_at,
            CountsView(**unit.counts.as_dict()),
        )


class EventView(msgspec.Struct):
    at: datetime
    kind: str
    phase: str | None
    product_id: int | None
    message: str

    @classmethod
    def of(cls, event: SyncEvent) -> "EventView":
        return cls(event.at, event.kind, event.phase, event.product_id, event.message)


class SyncRunDetails(msgspec.Struct):
    run: SyncRunView
    phases: list[PhaseView]
    units: list[UnitView]
    events: list[EventView]


class SyncRunPage(msgspec.Struct):
    runs: list[SyncRunView]
    next: str | None  # give it as `before` to get the page after this one


class CustomerView(msgspec.Struct):
    """What is stored of a customer; `lag_seconds`: since its catalogue was last in step."""

    customer: str
    products: int
    inactive_products: int
    features: int
    user_stories: int
    tests: int
    quarantined: int
    incomplete: int
    last_success_at: datetime | None
    lag_seconds: float | None
    running: str | None

    @classmethod
    def of(cls, state: CustomerState, now: datetime) -> "CustomerView":
        last = state.last_success_at
        return cls(
            state.customer,
            state.products,
            state.inactive_products,
            state.features,
            state.user_stories,
            state.tests,
            state.quarantined,
            state.incomplete,
            last,
            None if last is None else round(max((now - last).total_seconds(), 0.0), 3),
            state.running,
        )


class SyncStatus(msgspec.Struct):
    customers: list[CustomerView]


class QuarantinedView(msgspec.Struct):
    """A place in a product's list of tests that cannot be read, and the tests next to it."""

    id: str
    customer: str
    product_id: int
    test_id: int | None
    page: int
    per_page: int
    above: int | None
    below: int | None
    error: str
    attempts: int
    found_at: datetime
    next_try_at: datetime

    @classmethod
    def of(cls, place: Quarantined) -> "QuarantinedView":
        poison = place.poison
        return cls(
            place.id,
            place.customer,
            poison.product_id,
            poison.test_id,
            poison.page,
            poison.per_page,
            poison.above,
            poison.below,
            poison.error,
            place.attempts,
            place.found_at,
            place.next_try_at,
        )


class QuarantinePage(msgspec.Struct):
    places: list[QuarantinedView]


def named(options: SyncOptions) -> list[str]:
    """Name the options that are set."""
    known = {
        "force_refresh": options.force_refresh,
        "incremental_only": options.incremental_only,
        "nuke": options.nuke,
        "allow_vanishing": options.allow_vanishing,
    }
    return [name for name, is_set in known.items() if is_set]
