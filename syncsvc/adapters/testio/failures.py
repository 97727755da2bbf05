"""What a failure of TestIO, or of the way to it, means for whoever asked.

An answer is classed by its status code, never by its text.
"""

from datetime import datetime, timedelta

import httpx

from syncsvc.adapters.calling import distrust, retry_after, what_failed
from syncsvc.adapters.testio.accounts import Account
from syncsvc.adapters.testio.texts import error_text, shown
from syncsvc.errors import Denied, Rejected, SyncsvcError, Unavailable, Unknown

UNSAID = timedelta(seconds=1)  # the pause after a 429 that does not say how long
SHORTEST = timedelta(seconds=0.1)  # Retry-After may say 0, or a moment that has passed
HIDDEN = b"***"


class Hiccup(Unavailable):
    """It may be over already; `is_broken`: the server failed over this very request (500)."""

    def __init__(self, message: str, *, is_broken: bool = False) -> None:
        super().__init__(message)
        self.is_broken = is_broken


class Throttled(Unavailable):
    """The server asks to be left in peace for a time."""

    def __init__(self, message: str, pause: timedelta) -> None:
        super().__init__(message, retry_after=pause)
        self.pause = pause


def of_answer(account: Account, answer: httpx.Response, body: bytes, now: datetime) -> SyncsvcError:
    """Class an answer that is no success."""
    code = answer.status_code
    detail = error_text(_without_token(account, body))
    said = f"TestIO answered {code} to GET {answer.request.url.path}"
    said += f" ({detail})" if detail else ""
    pause = _pause_asked_for(answer, now)
    if pause is not None:
        return Throttled(said, pause)
    if code == 408 or code >= 500:
        return Hiccup(said, is_broken=code == 500)
    return _refusal(account, answer, said)


def of_failure(account: Account, error: httpx.RequestError, said: str) -> SyncsvcError:
    """Class a failure to ask or to hear the answer; `said` tells what was asked."""
    untrusted = distrust(error)
    if untrusted is not None:
        return Unavailable(
            f"{said}: its certificate is not trusted ({untrusted}); name the file of its authority "
            "in SYNCSVC_TESTIO_CA_FILE and restart"
        )
    if isinstance(error, httpx.UnsupportedProtocol):
        return Rejected(f"{said}: check {account.url_from}")
    return Hiccup(f"{said}: {what_failed(error)}")


def _refusal(account: Account, answer: httpx.Response, said: str) -> SyncsvcError:
    match answer.status_code:
        case 401 | 403:
            return Denied(f"{said}; check {account.token_from}, and what its owner may see")
        case 404:
            return Unknown(said)
        case code if 300 <= code < 400:
            address = answer.headers.get("Location", "").partition("?")[0]
            shown_address = shown(_without_token(account, address.encode()).decode()) or "nowhere"
            return Rejected(f"{said}; it points to {shown_address}: check {account.url_from}")
        case _:
            return Rejected(said)


def _without_token(account: Account, text: bytes) -> bytes:
    return text.replace(account.token.encode(), HIDDEN)


def _pause_asked_for(answer: httpx.Response, now: datetime) -> timedelta | None:
    said = retry_after(answer, now)
    if answer.status_code == 429 or (answer.status_code == 503 and said is not None):
        return UNSAID if said is None else max(said, SHORTEST)
    return None
