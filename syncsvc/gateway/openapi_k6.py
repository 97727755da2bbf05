"""The part of the OpenAPI document about load tests, and about the dashboard's sync job."""

from typing import Any

from syncsvc.gateway import dashboard_views, k6_bodies, k6_summary_views, k6_views
from syncsvc.gateway.k6_reading import LINES, STATUSES
from syncsvc.gateway.openapi_calls import (
    REFUSALS,
    Call,
    answer,
    described,
    in_path,
    json_body,
    page,
    query,
)
from syncsvc.gateway.scopes import LOAD_TESTS, SYNC_JOB, SYNC_NOW
from syncsvc.loadtests.seen import Role

SHAPES = (
    k6_bodies.LoadTestBody,
    k6_bodies.DiscoverBody,
    k6_views.RegisteredView,
    k6_views.DiscoveredView,
    k6_views.LoadTestPage,
    k6_views.LoadTestDetails,
    k6_views.StepView,
    k6_views.CyclesView,
    k6_summary_views.LogsView,
    k6_summary_views.LineView,
    k6_summary_views.SummaryView,
    k6_summary_views.ComparisonView,
    dashboard_views.SyncJobBody,
    dashboard_views.SyncJobReply,
    dashboard_views.SyncJobChanged,
    dashboard_views.CycleReply,
    dashboard_views.StepsReply,
)
STRING: dict[str, Any] = {"type": "string"}
FLAG: dict[str, Any] = {"type": "boolean", "default": False}
DASHBOARD_ERROR = {
    "type": "object",
    "properties": {
        "success": {"type": "boolean"},
        "error": {"type": "string"},
        "timestamp": {"type": "string"},
    },
    "required": ["error"],
}


def paths() -> dict[str, Any]:
    """Give the document's paths."""
    found = described({**_tests(), **_steps()})
    for path in (LOAD_TESTS, LOAD_TESTS + "/discover"):
        found[path]["post"]["responses"]["502"] = answer("A cluster refuses us.", "Error")
    log = found[LOAD_TESTS + "/steps/{step}/log"]["get"]
    log["responses"]["200"]["content"] = {
        "text/plain": {"schema": STRING},
        LINES: {"schema": {"$ref": "#/components/schemas/LineView"}},
    }
    return {**found, **_dashboard()}


def _tests() -> dict[str, dict[str, Call]]:
    status = query("status", {"type": "string", "enum": [str(each) for each in STATUSES]})
    words = [query(name, STRING) for name in ("cluster", "namespace", "text", "before")]
    sides = (_needed(query("before", STRING)), _needed(query("after", STRING)))
    watch, found = "Watch TestRuns as the steps of a load test.", "Watch those a selector takes."
    compared = "Two load tests, step by step."
    return {
        LOAD_TESTS: {
            "get": Call("listLoadTests", "Newest first.", "LoadTestPage", (status, *words, page())),
            "post": Call("watchLoadTest", watch, "RegisteredView", (), json_body("LoadTestBody")),
        },
        LOAD_TESTS + "/discover": {
            "post": Call(
                "discoverLoadTests", found, "DiscoveredView", (), json_body("DiscoverBody")
            )
        },
        LOAD_TESTS + "/compare": {
            "get": Call("compareLoadTests", compared, "ComparisonView", sides)
        },
        LOAD_TESTS + "/cycles": {
            "get": Call("listCycles", "Cycles, newest first.", "CyclesView", (page(),))
        },
        LOAD_TESTS + "/{test}": {
            "get": Call(
                "showLoadTest",
                "One, by id or name, with its steps.",
                "LoadTestDetails",
                (in_path("test"),),
            )
        },
    }


def _steps() -> dict[str, dict[str, Call]]:
    step = in_path("step")
    said = "What k6 said at the end, over all runners."
    text = [query(name, STRING) for name in ("container", "since", "grep")]
    role = query("role", {"type": "string", "enum": [str(each) for each in Role]})
    runner = query("runner", {"type": "integer", "minimum": 1})
    flags = [query(name, FLAG) for name in ("progress", "raw", "follow")]
    which = (step, *text, role, runner, *flags)
    one = LOAD_TESTS + "/steps/{step}"
    return {
        one: {"get": Call("showStep", "One, by its id or its TestRun.", "StepView", (step,))},
        one + "/logs": {"get": Call("listLogs", "Its containers' logs.", "LogsView", (step,))},
        one + "/log": {"get": Call("readLog", "The lines of its logs.", "LineView", which)},
        one + "/summary": {"get": Call("showSummary", said, "SummaryView", (step,))},
    }


def _dashboard() -> dict[str, Any]:
    found = described(
        {
            SYNC_JOB: {
                "get": Call("showSyncJob", "How often load tests are looked at.", "SyncJobReply"),
                "post": Call(
                    "changeSyncJob",
                    "Start, restart or stop it.",
                    "SyncJobChanged",
                    (),
                    json_body("SyncJobBody"),
                ),
            },
            SYNC_NOW: {
                "get": Call("countSteps", "Steps that wait for a cycle.", "StepsReply"),
                "post": Call("syncNow", "Run a cycle at once.", "CycleReply"),
            },
        }
    )
    for path in found.values():
        for call in path.values():
            for status, word in REFUSALS.items():
                call["responses"][status] = answer(word, "DashboardError")
    return found


def _needed(parameter: dict[str, Any]) -> dict[str, Any]:
    return {**parameter, "required": True}
