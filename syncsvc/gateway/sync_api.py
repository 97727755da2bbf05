"""The catalogue's part of the API: start a sync, watch it, cancel it, and see what was left out."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from structlog.contextvars import bind_contextvars

from syncsvc.catalogue.model import IfRunning, RunStatus, SyncRun, Trigger
from syncsvc.catalogue.ports import RunFilter
from syncsvc.catalogue.service import Request as SyncRequest
from syncsvc.catalogue.service import SyncService
from syncsvc.errors import Rejected
from syncsvc.gateway.reading import json_reply, limit, one_of, read_json
from syncsvc.gateway.sync_bodies import SyncBody
from syncsvc.gateway.sync_views import (
    CustomerView,
    EventView,
    PhaseView,
    QuarantinedView,
    QuarantinePage,
    SyncRunDetails,
    SyncRunPage,
    SyncRunView,
    SyncStatus,
    UnitView,
)
from syncsvc.gateway.views import Retried

LARGEST_BODY = 256 * 1024
PATIENCE = timedelta(seconds=2)  # for one to join whose record is about to be written
Found = TypeVar("Found")


@dataclass(frozen=True)
class SyncApi:
    """Answers about syncs."""

    syncs: SyncService
    clock: Callable[[], datetime]

    def routes(self) -> list[BaseRoute]:
        run = "/api/v1/sync/runs/{run}"
        return [
            Route("/api/v1/sync/runs", self.start, methods=["POST"]),
            Route("/api/v1/sync/runs", self.list, methods=["GET"]),
            Route(run, self.show, methods=["GET"]),
            Route(run + "/cancel", self.cancel, methods=["POST"]),
            Route("/api/v1/sync/status", self.status, methods=["GET"]),
            Route("/api/v1/sync/quarantine", self.quarantine, methods=["GET"]),
            Route("/api/v1/sync/quarantine/retry", self.retry, methods=["POST"]),
            Route("/api/v1/sync/quarantine/{place}/retry", self.retry, methods=["POST"]),
        ]

    async def start(self, request: Request) -> Response:
        body = await read_json(request, SyncBody, LARGEST_BODY)
        customer = self.syncs.customer(body.customer)
        _check(body, customer)
        wish = SyncRequest(
            customer=customer,
            trigger=Trigger.API,
            barrier=body.barrier,
            if_running=body.if_running,
            patience=PATIENCE,
        )
        run = await self.syncs.start(
            body.phases, body.scope.to_model(), body.options.to_model(), wish
        )
        bind_contextvars(sync=run.id)
        return self._shown(run)

    async def list(self, request: Request) -> Response:
        query = request.query_params
        status = query.get("status")
        which = RunFilter(
            query.get("customer"),
            None if status is None else RunStatus(one_of("status", status, tuple(RunStatus))),
            limit(request),
            _before(query.get("before")),
        )
        runs = of_customer(self.syncs, which.customer, await self.syncs.history(which))
        views = [SyncRunView.of(run, self.clock()) for run in runs]
        more = views[-1].id if len(views) == which.limit else None
        return json_reply(SyncRunPage(views, more))

    async def show(self, request: Request) -> Response:
        return json_reply(await details(self.syncs, request.path_params["run"], self.clock()))

    async def cancel(self, request: Request) -> Response:
        bind_contextvars(sync=request.path_params["run"])
        run = await self.syncs.cancel(request.path_params["run"], reason="asked for over the API")
        return self._shown(run)

    async def status(self, request: Request) -> Response:
        asked = request.query_params.get("customer")
        names = self.syncs.customers() if asked is None else [self.syncs.customer(asked)]
        states = [await self.syncs.state(name) for name in names]
        return json_reply(SyncStatus([CustomerView.of(state, self.clock()) for state in states]))

    async def quarantine(self, request: Request) -> Response:
        customer = request.query_params.get("customer")
        places = of_customer(self.syncs, customer, await self.syncs.quarantined(customer))
        return json_reply(QuarantinePage([QuarantinedView.of(place) for place in places]))

    async def retry(self, request: Request) -> Response:
        place, customer = request.path_params.get("place"), request.query_params.get("customer")
        if place is None:
            of_customer(self.syncs, customer, await self.syncs.quarantined(customer))
        return json_reply(Retried(await self.syncs.retry_quarantined(place, customer)))

    def _shown(self, run: SyncRun) -> Response:
        return json_reply(SyncRunView.of(run, self.clock()))


async def details(syncs: SyncService, run_id: str, now: datetime) -> SyncRunDetails:
    """Give all that is known of a sync. Raises Unknown."""
    run = await syncs.run(run_id)
    phases, units, events = await asyncio.gather(
        syncs.phases(run.id), syncs.units(run.id), syncs.events(run.id)
    )
    return SyncRunDetails(
        SyncRunView.of(run, now),
        [PhaseView.of(phase) for phase in phases],
        [UnitView.of(unit) for unit in units],
        [EventView.of(event) for event in events],
    )


def of_customer(
    syncs: SyncService, customer: str | None, found: Sequence[Found]
) -> Sequence[Found]:
    """Give what was found of a customer; for nothing see that there is such a customer.

    One that is not configured any more may have left something. Raises Unknown.
    """
    if customer is not None and not found:
        syncs.customer(customer)
    return found


def _before(text: str | None) -> str | None:
    if text is None or re.fullmatch("[0-9a-f]{1,32}", text):
        return text
    raise Rejected(f"before: expected the id of a sync, found {text[:80]!r}")


def _check(body: SyncBody, customer: str) -> None:
    if body.if_running is IfRunning.WAIT:
        raise Rejected("if_running: expected fail or join, found 'wait': a request does not wait")
    if body.options.nuke and body.confirm_nuke != customer:
        raise Rejected(
            f"confirm_nuke: expected {customer!r}, the customer whose catalogue is built anew, "
            f"found {body.confirm_nuke!r}"
        )
