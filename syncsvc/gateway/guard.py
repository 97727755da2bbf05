"""Who may use the API.

With tokens configured, every path but the probes wants one, as Bearer or as the password of
Basic (so that a browser can ask for it), and the token says what it may do. Without any we listen
on loopback only, and then a page from elsewhere in the user's browser must not get through: Host
and Origin are checked, and who gets through may do everything.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from syncsvc.errors import SyncsvcError
from syncsvc.gateway.refusals import NotAllowed, Unauthorised, refuse
from syncsvc.gateway.scopes import Credential, Credentials, Identity, needed, shown_by
from syncsvc.settings import LOOPBACK, ApiScope

PROBES = frozenset({"/health", "/ready"})
LOCAL_NAMES = frozenset({"localhost", *LOOPBACK})
LOCAL = Identity("local", frozenset({ApiScope.ADMIN}))


class Guard:
    """Lets a request through to an application, with who asks on it; or answers 401 or 403."""

    def __init__(self, app: ASGIApp, credentials: Credentials) -> None:
        self._app = app
        self._credentials = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            identity = self._admitted(scope["method"], scope["path"], request.headers)
        except SyncsvcError as error:
            answer = await refuse(request, error)
            await answer(scope, receive, send)
            return
        request.state.identity = identity
        bind_contextvars(caller=identity.name)
        await self._app(scope, receive, send)

    def _admitted(self, method: str, path: str, headers: Mapping[str, str]) -> Identity:
        credentials = self._credentials.good_for(method, path)
        if not credentials:
            _check_local(headers)
            return LOCAL
        identity = _identified(credentials, headers.get("authorization", ""))
        _check_scope(identity, needed(method, path))
        return identity


def who_asks(request: Request) -> Identity:
    """Say who asks; it is what their credential is called, whatever they say."""
    found: Identity = request.state.identity
    return found


def _identified(credentials: Sequence[Credential], authorization: str) -> Identity:
    secret = _shown(authorization)
    identity = None if secret is None else shown_by(credentials, secret)
    if identity is None:
        raise Unauthorised(
            "expected 'Authorization: Bearer TOKEN' with SYNCSVC_API_TOKEN or one of "
            "SYNCSVC_API_TOKENS"
        )
    return identity


def _check_scope(identity: Identity, scopes: Sequence[ApiScope]) -> None:
    if not identity.may(scopes):
        found = ", ".join(sorted(identity.scopes))
        raise NotAllowed(
            f"token {identity.name!r}: expected the scope {' or '.join(scopes)}, found {found}"
        )


def _shown(authorization: str) -> bytes | None:
    scheme, _, shown = authorization.partition(" ")
    given = shown.encode("latin-1")  # the bytes of the header
    if scheme.lower() == "bearer":
        return given
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(given, validate=True).partition(b":")[2]
    except binascii.Error:
        return None


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
