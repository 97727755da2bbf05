"""One operation of the API, as its OpenAPI document describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
REFUSALS = {
    "400": "Wrong as it stands.",
    "401": "No token.",
    "403": "A token that lacks the scope.",
    "404": "Not here.",
    "409": "Not as things stand.",
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
        refusals = {status: answer(word, "Error") for status, word in REFUSALS.items()}
        return {
            "operationId": self.name,
            "summary": self.summary,
            "parameters": list(self.parameters),
            "security": [{"token": []}, {}],
            **({"requestBody": {"required": True, "content": self.body}} if self.body else {}),
            "responses": {"200": answer(self.summary, self.gives), **refusals},
        }


def described(calls: Mapping[str, Mapping[str, Call]]) -> dict[str, Any]:
    """Give the document's paths."""
    return {
        path: {method: call.described() for method, call in of_path.items()}
        for path, of_path in calls.items()
    }


def json_body(shape: str) -> dict[str, Any]:
    return {JSON: {"schema": {"$ref": f"#/components/schemas/{shape}"}}}


def answer(description: str, shape: str) -> dict[str, Any]:
    return {"description": description, "content": json_body(shape)}


def page() -> Parameter:
    return query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})


def query(name: str, schema: dict[str, Any]) -> Parameter:
    return {"name": name, "in": "query", "schema": schema}


def in_path(name: str) -> Parameter:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
