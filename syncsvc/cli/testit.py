"""`syncsvc testit`: what keeps a run open in Test IT, and finishing it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # a command imports what it needs when it runs: --help stays quick
    from collections.abc import Sequence

    from syncsvc.results.held.stuck import Outcome, Stuck, Verdict
    from syncsvc.wiring.services import Services

app = typer.Typer(
    help="Test IT: what keeps a run open there, and finishing it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def group() -> None:
    """Keeps `stuck` a command of a group, of which it is the only one yet."""


@app.command()
def stuck(
    run: Annotated[str, typer.Argument(help="The run's id in Test IT.")],
    fix: Annotated[bool, typer.Option("--fix", help="Give them a final status.")] = False,
    status: Annotated[
        str | None,
        typer.Option(help="Where we hold none: passed, failed, skipped or blocked."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before --fix writes.")] = False,
    url: Annotated[
        str | None, typer.Option(help="Test IT server of a run that we do not know.")
    ] = None,
    token_env: Annotated[
        str, typer.Option(help="The variable that has the private token for --url.")
    ] = "TMS_PRIVATE_TOKEN",  # noqa: S107 - the name of a variable
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """List the results in progress in a run; exit code 1 while there are any."""
    from syncsvc.cli.asking import ask
    from syncsvc.cli.showing_stuck import show_outcomes, show_stuck

    if status is not None and not fix:
        raise typer.BadParameter("--status goes with --fix")
    chosen = _verdict(status)
    token = os.environ.get(token_env) if url else None

    async def story(services: Services) -> tuple[Sequence[Stuck], Sequence[Outcome] | None]:
        destination = services.runs.destinations.named(url, token)
        known = await services.repair.run(run, destination, services.runs.destinations.default())
        found = await services.repair.stuck(known)
        if not found or not fix or not (yes or _is_confirmed(found)):
            return found, None
        return found, await services.repair.fix(known, found, chosen)

    found, outcomes = ask(story)
    if outcomes is None:
        show_stuck(found, as_json=as_json)
        raise typer.Exit(1 if found else 0)
    show_outcomes(outcomes, as_json=as_json)
    raise typer.Exit(1 if any(each.status is None for each in outcomes) else 0)


def _verdict(word: str | None) -> Verdict | None:
    from syncsvc.errors import Rejected
    from syncsvc.results.held.stuck import Verdict

    try:
        return Verdict(word) if word is not None else None
    except ValueError:
        expected = ", ".join(Verdict)
        raise Rejected(f"--status: expected one of {expected}, found {word!r}") from None


def _is_confirmed(found: Sequence[Stuck]) -> bool:
    from syncsvc.cli.agreeing import agreed
    from syncsvc.cli.showing_stuck import show_stuck

    show_stuck(found, as_json=False, err=True)
    return agreed(f"give a final status to these {len(found)}?")
