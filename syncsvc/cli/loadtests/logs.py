"""The command that reads logs, and follows them.

Lines are clean unless they are wanted as they came; with several containers each says whose it is.
"""

import sys
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import typer

from syncsvc.cli.loadtests.asking import ask
from syncsvc.cli.loadtests.naming import step_meant
from syncsvc.cli.loadtests.polling import STOPPED, cycles_running, is_stopped
from syncsvc.gateway.k6_summary_views import LineView
from syncsvc.loadtests.model import LogsState, Step
from syncsvc.loadtests.ports import KeptLog, LogSource
from syncsvc.loadtests.showing import Told, WhichLines, WhichLogs
from syncsvc.wiring.loadtests import Watch

FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose logs to read, which lines of them, and how to show these."""

    name: str
    step: str | None
    containers: WhichLogs
    lines: WhichLines
    raw: bool = False
    as_json: bool = False


@dataclass
class Writer:
    """Writes lines on stdout. `live`: each at once; `named`: with their pod and container."""

    wish: Wish
    live: bool = False
    named: bool = False

    def write(self, told: Told) -> None:
        if self.wish.raw and not told.is_cut:
            sys.stdout.buffer.write(told.raw)
        elif self.wish.raw:  # what was never in the log is not among its bytes
            typer.echo(f"{_name(told.source)}: {told.line.text}", err=True)
        else:
            sys.stdout.write(self._shown(told) + "\n")
        if self.live:
            sys.stdout.flush()

    def _shown(self, told: Told) -> str:
        if self.wish.as_json:
            return msgspec.json.encode(LineView.of(told, raw=False)).decode()
        return f"[{_name(told.source)}] {told.line.text}" if self.named else told.line.text


def read(wish: Wish) -> None:
    """Write what is kept of logs."""

    async def story(watch: Watch) -> tuple[Step, Collection[KeptLog]]:
        step = await step_meant(watch.showing, wish.name, wish.step)
        kept = await watch.showing.kept(step, wish.containers)
        writer = Writer(wish, named=len(kept) > 1)
        for log in kept:
            async for told in watch.showing.lines(log, wish.lines):
                writer.write(told)
        return step, kept

    step, kept = ask(story)
    sys.stdout.flush()
    _tell_what_is_missing(step, kept)


def follow(wish: Wish) -> None:
    """Write what is kept of logs and what comes, until they are complete."""

    async def story(watch: Watch) -> Step:
        step = await step_meant(watch.showing, wish.name, wish.step)
        if not step.is_over and await is_stopped(watch):
            typer.echo(STOPPED, err=True)
        async with cycles_running(watch):
            await _write(watch, step, wish)
        return await watch.tests.step(step.id)

    step = ask(story)
    result = f" {step.result}" if step.result else ""
    typer.echo(f"step {step.name}: {step.phase}{result}; logs are {step.logs}", err=True)


async def _write(watch: Watch, step: Step, wish: Wish) -> None:
    writer = Writer(wish, live=True, named=True)
    lines = watch.following().lines(step, wish.containers, wish.lines, FOR_EVER)
    async with aclosing(lines) as coming:
        async for told in coming:
            writer.write(told)


def _tell_what_is_missing(step: Step, kept: Collection[KeptLog]) -> None:
    if not kept:
        typer.echo(f"no log of step {step.name} is kept, which is {step.phase}", err=True)
    for log in kept:
        if log.detail or (step.is_over and log.state is not LogsState.COMPLETE):
            detail = f": {log.detail}" if log.detail else ""
            typer.echo(f"note: log of {_name(log.source)} is {log.state}{detail}", err=True)


def _name(source: LogSource) -> str:
    return f"{source.pod}/{source.container}"
