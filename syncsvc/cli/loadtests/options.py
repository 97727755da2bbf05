"""Options that several commands of load tests have."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Container = Annotated[str | None, typer.Option(help="Only of this container.")]
Role = Annotated[
    str | None, typer.Option(help="Only of pods that are runner, initializer or starter.")
]
Runner = Annotated[int | None, typer.Option(min=1, help="Only of this runner.")]
Since = Annotated[
    str | None, typer.Option(help="Leave out older lines: 10m, or 2026-11-01T10:00 (UTC).")
]
Grep = Annotated[
    str | None, typer.Option(help="Only lines in which this regular expression is found.")
]
Progress = Annotated[
    bool, typer.Option("--progress", help="With lines that only say how far k6 is.")
]
Raw = Annotated[
    bool, typer.Option("--raw", help="Bytes as the containers wrote them, with their moments.")
]
Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="Go on with what comes, until the end.")
]
LinesAsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object for each line.")]
