"""How a command of load tests asks: it opens the watch, tells one story, and closes it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import typer

from syncsvc.cli import stopping
from syncsvc.cli.quiet import Event, configure_log
from syncsvc.errors import Rejected
from syncsvc.settings import load
from syncsvc.wiring.loadtests import Watch
from syncsvc.wiring.watching import OpenWatch, open_watch

Answer = TypeVar("Answer")

NO_CLUSTER = (
    "no cluster is configured: set SYNCSVC_K6_KUBECONFIG (and SYNCSVC_K6_CONTEXTS for several), "
    "or run in one; 'syncsvc doctor' says what is found"
)
NOT_KUBECTLS = "kubectl's configuration is not used for load tests"
TOLD = frozenset(  # by the command itself, in fewer words, or of no use to who runs it
    {"a cluster is asked again", "nudge lost, the next tick delivers", NOT_KUBECTLS}
)


def ask(question: Callable[[Watch], Awaitable[Answer]]) -> Answer:
    """Give the answer; raises what the services raise, and Exit after a signal."""
    settings = load()
    configure_log(settings, TOLD, _tell)

    async def asked(opened: OpenWatch) -> Answer:
        return await question(opened.watch)

    return stopping.answer(partial(open_watch, settings), asked)


def need_cluster(watch: Watch) -> None:
    """Raises Rejected when there is none that could be asked."""
    if not watch.clusters.names:
        raise Rejected(NO_CLUSTER)


def _tell(event: Event) -> None:
    if event["event"] == NOT_KUBECTLS:
        typer.echo(f"warning: {NOT_KUBECTLS}: {event.get('reason')}", err=True)
