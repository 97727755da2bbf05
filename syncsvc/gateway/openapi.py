"""The OpenAPI document of the API, made from the shapes that it really answers with."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from syncsvc import __version__
from syncsvc.coordination.operations.operation import Operations
from syncsvc.gateway import openapi_commands, openapi_k6, openapi_results, openapi_sync


def routes(operations: Operations) -> list[BaseRoute]:
    async def serve(_request: Request) -> Response:
        return JSONResponse(document(operations))

    return [Route("/openapi.json", serve, methods=["GET"])]


def document(operations: Operations) -> dict[str, Any]:
    """Give the document."""
    shapes: list[type[msgspec.Struct]] = [
        *openapi_results.SHAPES,
        *openapi_sync.SHAPES,
        *openapi_k6.SHAPES,
        *openapi_commands.shapes(operations),
    ]
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
        "paths": {
            **openapi_results.paths(),
            **openapi_sync.paths(),
            **openapi_k6.paths(),
            **_probes(),
            **openapi_commands.paths(operations, references),
        },
        "components": {
            "schemas": {
                **components,
                "Error": error,
                "DashboardError": openapi_k6.DASHBOARD_ERROR,
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _probes() -> dict[str, Any]:
    return {
        "/health": {"get": _probe("health", "This process lives.", {})},
        "/ready": {
            "get": _probe("ready", "What it needs answers.", {"503": _said("Something does not.")})
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
