"""What `syncsvc sync run` takes."""

from typing import Annotated

import typer

ProductIds = Annotated[
    str | None, typer.Option("--product-ids", help="Only these: 12,34 (commas between).")
]
Since = Annotated[
    str | None,
    typer.Option(
        help="Leave out tests that ended before: 2026-11-01 (UTC), or 30d for 30 days ago."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Read every page again, whatever is known.")]
IncrementalOnly = Annotated[
    bool,
    typer.Option("--incremental-only", help="Only look for new tests of known products."),
]
Nuke = Annotated[
    bool,
    typer.Option("--nuke", help="Build all anew, aside; it takes the place of the old at the end."),
]
Confirmation = Annotated[
    str | None,
    typer.Option(help="The customer's name, for --nuke where nobody can be asked."),
]
AllowVanishing = Annotated[
    bool,
    typer.Option("--allow-vanishing", help="Delete although most of a list has vanished."),
]
Phases = Annotated[
    str | None, typer.Option(help="Only these, with commas: products, features, new_tests.")
]
EntityTypes = Annotated[
    str | None,
    typer.Option(help="Only these, with commas: products, features, user_stories, tests."),
]
BarrierKind = Annotated[
    str,
    typer.Option(help="Tests of a product begin after its features (product), or all (phase)."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Read a little, write nothing, say what would be.")
]
Wait = Annotated[
    bool,
    typer.Option(
        "--wait/--no-wait", help="Until it is over; else leave it to task workers (Redis)."
    ),
]
IfRunning = Annotated[
    str, typer.Option(help="While another sync of the customer runs: wait, fail or join it.")
]
LockTimeout = Annotated[str, typer.Option(help="Longest wait for another sync, such as 30s.")]
