"""The part of the OpenAPI document about runs and results, made from the shapes that answer."""

from typing import Any

from syncsvc.gateway import pushes_api, runs_api, views
from syncsvc.gateway.openapi_calls import Call, described, in_path, json_body, page, query
from syncsvc.results.held.model import EntryState
from syncsvc.results.ledger import Kind

SHAPES = (
    views.ResultPage,
    views.ResultView,
    views.Retried,
    views.Dropped,
    views.RunPage,
    views.RunView,
    views.PushedView,
    runs_api.NewRunBody,
    runs_api.Created,
    pushes_api.PushBody,
    pushes_api.AcceptedView,
    pushes_api.FileView,
    pushes_api.AttachBody,
    pushes_api.RunFilesView,
)


def paths() -> dict[str, Any]:
    return described({**_runs(), **_results()})


def _runs() -> dict[str, dict[str, Call]]:
    run, digest = in_path("run"), in_path("digest")
    project = query("project_id", {"type": "string"})
    octets = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    accept = "Keep 1 to 1000 results until Test IT has them."
    attach = "Attach files that the run has to the run itself when it ends."
    ask = "Whether the run has a file."
    return {
        "/api/v1/runs": {
            "get": Call("listRuns", "Runs, newest first.", "RunPage", (page(),)),
            "post": Call(
                "createRun", "Create a run in Test IT.", "Created", (), json_body("NewRunBody")
            ),
        },
        "/api/v1/runs/{run}": {"get": Call("showRun", "One run.", "RunView", (run,))},
        "/api/v1/runs/{run}/complete": {
            "post": Call("completeRun", "No more results are pushed.", "PushedView", (run,))
        },
        "/api/v1/runs/{run}/results": {
            "post": Call("pushResults", accept, "AcceptedView", (run,), json_body("PushBody"))
        },
        "/api/v1/runs/{run}/attachments": {
            "post": Call("attachFiles", attach, "RunFilesView", (run,), json_body("AttachBody")),
            "get": Call("listFiles", "The files of the run itself.", "RunFilesView", (run,)),
        },
        "/api/v1/runs/{run}/attachments/{digest}": {
            "put": Call("keepFile", "Keep a file.", "FileView", (run, digest, project), octets),
            "get": Call("showFile", ask, "FileView", (run, digest)),
            "head": Call("hasFile", ask, "FileView", (run, digest)),
        },
    }


def _results() -> dict[str, dict[str, Call]]:
    state = query("state", {"type": "string", "enum": list(EntryState)})
    kind = query("kind", {"type": "string", "enum": list(Kind)})
    of_run, before = query("run", {"type": "string"}), query("before", {"type": "string"})
    filters = (state, kind, of_run, before, page())
    one = (in_path("result"),)
    return {
        "/api/v1/results": {
            "get": Call("listResults", "Results, newest first.", "ResultPage", filters)
        },
        "/api/v1/results/{result}": {
            "get": Call("showResult", "One result.", "ResultView", one),
            "delete": Call("dropResult", "Remove a dead result for good.", "Dropped", one),
        },
        "/api/v1/results/{result}/retry": {
            "post": Call("retryResult", "Try a dead result again.", "Retried", one)
        },
        "/api/v1/results/retry": {
            "post": Call("retryResults", "Try all dead results again.", "Retried", (of_run,))
        },
        "/api/v1/results/drop": {
            "post": Call("dropResults", "Remove all dead results for good.", "Dropped", (of_run,))
        },
    }
