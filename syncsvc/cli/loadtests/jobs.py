"""Commands that look at the sync job, or change it for every process."""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec
import typer

from syncsvc.cli.loadtests.asking import ask
from syncsvc.cli.loadtests.wording import span
from syncsvc.cli.plain import as_json_line, moment
from syncsvc.loadtests.jobs import Answer, JobState
from syncsvc.loadtests.ports import Origin
from syncsvc.settings import load
from syncsvc.wiring.loadtests import Watch

SAID_BY = {
    Origin.DEFAULT: "the default",
    Origin.ENVIRONMENT: "from the environment",
    Origin.RUNTIME: "set at run time",
}


class JobView(msgspec.Struct):
    """The sync job; `next_in_seconds` is None while it is stopped."""

    is_running: bool
    interval_seconds: float
    origin: str
    next_in_seconds: float | None
    auto_enabled: bool
    updated_at: datetime | None
    updated_by: str | None
    last_begun_at: datetime | None

    @classmethod
    def of(cls, state: JobState) -> "JobView":
        return cls(
            is_running=state.is_running,
            interval_seconds=state.interval.total_seconds(),
            origin=state.origin,
            next_in_seconds=None if state.next_in is None else state.next_in.total_seconds(),
            auto_enabled=state.auto_enabled,
            updated_at=state.updated_at,
            updated_by=state.updated_by,
            last_begun_at=state.last_begun_at,
        )


def status(*, as_json: bool) -> None:
    async def story(watch: Watch) -> JobState:
        return await watch.jobs.state()

    state = ask(story)
    if as_json:
        as_json_line(JobView.of(state))
        return
    for line in _lines(state):
        typer.echo(line)


def start(interval: timedelta | None, *, as_json: bool) -> None:
    """Start it; the next cycle is due at once."""
    _change(lambda watch: watch.jobs.start(interval, _user()), as_json=as_json)
    _nudge()


def restart(interval: timedelta | None, *, as_json: bool) -> None:
    _change(lambda watch: watch.jobs.restart(interval, _user()), as_json=as_json)
    _nudge()


def stop(*, as_json: bool) -> None:
    _change(lambda watch: watch.jobs.stop(_user()), as_json=as_json)


def _change(wish: Callable[[Watch], Awaitable[Answer]], *, as_json: bool) -> None:
    answer = ask(wish)
    if as_json:
        as_json_line({"told": answer.told, "job": JobView.of(answer.state)})
    else:
        typer.echo(answer.told)


def _nudge() -> None:
    """Wake a task worker up; who cannot be reached is late by a second."""
    from syncsvc.wiring.nudging import nudge_watchers  # Celery, which only this needs

    asyncio.run(nudge_watchers(load()))


def _lines(state: JobState) -> list[str]:
    every = f"every {state.interval.total_seconds():g} s ({SAID_BY[state.origin]})"
    if not state.is_running:
        lines = [f"the sync job is stopped; started, it would run {every}"]
    else:
        lines = [f"the sync job runs {every}, next cycle {_in(state.next_in)}"]
    if state.last_begun_at is not None:
        lines.append(f"last cycle began {moment(state.last_begun_at)} UTC")
    if state.updated_at is not None:
        lines.append(f"changed {moment(state.updated_at)} UTC by {state.updated_by or 'nobody'}")
    if not state.auto_enabled:
        lines.append("by itself it does not start: K6_AUTO_SYNC_ENABLED is false")
    return lines


def _in(wait: timedelta | None) -> str:
    return f"in {span(wait)}" if wait else "is due"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # somebody without a name, as in some containers
        return f"uid {os.getuid()}"
