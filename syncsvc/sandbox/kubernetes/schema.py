"""A reduced schema of TestRuns: what is pruned, filled in and refused, in the server's words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncsvc.sandbox.kubernetes.model import STAGES, Json
from syncsvc.sandbox.kubernetes.status import Cause

NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_TYPES: Mapping[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    dict: "object",
    list: "array",
    type(None): "null",
}


@dataclass(frozen=True)
class Shape:
    """What may stand at one place; an object without fields of its own may hold anything."""

    type: str = "string"
    fields: Mapping[str, "Shape"] = field(default_factory=dict)
    required: Sequence[str] = ()
    items: "Shape | None" = None
    allowed: Sequence[str] = ()
    pattern: str = ""
    default: str | None = None


TEXT, FLAG, NUMBER, FREE = Shape(), Shape("boolean"), Shape("integer"), Shape("object")
TEXTS = Shape("array", items=TEXT)
_SCRIPT = Shape(
    "object",
    {
        "configMap": Shape("object", {"name": TEXT, "file": TEXT}, ("name",)),
        "volumeClaim": Shape("object", {"name": TEXT, "file": TEXT, "readOnly": FLAG}, ("name",)),
        "localFile": TEXT,
    },
)
_SPEC = Shape(
    "object",
    {
        "parallelism": NUMBER,
        "script": _SCRIPT,
        "arguments": TEXT,
        "args": TEXTS,
        "separate": FLAG,
        "ports": Shape("array", items=FREE),
        "initializer": FREE,
        "starter": FREE,
        "runner": FREE,
        "scuttle": FREE,
        "quiet": Shape(default="true"),
        "paused": Shape(default="true"),
        "cleanup": Shape(allowed=("post",)),
        "testRunId": TEXT,
        "token": TEXT,
    },
    ("parallelism", "script"),
)
_CONDITION = Shape(
    "object",
    {
        "type": TEXT,
        "status": Shape(allowed=("True", "False", "Unknown")),
        "reason": Shape(pattern="^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"),
        "message": TEXT,
        "lastTransitionTime": TEXT,
        "observedGeneration": NUMBER,
    },
    ("lastTransitionTime", "message", "reason", "status", "type"),
)
_STATUS = Shape(
    "object",
    {
        "stage": Shape(allowed=STAGES),
        "conditions": Shape("array", items=_CONDITION),
        "testRunId": TEXT,
        "aggregationVars": TEXT,
    },
)
TEST_RUN = Shape(
    "object",
    {"apiVersion": TEXT, "kind": TEXT, "metadata": FREE, "spec": _SPEC, "status": _STATUS},
)


def pruned(shape: Shape, value: Any, at: str = "") -> tuple[Any, list[str]]:
    """Drop what the schema does not know, fill in what it has a default for; name what went."""
    if isinstance(value, list) and shape.items is not None:
        parts = [pruned(shape.items, each, f"{at}[{n}]") for n, each in enumerate(value)]
        return [part for part, _ in parts], [name for _, gone in parts for name in gone]
    if not isinstance(value, dict) or not shape.fields:
        return value, []
    kept: Json = {}
    gone: list[str] = []
    for name, inner in value.items():
        path = f"{at}.{name}".lstrip(".")
        if name not in shape.fields:
            gone.append(path)
            continue
        kept[name], lost = pruned(shape.fields[name], inner, path)
        gone += lost
    defaults = {name: of.default for name, of in shape.fields.items() if of.default is not None}
    return {**defaults, **kept}, gone


def wrong(shape: Shape, value: Any, at: str = "") -> Iterator[Cause]:
    """Tell every value that does not fit."""
    found = _TYPES.get(type(value), "object")
    if found != shape.type:
        text = f'Invalid value: "{found}": {at} in body must be of type {shape.type}: "{found}"'
        yield "FieldValueTypeInvalid", text, at
    elif isinstance(value, dict):
        yield from _wrong_fields(shape, value, at)
    elif isinstance(value, list) and shape.items is not None:
        for number, each in enumerate(value):
            yield from wrong(shape.items, each, f"{at}[{number}]")
    elif isinstance(value, str):
        yield from _wrong_text(shape, value, at)


def wrong_name(name: object) -> Iterator[Cause]:
    if not isinstance(name, str) or not name:
        yield "FieldValueRequired", "Required value: name or generateName is required", _AT_NAME
    elif len(name) > 253 or not re.fullmatch(NAME, name):
        regex = NAME.replace("(?:", "(")
        text = (
            f'Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of lower case '
            "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
            f"character (e.g. 'example.com', regex used for validation is '{regex}')"
        )
        yield "FieldValueInvalid", text, _AT_NAME


_AT_NAME = "metadata.name"


def _wrong_fields(shape: Shape, value: Json, at: str) -> Iterator[Cause]:
    for name in shape.required:
        if name not in value:
            yield "FieldValueRequired", "Required value", f"{at}.{name}".lstrip(".")
    for name, inner in value.items():
        if name in shape.fields:
            yield from wrong(shape.fields[name], inner, f"{at}.{name}".lstrip("."))


def _wrong_text(shape: Shape, value: str, at: str) -> Iterator[Cause]:
    if shape.allowed and value not in shape.allowed:
        allowed = ", ".join(f'"{each}"' for each in shape.allowed)
        text = f'Unsupported value: "{value}": supported values: {allowed}'
        yield "FieldValueNotSupported", text, at
    if shape.pattern and not re.match(shape.pattern, value):
        text = f"Invalid value: \"{value}\": {at} in body should match '{shape.pattern}'"
        yield "FieldValueInvalid", text, at
