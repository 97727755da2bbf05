"""Commands that look at syncs, or stop one."""

import json
from collections.abc import Sequence

import typer

from syncsvc.catalogue.model import RunStatus, SyncRun
from syncsvc.catalogue.ports import CustomerState, RunFilter
from syncsvc.catalogue.service import SyncService
from syncsvc.catalogue.work import Quarantined
from syncsvc.cli.syncing import listing, showing
from syncsvc.cli.syncing.asking import ask
from syncsvc.cli.syncing.naming import place_meant, run_meant
from syncsvc.cli.syncing.reading import STATUSES, run_id, word
from syncsvc.errors import Conflict, Rejected
from syncsvc.gateway.sync_api import details, of_customer
from syncsvc.gateway.sync_views import SyncRunDetails
from syncsvc.wiring.moments import now
from syncsvc.wiring.syncing import Syncing


def status(customer: str | None, *, as_json: bool) -> None:
    async def states(syncing: Syncing) -> Sequence[CustomerState]:
        syncs = syncing.syncs
        names = [syncs.customer(customer)] if customer else syncs.customers()
        return [await syncs.state(name) for name in names]

    listing.status(ask(states), as_json=as_json)


def history(
    customer: str | None, status: str | None, limit: int, before: str | None, *, as_json: bool
) -> None:
    wanted = None if status is None else word("--status", status, STATUSES)
    which = RunFilter(customer, wanted, limit, run_id("--before", before))

    async def runs(syncing: Syncing) -> Sequence[SyncRun]:
        return of_customer(syncing.syncs, customer, await syncing.syncs.history(which))

    listing.history(ask(runs), limit, as_json=as_json)


def show(run: str, *, as_json: bool) -> None:
    async def story(syncing: Syncing) -> SyncRunDetails:
        return await details(syncing.syncs, await run_meant(syncing.syncs, run), now())

    showing.details(ask(story), as_json=as_json)


def cancel(run: str | None, customer: str | None, *, as_json: bool) -> None:
    async def story(syncing: Syncing) -> SyncRun:
        syncs, reason = syncing.syncs, "asked for on the command line"
        meant = await (_running(syncs, customer) if run is None else run_meant(syncs, run))
        return await syncs.cancel(meant, customer, reason=reason)

    found = ask(story)
    told = f"sync {found.id} of {found.order.customer} is {found.status}; {showing.GO_ON}"
    showing.run(found, as_json=as_json, told=told)


async def _running(syncs: SyncService, customer: str | None) -> str:
    name = syncs.customer(customer)
    running = await syncs.history(RunFilter(name, RunStatus.RUNNING, limit=1))
    if not running:
        raise Conflict(f"no sync of customer {name} runs")
    return running[0].id


def quarantine(customer: str | None, *, as_json: bool) -> None:
    async def places(syncing: Syncing) -> Sequence[Quarantined]:
        return of_customer(syncing.syncs, customer, await syncing.syncs.quarantined(customer))

    listing.quarantined(ask(places), as_json=as_json)


def retry(place: str | None, customer: str | None, *, every: bool, as_json: bool) -> None:
    """Raises Rejected unless one of the three is said."""
    if (place is not None) + (customer is not None) + every != 1:
        raise Rejected("ID, --customer, --all: expected one of them, found several or none")

    async def story(syncing: Syncing) -> int:
        syncs = syncing.syncs
        meant = None if place is None else await place_meant(syncs, place)
        of_customer(syncs, customer, await syncs.quarantined(customer))
        return await syncs.retry_quarantined(meant, customer)

    count = ask(story)
    told = f"{count} will be tried again by the next sync"
    typer.echo(json.dumps({"retried": count}) if as_json else told)
