"""Who is let in on the WebSocket port, and to which run.

TestSync's own path asks first for credentials, then for a proper upgrade, then for the id. Ours
also takes the API token, and where nothing is configured keeps out pages from elsewhere.
"""

import binascii
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from picows import WSUpgradeRequest, WSUpgradeResponse

from syncsvc.adapters.testsync.answers import NO_PAGE, UNAUTHORISED
from syncsvc.adapters.testsync.credentials import Credentials
from syncsvc.adapters.testsync.paths import canonical, tidier
from syncsvc.coordination.names import check_name
from syncsvc.errors import Rejected
from syncsvc.settings import LOOPBACK

LOCAL_NAMES = frozenset({"localhost", *LOOPBACK})
REGISTER = re.compile(rb"/register/([0-9]+)(/?)")
RUN = re.compile(rb"/runs/([^/]+)")
GREETING = b"WebSocket, reporting for duty!\n"
JSON = {"Content-Type": "application/json; charset=UTF-8"}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
PLAIN = TEXT | {"X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Admission:
    """Somebody who is let in; no run when the id is larger than any test's."""

    run: str | None
    worker: str | None
    errors: bool | None  # whether to say what is wrong with a message, if the client has a wish
    ours: bool  # by the path that plain TestSync does not have


class NotAdmitted(Exception):
    """A handshake ends with this answer instead."""

    def __init__(self, response: WSUpgradeResponse) -> None:
        super().__init__(response.status)
        self.response = response


@dataclass(frozen=True)
class Door:
    """Reads handshakes."""

    credentials: Credentials
    api_tokens: Collection[str] | None  # each good for our own path; None: it needs none

    def admit(self, request: WSUpgradeRequest) -> Admission:
        """Say who comes to which run. Raises NotAdmitted that says why nobody does."""
        path, _, query = request.path.partition(b"?")
        if found := REGISTER.fullmatch(path):
            return self._register(request, found, query)
        if found := RUN.fullmatch(path):
            return self._run(request, found, query)
        raise _no_such(path, query)

    def _register(
        self, request: WSUpgradeRequest, found: re.Match[bytes], query: bytes
    ) -> Admission:
        if found[2]:
            raise _moved(request.path.replace(b"/?", b"?").removesuffix(b"/"))
        given = _parameters(query)
        self._check(request, given)
        _check_upgrade(request)
        return _admission(canonical(found[1].decode()), given, ours=False)

    def _run(self, request: WSUpgradeRequest, found: re.Match[bytes], query: bytes) -> Admission:
        given = _parameters(query)
        self._check_ours(request, given)
        _check_upgrade(request)
        return _admission(_name("run", unquote(found[1].decode("latin-1"))), given, ours=True)

    def _check(self, request: WSUpgradeRequest, given: Mapping[str, str]) -> None:
        if not self.credentials.configured:
            return
        admitted = self.credentials.admits_header(request.headers.get("Authorization"))
        if admitted is None:  # only then does TestSync look at the query
            username, password = given.get("username", ""), given.get("password", "")
            admitted = self.credentials.admits(username, password)
        if not admitted:
            raise _error(401, UNAUTHORISED.body, JSON)

    def _check_ours(self, request: WSUpgradeRequest, given: Mapping[str, str]) -> None:
        if self._bears_token(request.headers.get("Authorization", "")):
            return
        if self.credentials.configured:
            self._check(request, given)
        elif self.api_tokens is not None:
            raise _error(401, UNAUTHORISED.body, JSON)
        elif not _is_local(request.headers.get("Origin")):
            raise _error(403, b"Origin: expected a page of this host\n", PLAIN)

    def _bears_token(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return False
        shown = token.strip().encode("utf-8", "surrogatepass")
        same = [hmac.compare_digest(shown, known.encode()) for known in self.api_tokens or ()]
        return any(same)


def _admission(run: str | None, given: Mapping[str, str], *, ours: bool) -> Admission:
    worker = given.get("worker")
    errors = {"0": False, "1": True}.get(given.get("errors", ""))
    named = None if worker is None else _name("worker", worker)
    return Admission(run, named, errors, ours)


def _name(field: str, value: str) -> str:
    try:
        return check_name(field, value)
    except Rejected as error:
        raise _error(400, f"{error}\n".encode(errors="replace"), PLAIN) from error


def _parameters(query: bytes) -> Mapping[str, str]:
    if not query:
        return {}
    found = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    return {name: values[0] for name, values in found.items()}


def _check_upgrade(request: WSUpgradeRequest) -> None:
    """Check what a handshake must have, and put it as plainly as picows wants it."""
    headers = request.headers
    proper = (
        _has_token(headers.getall("Connection", []), "upgrade")
        and _has_token(headers.getall("Upgrade", []), "websocket")
        and headers.get("Sec-WebSocket-Version") == "13"
        and _is_key(headers.get("Sec-WebSocket-Key", ""))
    )
    if not proper:
        raise _error(400, b"Bad Request\n", PLAIN | {"Sec-Websocket-Version": "13"})
    headers["Connection"] = "upgrade"
    headers["Upgrade"] = "websocket"


def _has_token(values: list[str], token: str) -> bool:
    return any(part.strip().lower() == token for value in values for part in value.split(","))


def _is_key(key: str) -> bool:
    try:
        return len(binascii.a2b_base64(key, strict_mode=True)) == 16
    except ValueError:
        return False


def _is_local(origin: str | None) -> bool:
    if origin is None:
        return True
    try:
        return urlsplit(origin).hostname in LOCAL_NAMES
    except ValueError:
        return False


def _no_such(path: bytes, query: bytes) -> NotAdmitted:
    if path == b"/":
        return NotAdmitted(WSUpgradeResponse.create_ok_response(GREETING, TEXT))
    tidy = tidier(unquote(path.decode("latin-1")), path, query)
    if tidy is not None:
        return _moved(tidy)
    return _error(404, NO_PAGE.body, PLAIN)


def _moved(location: bytes) -> NotAdmitted:
    to = location.decode("latin-1")
    response = WSUpgradeResponse.create_redirect_response(
        301, to, {"Content-Type": "text/html; charset=utf-8"}
    )
    shown = to.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;")
    response.body = f'<a href="{shown}">Moved Permanently</a>.\n\n'.encode()
    return NotAdmitted(response)


def _error(status: int, body: bytes, headers: Mapping[str, str]) -> NotAdmitted:
    return NotAdmitted(WSUpgradeResponse.create_error_response(status, body, headers))
