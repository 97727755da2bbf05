"""What a sandbox answers when it refuses, in the shape ASP.NET services use (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

PROBLEM = "application/problem+json"
CUSTOMER = "/customer/"  # TestIO's paths, which are refused in TestIO's words
K8S = "/k8s/"  # those of Kubernetes' clusters, likewise


class Refusal(Exception):
    """A request that is not carried out; `field` names the part of it that is to blame."""

    def __init__(self, status: int, detail: str, field: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field


class Missing(Refusal):
    """Something was asked for that does not exist."""

    def __init__(self, kind: str, found: object) -> None:
        super().__init__(404, f"{kind} {found} was not found")


def json_reply(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        msgspec.json.encode(content), status, headers, media_type="application/json; charset=utf-8"
    )


def problem(
    status: int, detail: str, field: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """Answer ValidationProblemDetails to a bad request and ProblemDetails to everything else."""
    body: dict[str, Any] = {
        "type": f"https://httpstatuses.io/{status}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if status == 400:
        body["errors"] = {field: [detail]}
    return Response(msgspec.json.encode(body), status, headers, media_type=PROBLEM)


def error_reply(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer what TestIO answers to whatever it refuses."""
    return json_reply({"error": text}, status, headers)


def refusal(path: str, error: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """Refuse in the words of the service whose path was called."""
    if path.startswith(CUSTOMER):
        return error_reply(error.status, error.detail, headers)
    return problem(error.status, error.detail, error.field, headers)
