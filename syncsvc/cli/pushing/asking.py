"""What goes wrong with a gateway is one line and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import typer

from syncsvc.durations import parse_duration
from syncsvc.errors import Rejected, SyncsvcError, Unavailable
from syncsvc.results.reports import BadReport, Naming

FAILED, USAGE, UNREACHABLE = 1, 2, 69


@contextmanager
def one_line() -> Iterator[None]:
    """Turn an error of ours into what a script and a person understand."""
    try:
        yield
    except SyncsvcError as error:
        typer.echo(f"syncsvc: {error}{_remedy(error)}", err=True)
        raise typer.Exit(_code(error)) from error


def span(option: str, text: str) -> timedelta:
    """Read a duration as settings are read. Raises BadParameter."""
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from None
    assert isinstance(found, timedelta)
    return found


def naming(
    separator: str | None,
    namespace: str | None,
    classname: str | None,
    layer: str | None,
    *,
    ignore_flaky: bool,
) -> Naming:
    """Say how tests are named. Raises BadParameter."""
    try:
        return Naming(separator, namespace, classname, layer, ignore_flaky)
    except Rejected as error:
        raise typer.BadParameter(str(error)) from None


def _code(error: SyncsvcError) -> int:
    if isinstance(error, BadReport):
        return USAGE
    return UNREACHABLE if isinstance(error, Unavailable) else FAILED


def _remedy(error: SyncsvcError) -> str:
    did_not_answer = isinstance(error, Unavailable) and "did not answer" in str(error)
    return "; start it with 'syncsvc up', or set SYNCSVC_API_URL" if did_not_answer else ""
