"""What `syncsvc results push` takes beside what other commands of pushed results take."""

from pathlib import Path
from typing import Annotated

import typer

from syncsvc.cli.pushing.options import canonical_id

Reports = Annotated[
    list[Path], typer.Argument(help="JUnit or CTRF files, or folders of them.", exists=True)
]
ToRun = Annotated[
    str | None,
    typer.Option(
        "--run",
        envvar="TMS_TEST_RUN_ID",
        callback=canonical_id,
        help="Push to this run; default: a new one, which is completed.",
    ),
]
Separator = Annotated[
    str | None, typer.Option(help="Split a classname into namespace and class here.")
]
Namespace = Annotated[str | None, typer.Option(help="Instead of the report's.")]
Classname = Annotated[str | None, typer.Option(help="Instead of the report's.")]
Attachments = Annotated[
    list[Path] | None,
    typer.Option(
        "--attachments",
        "-a",
        help="File, or folder of files, to attach to the run itself; repeatable.",
        exists=True,
    ),
]
Layer = Annotated[
    str | None,
    typer.Option(
        "--layer", "--autotest-layer", envvar="TMS_AUTOTEST_LAYER", help="Such as unit or api."
    ),
]
IgnoreFlaky = Annotated[
    bool,
    typer.Option("--ignore-flaky-failure", help="A test that passed in the end has passed."),
]
Complete = Annotated[bool, typer.Option("--complete", help="Complete --run after it.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Until all is delivered to Test IT.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read the reports and send nothing.")]
