"""The commands' part of the OpenAPI document, made from the table of operations."""

from collections.abc import Mapping
from typing import Any

import msgspec

from syncsvc.coordination.operations.operation import Operation, Operations
from syncsvc.gateway.commands import CommandList

Shape = type[msgspec.Struct]

ERROR = {"$ref": "#/components/schemas/Error"}
REFUSALS = {
    "400": "Wrong as it stands.",
    "401": "No token.",
    "403": "A token that lacks the scope.",
    "404": "Not here.",
    "409": "Somebody was faster, or it is not yours.",
    "413": "Too large.",
    "503": "Later.",
}


def shapes(operations: Operations) -> list[Shape]:
    """Give the shapes of all requests and replies."""
    return [CommandList, *(shape for each in operations.values() for shape in _own(each))]


def paths(operations: Operations, references: Mapping[Shape, Any]) -> dict[str, Any]:
    """Give a path for each command, and one that lists them; references name the shapes."""
    every = {
        f"/api/v1/runs/{{run}}/{name}": {"post": _call(each, references)}
        for name, each in sorted(operations.items())
    }
    listed = {
        "operationId": "listCommands",
        "summary": "Every command, and what it is for.",
        "security": [{"token": []}, {}],
        "responses": {
            "200": _answer("Every command.", references[CommandList]),
            "401": _answer(REFUSALS["401"], ERROR),
        },
    }
    return {"/api/v1/commands": {"get": listed}, **every}


def _own(operation: Operation) -> tuple[Shape, Shape]:
    return operation.takes, operation.gives


def _call(operation: Operation, references: Mapping[Shape, Any]) -> dict[str, Any]:
    takes, gives = (references[shape] for shape in _own(operation))
    refusals = {status: _answer(word, ERROR) for status, word in REFUSALS.items()}
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [
            {"name": "run", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "worker", "in": "header", "schema": {"type": "string"}},
        ],
        "requestBody": {"content": {"application/json": {"schema": takes}}},
        "security": [{"token": []}, {}],
        "responses": {"200": _answer(operation.summary, gives), **refusals},
    }


def _answer(description: str, schema: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
