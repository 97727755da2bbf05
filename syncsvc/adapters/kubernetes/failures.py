"""What a refusal of a cluster, or a failure of the way to it, means for whoever asked.

An answer is classed by its code and by the reason of its Status, never by its text.
"""

from datetime import datetime, timedelta

import httpx
import msgspec
from msgspec import Struct
from msgspec import field as named

from syncsvc.adapters.calling import distrust, retry_after, what_failed
from syncsvc.adapters.kubernetes.asking import Ask
from syncsvc.errors import Conflict, Denied, Rejected, SyncsvcError, Unavailable, Unknown
from syncsvc.loadtests.clusters import Forbidden

LONGEST_SHOWN = 300
NO_SUCH_PATH = b"404 page not found"  # in plain text: there is no such type of objects
UNSAID = timedelta(seconds=1)  # the pause after a 429 that does not say how long


class Hiccup(Unavailable):
    """It may be over already: worth another try at once."""


class Gone(Conflict):
    """The version that was asked for is forgotten: list anew."""


class Refusal(Rejected):
    """Another refusal, with its HTTP code and the reason of its Status."""

    def __init__(self, message: str, code: int, reason: str, said: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.said = said


class Missing(Unknown):
    """The cluster says that there is no object of this name."""


class Details(Struct):
    name: str = ""
    kind: str = ""
    retry_after_seconds: int = named(name="retryAfterSeconds", default=0)


class Status(Struct):
    """What Kubernetes says with a refusal; `kind` tells whether it is one at all."""

    kind: str = ""
    message: str = ""
    reason: str = ""
    code: int = 0
    details: Details | None = None

    @property
    def about(self) -> Details:
        return self.details or Details()


NO_STATUS = Status()
_STATUS = msgspec.json.Decoder(Status)


def of_answer(cluster: str, ask: Ask, answer: httpx.Response, body: bytes) -> SyncsvcError:
    """Class an answer that is no success, but for 401 and for its Retry-After."""
    status = _status_in(body)
    code = answer.status_code
    said = f"cluster {cluster!r} answered {code} to {ask}{_detail(status)}"
    match code:
        case 403:
            return Forbidden(f"{said}; grant the right, and check it with: {ask.how_to_check}")
        case 404:
            return _absent(ask, body, status, said)
        case 410:
            return Gone(said)
        case _ if code in (408, 429) or code >= 500:
            return Hiccup(said)
        case _:
            return _refusal(answer, status, said)


def of_error_event(cluster: str, ask: Ask, status: Status) -> SyncsvcError:
    """Class what a watch says instead of an event."""
    said = f"cluster {cluster!r} ended {ask}{_detail(status)}"
    return Gone(said) if status.code == 410 else Unavailable(said)


def denied(cluster: str, ask: Ask) -> Denied:
    return Denied(
        f"cluster {cluster!r} answered 401 to {ask}: it does not know our credentials; "
        "renew them in the kubeconfig or the service account"
    )


def pause_asked_for(answer: httpx.Response, body: bytes, now: datetime) -> timedelta | None:
    """Give when to come again, if it is said."""
    if answer.status_code != 429 and answer.status_code < 500:
        return None
    seconds = _status_in(body).about.retry_after_seconds
    said = retry_after(answer, now) or (timedelta(seconds=seconds) if seconds > 0 else None)
    return UNSAID if said is None and answer.status_code == 429 else said


def of_failure(cluster: str, ask: Ask, error: httpx.RequestError) -> SyncsvcError:
    """Class a failure to ask or to hear the answer; one that took its time is no mere hiccup."""
    said = f"cluster {cluster!r} did not answer {ask}"
    untrusted = distrust(error)
    if untrusted is not None:
        return Unavailable(
            f"{said}: its certificate is not trusted ({untrusted}); check certificate-authority "
            "and tls-server-name"
        )
    if isinstance(error, httpx.UnsupportedProtocol):
        return Rejected(f"{said}: check its server address")
    slow = isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout | httpx.PoolTimeout)
    return (Unavailable if slow else Hiccup)(f"{said}: {what_failed(error)}")


def shown(text: str) -> str:
    """Show what a server said in one short line."""
    line = "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
    return line[:LONGEST_SHOWN]


def _absent(ask: Ask, body: bytes, status: Status, said: str) -> SyncsvcError:
    """Only a Status that names what we asked for proves that it is not there."""
    about = status.about
    if body.strip() == NO_SUCH_PATH or (status.reason == "NotFound" and not about.name):
        what = ask.resource.full_name if ask.resource else ask.path
        return Unknown(f"{said}: it has no {what} at all; is what brings them installed?")
    if status.reason == "NotFound" and about.name == ask.name and _is_of_kind(ask, about):
        return Missing(said)
    return Unavailable(f"{said}; that is not about what was asked for")


def _is_of_kind(ask: Ask, about: Details) -> bool:
    return ask.resource is not None and about.kind == ask.resource.plural


def _refusal(answer: httpx.Response, status: Status, said: str) -> SyncsvcError:
    if answer.is_redirect:
        address = answer.headers.get("Location", "").partition("?")[0]
        said += f"; it points to {shown(address) or 'nowhere'}: check its server address"
    return Refusal(said, answer.status_code, status.reason, status.message)


def _status_in(body: bytes) -> Status:
    try:
        status = _STATUS.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return NO_STATUS
    return status if status.kind == "Status" else NO_STATUS


def _detail(status: Status) -> str:
    parts = [part for part in (status.reason, shown(status.message)) if part]
    return f" ({': '.join(parts)})" if parts else ""
