"""Commands that sync, or say what a sync would do."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import typer

from syncsvc.adapters.tasks import answering_workers
from syncsvc.catalogue.model import IfRunning, RunStatus, SyncResult, SyncRun
from syncsvc.catalogue.ports import RunFilter
from syncsvc.catalogue.rehearsal import Rehearsal
from syncsvc.cli.stopping import INTERRUPTED
from syncsvc.cli.syncing import showing
from syncsvc.cli.syncing.asking import ask
from syncsvc.cli.syncing.codes import code_of
from syncsvc.cli.syncing.reading import Wish
from syncsvc.cli.syncing.telling import Teller, teller
from syncsvc.errors import Rejected, SyncsvcError, Unavailable
from syncsvc.settings import load
from syncsvc.wiring.syncing import Syncing

LOOK_AGAIN = 2.0  # seconds to find out what became of a sync that was left
NOBODY = (
    "warning: no task worker answers, and the sync waits for one: start it with 'syncsvc worker' "
    "(or 'syncsvc up'), or end the sync with 'syncsvc sync cancel'"
)


def run(wish: Wish) -> int:
    """Sync, tell how far it is and what came of it, and give the exit code."""
    left: list[SyncResult] = []
    try:
        with teller(quiet=wish.as_json) as telling:
            found = ask(_story(wish, telling, left))
    except typer.Exit:
        showing.left(left[0] if left else None, as_json=wish.as_json)
        raise
    showing.result(found, as_json=wish.as_json)
    return code_of(found)


def start(wish: Wish) -> None:
    """Leave a sync to the task workers, and warn when none answers."""

    async def story(syncing: Syncing) -> SyncRun:
        request = wish.request(syncing.syncs.customer(wish.customer))
        return await syncing.syncs.start(wish.phases, wish.scope, wish.options, request)

    found = ask(story)
    told = f"sync {found.id} of {found.order.customer} runs; see: syncsvc sync show {found.id}"
    showing.run(found, as_json=wish.as_json, told=told)
    if found.is_shared and not found.status.is_over and not asyncio.run(_somebody_works()):
        typer.echo(NOBODY, err=True)


def rehearse(wish: Wish) -> None:
    """Say what a sync would do."""

    async def story(syncing: Syncing) -> Rehearsal:
        request = wish.request(syncing.syncs.customer(wish.customer))
        return await syncing.syncs.rehearse(wish.phases, wish.scope, wish.options, request)

    showing.rehearsal(ask(story), as_json=wish.as_json)


def confirmed(wish: Wish, confirm: str | None) -> Wish:
    """See that a nuke is meant: the customer's name was typed. Raises Rejected."""
    if not wish.options.nuke:
        if confirm is not None:
            raise Rejected(f"--confirm: expected with --nuke only, found {confirm!r} without it")
        return wish
    customer = ask(_named(wish.customer))
    typed = confirm if confirm is not None else _typed(customer)
    if typed != customer:
        raise Rejected(f"--nuke: expected {customer!r} to be typed, found {typed!r}")
    return wish


def _story(
    wish: Wish, telling: Teller, left: list[SyncResult]
) -> Callable[[Syncing], Awaitable[SyncResult]]:
    """Sync; when that is cancelled, note what became of it."""

    async def story(syncing: Syncing) -> SyncResult:
        syncs = syncing.syncs
        customer = syncs.customer(wish.customer)
        await _tell_wait(wish, customer, syncing, telling)
        request = wish.request(customer, telling.tell)
        try:
            return await syncs.execute_sync(wish.phases, wish.scope, wish.options, request=request)
        except asyncio.CancelledError:
            with suppress(SyncsvcError, TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN):
                    if telling.run_id is not None:
                        left.append(await syncs.result(telling.run_id))
            raise

    return story


async def _tell_wait(wish: Wish, customer: str, syncing: Syncing, telling: Teller) -> None:
    """Say for whom one waits, so that silence is no riddle."""
    if wish.if_running is IfRunning.FAIL:
        return
    running = await syncing.syncs.history(RunFilter(customer, RunStatus.RUNNING, limit=1))
    for other in running:
        how = "joins" if wish.if_running is IfRunning.JOIN else "waits for"
        telling.say(f"{how} sync {other.id} of {customer}, begun by {other.order.trigger}")


async def _somebody_works() -> bool:
    """Whether a task worker answers; a broker that does not is told by the nudge."""
    try:
        return bool(await answering_workers(load().broker))
    except Unavailable:
        return False


def _named(customer: str | None) -> Callable[[Syncing], Awaitable[str]]:
    async def story(syncing: Syncing) -> str:
        return syncing.syncs.customer(customer)

    return story


def _typed(customer: str) -> str:
    if not sys.stdin or not sys.stdin.isatty():
        raise Rejected(f"--nuke: nobody is there to be asked: use --confirm {customer}")
    question = f"All that is stored of {customer} will be built anew. Type its name to go on"
    try:
        return str(typer.prompt(question, err=True))
    except typer.Abort:
        typer.echo("\nnothing was begun", err=True)
        raise typer.Exit(INTERRUPTED) from None
