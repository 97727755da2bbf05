"""One table from what went wrong to what the API answers."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from syncsvc.errors import Conflict, Rejected, SyncsvcError, TooLarge, Unavailable, Unknown
from syncsvc.telemetry import get_logger

log = get_logger(__name__)


class Unauthorised(SyncsvcError):
    """The request carries no credential that is good for what it asks."""


STATUS: tuple[tuple[type[SyncsvcError], int], ...] = (
    (Unauthorised, 401),
    (TooLarge, 413),
    (Unknown, 404),
    (Rejected, 400),
    (Conflict, 409),
    (Unavailable, 503),
)


async def refuse(_request: Request, error: Exception) -> Response:
    """Answer an error of ours."""
    status = next(code for kind, code in STATUS if isinstance(error, kind))
    headers = {}
    if isinstance(error, Unavailable):
        log.warning("not served", reason=str(error))
    if isinstance(error, Unauthorised):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable) and error.retry_after is not None:
        headers["Retry-After"] = str(int(error.retry_after.total_seconds()))
    return JSONResponse({"error": {"message": str(error)}}, status, headers)


async def refuse_unexpected(_request: Request, _error: Exception) -> Response:
    """Answer a mistake of ours: that it happened and where it is told, not what it was."""
    message = "something unexpected happened here; the log has it under this x-request-id"
    return JSONResponse({"error": {"message": message}}, 500)


async def refuse_http(_request: Request, error: Exception) -> Response:
    """Answer what the router itself refuses: no such path, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    hint = {404: "no such path; /openapi.json lists them", 405: "no such method on this path"}
    message = hint.get(error.status_code, error.detail)
    return JSONResponse({"error": {"message": message}}, error.status_code, error.headers)
