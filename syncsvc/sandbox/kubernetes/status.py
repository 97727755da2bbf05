"""What a Kubernetes API answers instead of what was asked for: Status objects, or plain text."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

JSON_TYPE = "application/json"
REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    503: "ServiceUnavailable",
    504: "Timeout",
}
TOO_MANY = "Too many requests, please try again later."
NO_SUCH_PAGE = "404 page not found\n"
Cause = tuple[str, str, str]  # reason, message, field


class Failure(Exception):
    """A call that ends in a Status object."""

    def __init__(
        self,
        code: int,
        message: str,
        details: Mapping[str, Any] | None = None,
        reason: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = REASONS.get(code) if reason is None else reason
        self.details = details
        self.metadata = metadata or {}

    def status(self) -> dict[str, Any]:
        """Build the Status; what it does not say is left out."""
        shown: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": str(self),
        }
        if self.reason:
            shown["reason"] = self.reason
        if self.details:
            shown["details"] = self.details
        return {**shown, "code": self.code}

    def response(self) -> Response:
        after = (self.details or {}).get("retryAfterSeconds")
        headers = {} if after is None else {"Retry-After": str(after)}
        return json_response(self.status(), self.code, headers)


class NoSuchPath(Exception):
    """The server does not serve this path at all: no Status, just text."""


def json_response(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(msgspec.json.encode(content) + b"\n", status, headers, media_type=JSON_TYPE)


def text_response(text: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(text, status, headers, media_type="text/plain")


def no_such_path() -> Response:
    return text_response(NO_SUCH_PAGE, 404)


def bad_request(message: str) -> Failure:
    return Failure(400, message)


def about(name: str | None, group: str, kind: str) -> dict[str, Any]:
    """Name what a Status is about; the core group goes without saying."""
    shown = {"name": name, "group": group, "kind": kind}
    return {key: value for key, value in shown.items() if value}


def qualified(resource: str, group: str) -> str:
    return f"{resource}.{group}" if group else resource


def not_found(resource: str, group: str, name: str) -> Failure:
    details = about(name, group, resource)
    return Failure(404, f'{qualified(resource, group)} "{name}" not found', details)


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> Failure:
    """Refuse values, each with its field."""
    told = [f"{field}: {message}" for _, message, field in causes]
    text = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    shown = [{"reason": r, "message": m, "field": f} for r, m, f in causes]
    details = {**about(name, group, kind), "causes": shown}
    return Failure(422, f'{qualified(kind, group)} "{name}" is invalid: {text}', details)


def told_to_refuse(path: str, code: int, headers: Mapping[str, str]) -> Response:
    """Refuse because a fault says so, as a real server would at this path."""
    if code == 429:
        return text_response(TOO_MANY, code, headers)
    reason = "" if code == 500 else None
    failure = Failure(
        code, "the sandbox was told to refuse this call", _details(path, code), reason
    )
    return json_response(failure.status(), code, headers)


def _details(path: str, code: int) -> Mapping[str, Any] | None:
    """Name the object of a path that ends in it, so that a false NotFound looks true."""
    parts = path.strip("/").split("/")
    if code != 404 or "namespaces" not in parts:
        return None
    group = parts[3] if len(parts) > 3 and parts[2] == "apis" else ""
    resource, name = (*parts[parts.index("namespaces") + 2 :], "", "")[:2]
    return about(name, group, resource)
