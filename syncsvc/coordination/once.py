"""A request that comes again, because its answer was lost, gets the same answer and does nothing.

A caller that asks again itself says so with an id of its own. One that gives none is still
asked for by a connection that retries, so it gets an id here, which is forgotten sooner.
"""

from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex

from syncsvc.coordination.names import check_name

REMEMBERED = timedelta(minutes=10)
RETRIED = timedelta(seconds=20)  # longer than any connection tries again


@dataclass(frozen=True, slots=True)
class Once:
    """An id of a request, among all of its run, and how long its answer is kept."""

    id: str
    life: timedelta


def once(command: str, name: str, request: str | None) -> Once:
    """Give the id of a request: of two commands, or two names, it is never the same.

    Raises Rejected when the caller's own id is no name.
    """
    if request is None:
        return Once(token_hex(12), RETRIED)
    return Once(f"{command}\n{name}\n{check_name('request', request)}", REMEMBERED)
