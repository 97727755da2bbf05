"""The exit codes of a sync, and which error stands for which."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from syncsvc.catalogue.model import ErrorClass, RunStatus, SyncResult
from syncsvc.catalogue.ports import LockHeld
from syncsvc.errors import Denied, Rejected, SyncsvcError

OK, FAILED, USAGE, PARTIAL, LOCKED, AUTH = 0, 1, 2, 3, 4, 5
OPTIONS = {
    "customer": "--customer",
    "entity_types": "--entity-types",
    "force_refresh": "--force",
    "incremental_only": "--incremental-only",
    "nuke": "--nuke",
    "phases": "--phases",
    "product_ids": "--product-ids",
    "since_date": "--since",
}


def code_of(result: SyncResult) -> int:
    """Give the exit code for what came of a sync."""
    if result.error_class is ErrorClass.AUTH:
        return AUTH
    return {RunStatus.SUCCESS: OK, RunStatus.PARTIAL: PARTIAL}.get(result.status, FAILED)


@contextmanager
def one_line() -> Iterator[None]:
    """Turn an error of ours into one line on stderr and an exit code."""
    try:
        yield
    except SyncsvcError as error:
        typer.echo(f"syncsvc: {_by_option(str(error))}", err=True)
        raise typer.Exit(_code_of_error(error)) from error


def _by_option(text: str) -> str:
    """Name a field as its option is spelt: at the text's beginning, and where two meet."""
    at_start = re.sub(r"^(\w+)(?=: expected)", _option, text)
    return re.sub(r"(?<=: expected without )(\w+)", _option, at_start)


def _option(found: re.Match[str]) -> str:
    return OPTIONS.get(found[1], found[1])


def _code_of_error(error: SyncsvcError) -> int:
    if isinstance(error, LockHeld):
        return LOCKED
    if isinstance(error, Denied):
        return AUTH
    return USAGE if isinstance(error, Rejected) else FAILED
