"""What is asked for becomes an order: checked, and within the customer's own limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncsvc.catalogue.model import (
    EntityType,
    Order,
    SyncOptions,
    SyncPhase,
    SyncScope,
    phases_of,
)
from syncsvc.catalogue.ports import Customer
from syncsvc.catalogue.request import Request
from syncsvc.errors import Rejected


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be synced, as somebody asked."""

    phases: Sequence[SyncPhase] | None
    scope: SyncScope
    options: SyncOptions


def ordered(asked: Asked, request: Request, customer: Customer, now: datetime) -> Order:
    """Give the order. Raises Rejected, naming the field, what was found and what was expected."""
    _check_together(asked.scope, asked.options)
    kinds = asked.scope.entity_types
    scope = SyncScope(
        _product_ids(asked.scope.product_ids, customer),
        _since(asked.scope.since_date, customer, now),
        None if kinds is None else tuple(kind for kind in EntityType if kind in kinds),
    )
    phases = phases_of(asked.phases, scope, asked.options)
    if not phases or (asked.phases is not None and not asked.phases):
        raise Rejected(_nothing_left(asked))
    return Order(customer.name, phases, scope, asked.options, request.trigger, request.barrier)


def _check_together(scope: SyncScope, options: SyncOptions) -> None:
    pairs = (
        (options.nuke and options.incremental_only, "nuke", "incremental_only"),
        (options.nuke and scope.since_date is not None, "nuke", "since_date"),
        (
            options.force_refresh and options.incremental_only,
            "force_refresh",
            "incremental_only",
        ),
    )
    for both, one, other in pairs:
        if both:
            raise Rejected(f"{one}: expected without {other}, found both: they exclude each other")


def _product_ids(asked: Sequence[int] | None, customer: Customer) -> tuple[int, ...] | None:
    limits = customer.product_ids
    if asked is None:
        return None if limits is None else tuple(sorted(set(limits)))
    if not asked:
        raise Rejected("product_ids: expected at least one id, or none given for all, found []")
    wrong = [number for number in asked if number <= 0]
    if wrong:
        raise Rejected(f"product_ids: expected positive numbers, found {_list(wrong)}")
    if limits is not None and (beyond := sorted(set(asked) - set(limits))):
        raise Rejected(
            f"product_ids: expected those of customer {customer.name} ({_list(sorted(limits))}), "
            f"found {_list(beyond)}"
        )
    return tuple(sorted(set(asked)))


def _since(asked: datetime | None, customer: Customer, now: datetime) -> datetime | None:
    """Give the later of what is asked for and what is set for every sync."""
    if asked is not None and asked.tzinfo is None:
        raise Rejected(f"since_date: expected a moment with its zone, found {asked.isoformat()}")
    moments = [moment for moment in (asked, customer.since) if moment is not None]
    latest = max(moments, default=None)
    if latest is not None and latest > now:
        raise Rejected(
            f"since_date: expected a moment before now ({now.isoformat(timespec='seconds')}), "
            f"found {latest.isoformat()}"
        )
    return latest


def _nothing_left(asked: Asked) -> str:
    """Say what leaves no phase to run."""
    phases, kinds = asked.phases, asked.scope.entity_types
    causes = [
        *([] if phases is None else [f"phases are {_list(phases) or 'none'}"]),
        *([] if kinds is None else [f"entity_types are {_list(kinds) or 'none'}"]),
        *(["incremental_only leaves new_tests only"] if asked.options.incremental_only else []),
    ]
    return f"phases: expected at least one to run, found none: {'; '.join(causes)}"


def _list(things: Iterable[object]) -> str:
    return ", ".join(str(thing) for thing in things)
