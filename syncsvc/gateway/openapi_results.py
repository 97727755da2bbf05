"""The part of the OpenAPI document about runs and results, made from the shapes that answer."""

from dataclasses import dataclass, field
from typing import Any

from syncsvc.gateway import pushes_api, runs_api, views
from syncsvc.results.held.model import EntryState
from syncsvc.results.ledger import Kind

JSON = "application/json"
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
REFUSALS = {
    "400": "Wrong as it stands.",
    "401": "No token.",
    "404": "Not here.",
    "413": "Too large.",
    "503": "Later.",
}
Parameter = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One operation: what it is, what it takes, and the name of the shape that it answers with."""

    name: str
    summary: str
    gives: str
    parameters: tuple[Parameter, ...] = ()
    body: dict[str, Any] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        refusals = {status: _answer(word, "Error") for status, word in REFUSALS.items()}
        return {
            "operationId": self.name,
            "summary": self.summary,
            "parameters": list(self.parameters),
            "security": [{"token": []}, {}],
            **({"requestBody": {"required": True, "content": self.body}} if self.body else {}),
            "responses": {"200": _answer(self.summary, self.gives), **refusals},
        }


def paths() -> dict[str, Any]:
    return {
        path: {method: call.described() for method, call in calls.items()}
        for path, calls in {**_runs(), **_results()}.items()
    }


def _runs() -> dict[str, dict[str, Call]]:
    run, digest = _in_path("run"), _in_path("digest")
    project = _query("project_id", {"type": "string"})
    octets = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    accept = "Keep 1 to 1000 results until Test IT has them."
    attach = "Attach files that the run has to the run itself when it ends."
    ask = "Whether the run has a file."
    return {
        "/api/v1/runs": {
            "get": Call("listRuns", "Runs, newest first.", "RunPage", (_page(),)),
            "post": Call(
                "createRun", "Create a run in Test IT.", "Created", (), _json("NewRunBody")
            ),
        },
        "/api/v1/runs/{run}": {"get": Call("showRun", "One run.", "RunView", (run,))},
        "/api/v1/runs/{run}/complete": {
            "post": Call("completeRun", "No more results are pushed.", "PushedView", (run,))
        },
        "/api/v1/runs/{run}/results": {
            "post": Call("pushResults", accept, "AcceptedView", (run,), _json("PushBody"))
        },
        "/api/v1/runs/{run}/attachments": {
            "post": Call("attachFiles", attach, "RunFilesView", (run,), _json("AttachBody")),
            "get": Call("listFiles", "The files of the run itself.", "RunFilesView", (run,)),
        },
        "/api/v1/runs/{run}/attachments/{digest}": {
            "put": Call("keepFile", "Keep a file.", "FileView", (run, digest, project), octets),
            "get": Call("showFile", ask, "FileView", (run, digest)),
            "head": Call("hasFile", ask, "FileView", (run, digest)),
        },
    }


def _results() -> dict[str, dict[str, Call]]:
    state = _query("state", {"type": "string", "enum": list(EntryState)})
    kind = _query("kind", {"type": "string", "enum": list(Kind)})
    of_run, before = _query("run", {"type": "string"}), _query("before", {"type": "string"})
    filters = (state, kind, of_run, before, _page())
    one = (_in_path("result"),)
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


def _json(shape: str) -> dict[str, Any]:
    return {JSON: {"schema": {"$ref": f"#/components/schemas/{shape}"}}}


def _answer(description: str, shape: str) -> dict[str, Any]:
    return {"description": description, "content": _json(shape)}


def _page() -> Parameter:
    return _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})


def _query(name: str, schema: dict[str, Any]) -> Parameter:
    return {"name": name, "in": "query", "schema": schema}


def _in_path(name: str) -> Parameter:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
