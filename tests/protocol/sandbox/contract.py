"""The vendor's OpenAPI file as a judge of replies.

OpenAPI 3.0 is nearly JSON Schema; `nullable` is translated, everything else is left to
jsonschema.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker

formats = FormatChecker(["uuid"])


@formats.checks("date-time", raises=ValueError)
def is_instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def translated(schema: Any) -> Any:
    """Say `nullable: true` the way JSON Schema says it."""
    if isinstance(schema, list):
        return [translated(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: translated(each) for name, each in schema.items() if name != "nullable"}
    return {"anyOf": [inner, {"type": "null"}]} if schema.get("nullable") is True else inner


@dataclass(frozen=True)
class Contract:
    file: Path

    @cached_property
    def document(self) -> Any:
        return translated(json.loads(self.file.read_text()))

    async def judge(self, reply: httpx.Response) -> None:
        """Fail if a reply of /api/v2 is not what the file promises for it."""
        request = reply.request
        if not request.url.path.startswith("/api/v2"):
            return
        await reply.aread()
        replies = self.operation(request.method, request.url.path)["responses"]
        status = str(reply.status_code)
        assert status in replies, f"{request.method} {request.url}: {status} is not documented"
        schema = replies[status].get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            assert not reply.content, f"{request.method} {request.url}: a body is not documented"
            return
        self.validate(schema, reply.json())
        for name in replies[status].get("headers", {}):
            assert reply.headers[name].isdecimal()

    def operation(self, method: str, path: str) -> Any:
        """Find what the file says of a call; a path without parameters goes first."""
        paths = self.document["paths"]
        for template in sorted(paths, key=lambda each: each.count("{")):
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if re.fullmatch(pattern, path) and method.lower() in paths[template]:
                return paths[template][method.lower()]
        raise AssertionError(f"{method} {path} is not documented")

    def validate(self, schema: Any, content: Any) -> None:
        whole = {**schema, "components": self.document["components"]}
        Draft202012Validator(whole, format_checker=formats).validate(content)
