"""What an error of Test IT, or of the way to it, means for whoever asked.

An error is classed by its status code. Where a call must not be done twice, every failure after
which it may have been done is Uncertain.
"""

from datetime import UTC, datetime, timedelta

import httpx

from syncsvc.adapters.calling import distrust, retry_after, what_failed
from syncsvc.errors import (
    Conflict,
    Denied,
    Rejected,
    SyncsvcError,
    TooLarge,
    Unavailable,
    Uncertain,
    Unknown,
)

AGAIN = frozenset({408, 425, 429})
NOT_DONE = frozenset({425, 429, 503})  # nobody has begun to carry it out
DROPPED = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
NEVER_ASKED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
DENIED = (
    "check the token of this run: results that are pending are tried again by themselves, each "
    "minute; those that are dead by 'syncsvc results retry'"
)
REFUSALS: dict[int, type[SyncsvcError]] = {
    404: Unknown,
    405: Unknown,  # a server without a surface may answer so
    409: Conflict,
    413: TooLarge,
}


class Hiccup(Unavailable):
    """A quick failure that may be over already: a server error, or a connection that broke."""


class Silence(Hiccup):
    """No answer in time, which is not quick: it is worth one more try and no third."""


def of_answer(answer: httpx.Response, *, once: bool) -> SyncsvcError:
    """Class an answer that is no success."""
    code, path = answer.status_code, answer.request.url.path
    said = f"Test IT answered {code} to {answer.request.method} {path}{_detail(answer)}"
    if code in AGAIN or code >= 500:
        return _later(answer, said, once=once and code not in NOT_DONE)
    if code in (401, 403):
        return Denied(f"{said}; {DENIED}")
    if answer.is_redirect:
        target = answer.headers.get("location", "")[:200]
        return Rejected(f"{said}; it points to {target}: use that address")
    return REFUSALS.get(code, Rejected)(said)


def of_failure(error: httpx.RequestError, said: str, *, once: bool) -> SyncsvcError:
    """Class a failure to ask or to hear the answer; `said` tells what was asked."""
    untrusted = distrust(error)
    if untrusted is not None:
        return Unavailable(
            f"{said}: its certificate is not trusted ({untrusted}); name the file of its authority "
            "in SYNCSVC_TESTIT_CA_FILE and restart"
        )
    said = f"{said}: {what_failed(error)}"
    if isinstance(error, httpx.UnsupportedProtocol):
        return Rejected(said)
    if isinstance(error, NEVER_ASKED):
        return Unavailable(said)
    if once:
        return Uncertain(said)
    if isinstance(error, httpx.ReadTimeout):
        return Silence(said)
    return Hiccup(said) if isinstance(error, DROPPED) else Unavailable(said)


def pause_asked_for(answer: httpx.Response) -> timedelta | None:
    """Say for how long the server wants to be left in peace, if it does."""
    if answer.status_code == 429 or (answer.status_code == 503 and _retry_after(answer)):
        return _retry_after(answer) or timedelta(seconds=1)
    return None


def _later(answer: httpx.Response, said: str, *, once: bool) -> Unavailable:
    pause = _retry_after(answer)
    if once:
        return Uncertain(said, retry_after=pause)
    if pause is None and answer.status_code >= 500:
        return Hiccup(said)
    return Unavailable(said, retry_after=pause)


def _detail(answer: httpx.Response) -> str:
    try:
        body = answer.json()
        detail = body.get("detail") or body.get("title") or ""
    except (ValueError, AttributeError):
        detail = ""
    return f" ({str(detail)[:200]})" if detail else ""


def _retry_after(answer: httpx.Response) -> timedelta | None:
    return retry_after(answer, datetime.now(UTC))
