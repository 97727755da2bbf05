"""How a command asks: it connects, tells one story, and turns what went wrong into an exit code."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
import typer

from syncsvc.client import NotReachable, Refused, Run, TimedOut, connect
from syncsvc.errors import Rejected, SyncsvcError, Unavailable, Unknown

Answer = TypeVar("Answer")

FAILED, USAGE, UNREACHABLE, LOST, TIMED_OUT = 1, 2, 69, 75, 124

START_IT = "; start it with 'syncsvc up', or set SYNCSVC_SERVER"


@dataclass(frozen=True, slots=True)
class Where:
    """A run on a server, and who asks; who only looks does not attend, so nobody waits for it."""

    server: str
    run: str
    worker: str | None = None
    attend: bool = False

    def connect(self) -> Run:
        username, password, token = _credentials(os.environ)
        return connect(
            self.server,
            run=self.run,
            worker=self.worker,
            username=username,
            password=password,
            token=token,
            attend=self.attend,
        )


def ask(where: Where, story: Callable[[Run], Awaitable[Answer]]) -> Answer:
    """Give the story's answer; what goes wrong is one line and an exit code."""

    async def tell() -> Answer:
        async with where.connect() as run:
            return await story(run)

    try:
        return asyncio.run(tell())
    except SyncsvcError as error:
        remedy = START_IT if isinstance(error, NotReachable) else ""
        typer.echo(f"syncsvc: {error}{remedy}", err=True)
        raise typer.Exit(exit_code(error)) from error


def exit_code(error: SyncsvcError) -> int:
    """Give the code that a script can tell this error by."""
    if isinstance(error, TimedOut):
        return TIMED_OUT
    if isinstance(error, Unavailable):
        return UNREACHABLE
    is_usage = isinstance(error, Rejected) and not isinstance(error, Refused | Unknown)
    return USAGE if is_usage else FAILED


def span(option: str, text: str) -> timedelta:
    """Read a duration as settings are read. Raises BadParameter."""
    from syncsvc.durations import parse_duration

    try:
        found = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from None
    assert isinstance(found, timedelta)
    return found


def read_value(text: str, *, as_text: bool) -> Any:
    """Read a value from the command line: `-` is stdin, `@file` a file; JSON unless it is none."""
    if text == "-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        text = _file(text[1:])
    if as_text:
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def show(answer: Any, line: str, *, as_json: bool) -> None:
    """Print an answer, as JSON or as a line for people."""
    typer.echo(msgspec.json.encode(answer).decode() if as_json else line)


def shown(value: Any) -> str:
    """Give a value as a shell wants it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _file(name: str) -> str:
    from pathlib import Path

    try:
        return Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"@{name}: {error}") from None


def _credentials(found: Mapping[str, str]) -> tuple[str, str, str]:
    """Give those of TestSync, or else the API's token; the command line must not show any."""
    username = found.get("SYNCSVC_TESTSYNC_USERNAME", "")
    password = found.get("SYNCSVC_TESTSYNC_PASSWORD", "")
    if username or password:
        return username, password, ""
    return "", "", found.get("SYNCSVC_API_TOKEN", "")
