"""Somebody agrees before something is done that cannot be taken back."""

import sys

import typer


def agreed(question: str) -> bool:
    """Ask for a yes or no, on stderr. Raises BadParameter when nobody is there to answer."""
    if not sys.stdin:  # closed by whoever has started us
        raise _nobody()
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        typer.echo(err=True)  # ends the line of the question
        raise _nobody() from None


def _nobody() -> typer.BadParameter:
    return typer.BadParameter("nobody is there to be asked: use --yes")
