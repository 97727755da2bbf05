"""A command that runs while a lease is held, and not a moment longer."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import typer

from syncsvc.cli.coordination.asking import LOST, Where, ask
from syncsvc.client import LeaseLost, Run
from syncsvc.client.leases import Lease

GRACE = 5.0  # seconds between asking a command to stop and making it
TOKEN = "SYNCSVC_FENCING_TOKEN"  # noqa: S105 - the name of a variable
PASSED_ON = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
)


def run_under(where: Where, lease_of: Callable[[Run], Lease], command: Sequence[str]) -> None:
    """Run a command under a lease; the process ends with the command's exit code."""

    async def story(run: Run) -> int:
        lease = lease_of(run)
        try:
            async with lease:
                return await _run(command, lease)
        except LeaseLost as error:
            typer.echo(f"syncsvc: {error}; the command was stopped", err=True)
            return LOST

    raise typer.Exit(ask(where, story))


async def _run(command: Sequence[str], lease: Lease) -> int:
    """Give the command's exit code. Raises LeaseLost once it is stopped for that."""
    started: asyncio.Future[Process] = asyncio.get_running_loop().create_future()
    with _signals_passed_on_to(started):
        try:
            process = await asyncio.create_subprocess_exec(
                *command, env={**os.environ, TOKEN: str(lease.token)}, start_new_session=True
            )
        except OSError as error:
            typer.echo(f"syncsvc: {command[0]}: {error.strerror}", err=True)
            return 127 if isinstance(error, FileNotFoundError) else 126
        started.set_result(process)
        try:
            return await _ended(process, lease)
        finally:
            _signal(process, signal.SIGKILL)


async def _ended(process: Process, lease: Lease) -> int:
    ending = asyncio.create_task(process.wait())
    losing = asyncio.create_task(lease.lost.wait())
    await asyncio.wait([ending, losing], return_when=asyncio.FIRST_COMPLETED)
    losing.cancel()
    if not ending.done():
        await _stop(process, ending)
        lease.check()
    code = ending.result()
    return code if code >= 0 else 128 - code


async def _stop(process: Process, ending: "asyncio.Task[int]") -> None:
    _signal(process, signal.SIGTERM)
    await asyncio.wait([ending], timeout=GRACE)
    _signal(process, signal.SIGKILL)
    await ending


@contextmanager
def _signals_passed_on_to(started: "asyncio.Future[Process]") -> Iterator[None]:
    """Pass signals on; those that come while the command is being started wait for it."""
    loop = asyncio.get_running_loop()
    for number in PASSED_ON:
        loop.add_signal_handler(number, _pass_on, started, number)
    try:
        yield
    finally:
        for number in PASSED_ON:
            loop.remove_signal_handler(number)


def _pass_on(started: "asyncio.Future[Process]", number: signal.Signals) -> None:
    started.add_done_callback(lambda done: _signal(done.result(), number))


def _signal(process: Process, number: signal.Signals) -> None:
    """Send it to the command and all that it started, as far as they are there."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
