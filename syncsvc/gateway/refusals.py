"""One table from what went wrong to what the API answers; the dashboard has a shape of its own."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from syncsvc.errors import Conflict, Rejected, SyncsvcError, TooLarge, Unavailable, Unknown
from syncsvc.gateway.scopes import DASHBOARD
from syncsvc.telemetry import get_logger

log = get_logger(__name__)


class Unauthorised(SyncsvcError):
    """The request carries no credential that is good for what it asks."""


class NotAllowed(SyncsvcError):
    """The credential is known, and lacks the scope for what it asks."""


class OursRefused(SyncsvcError):
    """Another service refuses the credentials of this one: the caller's own are fine."""


STATUS: tuple[tuple[type[SyncsvcError], int], ...] = (
    (Unauthorised, 401),
    (NotAllowed, 403),
    (OursRefused, 502),
    (TooLarge, 413),
    (Unknown, 404),
    (Rejected, 400),
    (Conflict, 409),
    (Unavailable, 503),
)


async def refuse(request: Request, error: Exception) -> Response:
    """Answer an error of ours."""
    headers = {}
    if isinstance(error, Unavailable):
        log.warning("not served", reason=str(error))
    if isinstance(error, Unauthorised):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable) and error.retry_after is not None:
        headers["Retry-After"] = str(int(error.retry_after.total_seconds()))
    return JSONResponse(_told(request, str(error)), status_of(error), headers)


def status_of(error: Exception) -> int:
    return next(code for kind, code in STATUS if isinstance(error, kind))


async def refuse_unexpected(request: Request, _error: Exception) -> Response:
    """Answer a mistake of ours: that it happened and where it is told, not what it was."""
    message = "something unexpected happened here; the log has it under this x-request-id"
    return JSONResponse(_told(request, message), 500)


async def refuse_http(request: Request, error: Exception) -> Response:
    """Answer what the router itself refuses: no such path, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    hint = {404: "no such path; /openapi.json lists them", 405: "no such method on this path"}
    message = hint.get(error.status_code, error.detail)
    return JSONResponse(_told(request, message), error.status_code, error.headers)


def _told(request: Request, message: str) -> dict[str, object]:
    if request.scope["path"].startswith(DASHBOARD):
        return {"error": message}
    return {"error": {"message": message}}
