"""`syncsvc sync`: bring the catalogue into step, and see how it went."""

from typing import Annotated

import typer

from syncsvc.cli.syncing.options import (
    AllowVanishing,
    BarrierKind,
    Confirmation,
    DryRun,
    EntityTypes,
    Force,
    IfRunning,
    IncrementalOnly,
    LockTimeout,
    Nuke,
    Phases,
    ProductIds,
    Since,
    Wait,
)

app = typer.Typer(
    help="The catalogue: bring products, features and tests of TestIO into step, and see how it "
    "went.\n\n"
    "Example: syncsvc sync run; syncsvc sync status; syncsvc sync history",
    no_args_is_help=True,
    rich_markup_mode=None,
)
quarantine = typer.Typer(
    help="Places in lists of tests that the server cannot deliver: list them, try them again.\n\n"
    "Example: syncsvc sync quarantine list; syncsvc sync quarantine retry --all",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(quarantine, name="quarantine")

CODES = (
    "Exit codes: 0 in step, 1 failed, 2 wrong usage or settings, 3 partial (what failed is named), "
    "4 another sync of the customer runs, 5 the token is refused, 130 Ctrl-C, 143 SIGTERM."
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Customer = Annotated[
    str | None, typer.Option("--customer", help="Whose catalogue; default: the only one.")
]


@app.command(epilog=CODES)
def run(
    customer: Customer = None,
    product_ids: ProductIds = None,
    since: Since = None,
    force: Force = False,
    incremental_only: IncrementalOnly = False,
    nuke: Nuke = False,
    confirm: Confirmation = None,
    allow_vanishing: AllowVanishing = False,
    phases: Phases = None,
    entity_types: EntityTypes = None,
    barrier: BarrierKind = "product",
    dry_run: DryRun = False,
    wait: Wait = True,
    if_running: IfRunning = "wait",
    lock_timeout: LockTimeout = "30s",
    as_json: AsJson = False,
) -> None:
    """Sync the catalogue: products, then their features, then their tests.

    It goes on where an earlier sync stopped. This process and all task workers share the work;
    without Redis this process does it alone. What could not be read is named at the end, and
    everything else is in step.

    Example: syncsvc sync run --product-ids 12,34 --json

    In the background: syncsvc sync run --no-wait
    """
    from syncsvc.cli.syncing import doing, reading
    from syncsvc.cli.syncing.codes import one_line

    with one_line():
        wish = reading.Wish(
            customer=customer,
            phases=reading.words("--phases", phases, reading.PHASES),
            scope=reading.scope(product_ids, since, entity_types),
            options=reading.options(
                force=force,
                incremental_only=incremental_only,
                nuke=nuke,
                allow_vanishing=allow_vanishing,
            ),
            barrier=reading.word("--barrier", barrier, reading.BARRIERS),
            if_running=reading.word("--if-running", if_running, reading.POLICIES),
            patience=reading.span("--lock-timeout", lock_timeout),
            as_json=as_json,
        )
        if dry_run:
            reading.refuse(wait=wait, confirm=confirm)
            doing.rehearse(wish)
        elif wait:
            raise typer.Exit(doing.run(doing.confirmed(wish, confirm)))
        else:
            doing.start(doing.confirmed(wish, confirm))


@app.command()
def status(customer: Customer = None, as_json: AsJson = False) -> None:
    """Say what is stored of each customer, how old it is, and whether a sync runs.

    Example: syncsvc sync status
    """
    from syncsvc.cli.syncing import looking
    from syncsvc.cli.syncing.codes import one_line

    with one_line():
        looking.status(customer, as_json=as_json)


@app.command()
def history(
    customer: Annotated[str | None, typer.Option("--customer", help="Only of this one.")] = None,
    status: Annotated[
        str | None,
        typer.Option(help="Only running, success, partial, failed, cancelled or abandoned."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    before: Annotated[
        str | None, typer.Option(help="Those that began before this one: the last id of a page.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List syncs, newest first: who began them, how long they took, what they changed.

    Example: syncsvc sync history --status partial
    """
    from syncsvc.cli.syncing import looking
    from syncsvc.cli.syncing.codes import one_line

    with one_line():
        looking.history(customer, status, limit, before, as_json=as_json)


@app.command()
def show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Its id as 'sync history' shows it.")],
    as_json: AsJson = False,
) -> None:
    """Show one sync: its phases, what failed and why, and its history.

    Example: syncsvc sync show 01a1feb4de9b
    """
    from syncsvc.cli.syncing import looking
    from syncsvc.cli.syncing.codes import one_line

    with one_line():
        looking.show(run, as_json=as_json)


@app.command(epilog=CODES)
def cancel(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="Its id; default: the one that runs.")
    ] = None,
    customer: Customer = None,
    as_json: AsJson = False,
) -> None:
    """Cancel a sync; what it has stored stays, and the next one goes on from there.

    Example: syncsvc sync cancel
    """
    from syncsvc.cli.syncing import looking
    from syncsvc.cli.syncing.codes import one_line

    with one_line():
        looking.cancel(run, customer, as_json=as_json)


@quarantine.command("list")
def list_quarantine(
    customer: Annotated[str | None, typer.Option("--customer", help="Only of this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the places that could not be read, with the tests next to them.

    Example: syncsvc sync quarantine list
    """
    from syncsvc.cli.syncing import looking
    from syncsvc.cli.syncing.codes import one_line

    with one_line():
        looking.quarantine(customer, as_json=as_json)


@quarantine.command()
def retry(
    place: Annotated[
        str | None, typer.Argument(metavar="ID", help="As 'quarantine list' shows.")
    ] = None,
    customer: Annotated[str | None, typer.Option("--customer", help="All of this one.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let the next sync try places again: one, a --customer's, or --all.

    Example: syncsvc sync quarantine retry --all; syncsvc sync run
    """
    from syncsvc.cli.syncing import looking
    from syncsvc.cli.syncing.codes import one_line

    with one_line():
        looking.retry(place, customer, every=every, as_json=as_json)
