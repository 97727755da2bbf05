"""What all of these commands take, and what their exit codes mean."""

from typing import Annotated

import typer

DEFAULT_SERVER = "ws://127.0.0.1:9105"
CODES = (
    "Exit codes: 0 done, 1 failed (aborted, broken, conflict, not there), 2 wrong usage, "
    "69 the server cannot be reached or serve, 124 timed out. "
    "Credentials come from SYNCSVC_TESTSYNC_USERNAME and SYNCSVC_TESTSYNC_PASSWORD, "
    "or SYNCSVC_API_TOKEN."
)
RUN_CODES = (
    "While CMD runs the lease is renewed and SYNCSVC_FENCING_TOKEN is its token; signals are "
    "passed on. The exit code is CMD's; 75 when the lease was lost and CMD was stopped for it. "
)

RunName = Annotated[str, typer.Option("--run", envvar="SYNCSVC_RUN", help="The run.")]
Server = Annotated[str, typer.Option("--server", envvar="SYNCSVC_SERVER", help="Its address.")]
Worker = Annotated[
    str | None,
    typer.Option(
        "--worker", envvar="SYNCSVC_WORKER", help="Who this is; default: host, process, random."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Timeout = Annotated[str, typer.Option("--timeout", help="Longest wait, such as 60s or 5m.")]
Ttl = Annotated[
    str, typer.Option("--ttl", help="How long others wait after a holder that died: 500ms to 1h.")
]
Patience = Annotated[str, typer.Option("--wait", help="How long to wait for it; 0s: do not.")]


def group(what: str) -> typer.Typer:
    return typer.Typer(help=what, epilog=CODES, no_args_is_help=True, rich_markup_mode=None)
