"""`syncsvc k6`: watch load tests in Kubernetes, and read what became of them."""

from typing import Annotated

import typer

from syncsvc.cli import k6_job, k6_logs
from syncsvc.cli.loadtests.options import AsJson

app = typer.Typer(
    help="Load tests (TestRuns of the k6-operator): watch them, and read their status, logs and "
    "summaries.\n\n"
    "Example: syncsvc k6 watch nightly checkout search --wait; syncsvc k6 logs nightly",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(k6_job.app, name="job")

WAIT_CODES = (
    "Exit codes with --wait: 0 succeeded, 1 failed, 2 wrong usage or settings, 3 cancelled or "
    "unknown (or not over in time), 130 Ctrl-C, 143 SIGTERM."
)
Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A load test: its name (the newest), or its id.")
]
Namespace = Annotated[
    str | None, typer.Option("--namespace", help="Default: the first that is configured.")
]
Cluster = Annotated[
    str | None, typer.Option("--cluster", help="A kubeconfig context; default: the first one.")
]


@app.command(epilog=WAIT_CODES)
def watch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call the load test.")],
    test_runs: Annotated[
        list[str],
        typer.Argument(
            metavar="TESTRUN...", help="Its steps in their order: testrun, or step=testrun."
        ),
    ],
    namespace: Namespace = None,
    cluster: Cluster = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", help="key=value, may be repeated.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Until all steps are over; nothing else need run.")
    ] = False,
    timeout: Annotated[
        str | None, typer.Option(help="Longest wait, such as 30m; default: no end.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Watch TestRuns as the steps of one load test; they need not be there yet.

    What is watched already is not watched twice, so it may be repeated.

    Example: syncsvc k6 watch nightly warmup=shop-warmup load=shop-load --wait --timeout 2h
    """
    from syncsvc.cli.loadtests import doing, reading
    from syncsvc.cli.loadtests.codes import FAILED, UNKNOWN, one_line

    with one_line(UNKNOWN if wait else FAILED):
        steps = reading.wished_steps(test_runs, namespace, cluster)
        wish = doing.Wish(name, steps, reading.labels(label or []))
        longest = reading.timeout(timeout, wait=wait)
        if wait:
            raise typer.Exit(doing.wait(wish, longest, as_json=as_json))
        doing.watch(wish, as_json=as_json)


@app.command()
def discover(
    selector: Annotated[
        str, typer.Option("--selector", help="Labels as kubectl takes them, or * for all.")
    ],
    namespace: Namespace = None,
    cluster: Cluster = None,
    as_json: AsJson = False,
) -> None:
    """Watch every TestRun of a namespace that a label selector takes.

    Example: syncsvc k6 discover --selector app=k6,team=shop
    """
    from syncsvc.cli.loadtests import doing
    from syncsvc.cli.loadtests.codes import one_line

    with one_line():
        doing.discover(selector, cluster, namespace, as_json=as_json)


@app.command("list")
def list_tests(
    status: Annotated[
        str | None, typer.Option(help="Only PENDING, RUNNING, SUCCEEDED, FAILED or CANCELLED.")
    ] = None,
    namespace: Annotated[str | None, typer.Option(help="Only of this namespace.")] = None,
    cluster: Annotated[str | None, typer.Option(help="Only of this cluster.")] = None,
    text: Annotated[
        str | None, typer.Option(help="Only with this in their name, a step's or a TestRun's.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    before: Annotated[
        str | None, typer.Option(help="Those older than this one: the last id of a page.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List load tests, newest first.

    Example: syncsvc k6 list --status failed --text checkout
    """
    from syncsvc.cli.loadtests import looking
    from syncsvc.cli.loadtests.codes import one_line
    from syncsvc.loadtests.ports import Which

    with one_line():
        which = Which(cluster=cluster, namespace=namespace, text=text, limit=limit, before=before)
        looking.tests(which, status, as_json=as_json)


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show one load test: its steps, what is wrong with them, and their runners.

    Example: syncsvc k6 show nightly
    """
    from syncsvc.cli.loadtests import looking
    from syncsvc.cli.loadtests.codes import one_line

    with one_line():
        looking.show(name, as_json=as_json)


k6_logs.add_to(app)


@app.command()
def cycles(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 10,
    as_json: AsJson = False,
) -> None:
    """List the newest cycles: what they updated, what they cost, and errors by step.

    Example: syncsvc k6 cycles --limit 3
    """
    from syncsvc.cli.loadtests import looking
    from syncsvc.cli.loadtests.codes import one_line

    with one_line():
        looking.cycles(limit, as_json=as_json)


@app.command(epilog="Exit codes: 0 all steps looked at, 1 failed, 2 settings, 3 steps had errors.")
def sync(
    lock_timeout: Annotated[
        str, typer.Option(help="Longest wait for a cycle that runs, such as 30s.")
    ] = "30s",
    as_json: AsJson = False,
) -> None:
    """Look at all load tests now, whether a cycle is due or not.

    Example: syncsvc k6 sync
    """
    from syncsvc.cli.loadtests import doing
    from syncsvc.cli.loadtests.codes import one_line
    from syncsvc.cli.syncing.reading import span

    with one_line():
        patience = span("--lock-timeout", lock_timeout)
        raise typer.Exit(doing.sync(patience, as_json=as_json))
