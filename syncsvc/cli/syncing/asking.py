"""How a command of syncs asks its services, and what a signal does to a sync."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from syncsvc.cli import stopping
from syncsvc.cli.quiet import configure_log
from syncsvc.settings import load
from syncsvc.wiring.syncing import Syncing, open_syncing

Answer = TypeVar("Answer")
TOLD = frozenset({"TestIO is asked again", "unit failed"})  # by the command itself, in fewer words


def ask(question: Callable[[Syncing], Awaitable[Answer]]) -> Answer:
    """Give the answer; raises what the services raise.

    SIGINT and SIGTERM cancel the question, which may take a few seconds to tidy up; a second one
    does not wait. Raises Exit with 130 or 143 then.
    """
    settings = load()
    configure_log(settings, TOLD)
    return stopping.answer(partial(open_syncing, settings), question)
