"""The three answers that every room gives when it cannot do what was asked.

    SyncsvcError
    ├── Rejected       never again as it stands: the request itself is wrong
    │   ├── Unknown    what it names does not exist
    │   ├── Denied     the credentials do not allow it
    │   └── TooLarge   it is more than we take at once
    ├── Conflict       again now, from fresh state
    └── Unavailable    again later; `retry_after` says when, if somebody told us
        └── Uncertain  and it may have been done: look before asking again

Adapters and stores translate foreign errors into these at once; the gateway turns
them into status codes by one table, and the command line into one line and an exit code.
"""

from datetime import timedelta


class SyncsvcError(Exception):
    """Something that a caller can act on; its text says what to do."""


class Rejected(SyncsvcError):
    """The request is wrong as it stands: repeating it gives the same answer."""


class Unknown(Rejected):
    """The request names something that is not here."""


class Denied(Rejected):
    """The credentials do not allow it: somebody must change them."""


class TooLarge(Rejected):
    """The request is larger than its limit."""


class Conflict(SyncsvcError):
    """Somebody else was faster: read again, then decide."""


class Unavailable(SyncsvcError):
    """What is needed cannot be reached now: try again later."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Uncertain(Unavailable):
    """No answer came to something that must not be done twice: look first."""
