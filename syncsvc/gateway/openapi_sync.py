"""The part of the OpenAPI document about syncs of a catalogue."""

from typing import Any

from syncsvc.catalogue.model import RunStatus
from syncsvc.gateway import sync_bodies, sync_views
from syncsvc.gateway.openapi_calls import Call, described, in_path, json_body, page, query

SHAPES = (
    sync_bodies.SyncBody,
    sync_views.SyncRunView,
    sync_views.SyncRunPage,
    sync_views.SyncRunDetails,
    sync_views.SyncStatus,
    sync_views.QuarantinePage,
)


def paths() -> dict[str, Any]:
    run, customer = in_path("run"), query("customer", {"type": "string"})
    status = query("status", {"type": "string", "enum": list(RunStatus)})
    filters = (customer, status, query("before", {"type": "string"}), page())
    start = "Start a sync; task workers carry it out."
    again = "Let the next sync try places again."
    return described(
        {
            "/api/v1/sync/runs": {
                "get": Call("listSyncs", "Syncs, newest first.", "SyncRunPage", filters),
                "post": Call("startSync", start, "SyncRunView", (), json_body("SyncBody")),
            },
            "/api/v1/sync/runs/{run}": {
                "get": Call("showSync", "One sync, with its history.", "SyncRunDetails", (run,))
            },
            "/api/v1/sync/runs/{run}/cancel": {
                "post": Call(
                    "cancelSync", "End a sync; what it stored stays.", "SyncRunView", (run,)
                )
            },
            "/api/v1/sync/status": {
                "get": Call(
                    "showCatalogues", "What is stored of each customer.", "SyncStatus", (customer,)
                )
            },
            "/api/v1/sync/quarantine": {
                "get": Call(
                    "listQuarantine", "Places that cannot be read.", "QuarantinePage", (customer,)
                )
            },
            "/api/v1/sync/quarantine/retry": {
                "post": Call("retryQuarantine", again, "Retried", (customer,))
            },
            "/api/v1/sync/quarantine/{place}/retry": {
                "post": Call("retryPlace", again, "Retried", (in_path("place"),))
            },
        }
    )
