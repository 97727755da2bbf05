"""The OpenAPI document of the API, made from the shapes that it really answers with."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from syncsvc import __version__
from syncsvc.coordination.operations.operation import Operations
from syncsvc.gateway import openapi_commands
from syncsvc.gateway.api import ResultPage, ResultView, Retried, RunPage, RunView
from syncsvc.results.held.model import EntryState

SHAPES = (ResultPage, ResultView, Retried, RunPage, RunView)


def routes(operations: Operations) -> list[BaseRoute]:
    async def serve(_request: Request) -> Response:
        return JSONResponse(document(operations))

    return [Route("/openapi.json", serve, methods=["GET"])]


def document(operations: Operations) -> dict[str, Any]:
    """Give the document."""
    shapes: list[type[msgspec.Struct]] = [*SHAPES, *openapi_commands.shapes(operations)]
    found, components = msgspec.json.schema_components(
        shapes, ref_template="#/components/schemas/{name}"
    )
    references = dict(zip(shapes, found, strict=True))
    error = {
        "type": "object",
        "properties": {"error": {"type": "object", "properties": {"message": {"type": "string"}}}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "syncsvc", "version": __version__},
        "paths": {**_paths(), **openapi_commands.paths(operations, references)},
        "components": {
            "schemas": {**components, "Error": error},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _paths() -> dict[str, Any]:
    state = _query("state", {"type": "string", "enum": list(EntryState)})
    page = [_query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})]
    filters = [state, _query("run", {"type": "string"}), _query("before", {"type": "string"})]
    result, run = _in_path("result"), _in_path("run")
    return {
        "/api/v1/runs": {"get": _call("listRuns", "Runs, newest first.", "RunPage", page)},
        "/api/v1/runs/{run}": {"get": _call("showRun", "One run.", "RunView", [run])},
        "/api/v1/results": {
            "get": _call("listResults", "Held results, newest first.", "ResultPage", filters + page)
        },
        "/api/v1/results/{result}": {
            "get": _call("showResult", "One held result.", "ResultView", [result])
        },
        "/api/v1/results/{result}/retry": {
            "post": _call("retryResult", "Try a dead result again.", "Retried", [result])
        },
        "/api/v1/results/retry": {
            "post": _call("retryResults", "Try all dead results again.", "Retried", [])
        },
        "/health": {"get": _probe("health", "This process lives.", {})},
        "/ready": {
            "get": _probe("ready", "What it needs answers.", {"503": _said("Something does not.")})
        },
    }


def _call(name: str, summary: str, shape: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    answer = {"schema": {"$ref": f"#/components/schemas/{shape}"}}
    refusal = {"schema": {"$ref": "#/components/schemas/Error"}}
    words = {"400": "Wrong as it stands.", "401": "No token.", "404": "Not here.", "503": "Later."}
    refusals = {
        status: {"description": word, "content": {"application/json": refusal}}
        for status, word in words.items()
    }
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "security": [{"token": []}, {}],
        "responses": {
            "200": {"description": summary, "content": {"application/json": answer}},
            **refusals,
        },
    }


def _probe(name: str, summary: str, others: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": _said(summary), **others},
    }


def _said(description: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"status": {"type": "string"}}}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
