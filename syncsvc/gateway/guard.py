"""Who may use the API.

With a token configured, every path but the probes wants it, as Bearer or as the password of
Basic (so that a browser can ask for it). Without one we listen on loopback only, and then a
page from elsewhere in the user's browser must not get through: Host and Origin are checked.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from syncsvc.gateway.refusals import Unauthorised, refuse
from syncsvc.settings import LOOPBACK

PROBES = frozenset({"/health", "/ready"})
LOCAL_NAMES = frozenset({"localhost", *LOOPBACK})


class Guard:
    """Lets a request through to an application, or answers 401."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            self._check(request.headers)
        except Unauthorised as error:
            answer = await refuse(request, error)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, headers: Mapping[str, str]) -> None:
        if self._token is None:
            _check_local(headers)
        elif not _carries(self._token, headers.get("authorization", "")):
            raise Unauthorised("expected 'Authorization: Bearer TOKEN' with SYNCSVC_API_TOKEN")


def _carries(token: str, authorization: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.encode(), token.encode())


def _check_local(headers: Mapping[str, str]) -> None:
    host = _host_name("//" + headers.get("host", ""))
    if host not in LOCAL_NAMES:
        raise Unauthorised(
            f"Host: expected localhost, found {host!r}; to serve other names set SYNCSVC_API_TOKEN"
        )
    origin = headers.get("origin")
    if origin is not None and _host_name(origin) not in LOCAL_NAMES:
        raise Unauthorised("Origin: expected a page of this host; to allow others set a token")


def _host_name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
