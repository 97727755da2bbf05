"""The exit codes of load tests, and which error stands for which."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import typer

from syncsvc.errors import Rejected, SyncsvcError
from syncsvc.loadtests.model import Result, Step

OK, FAILED, USAGE, UNKNOWN = 0, 1, 2, 3
SPELT = {
    "before": "--before",
    "cluster": "--cluster",
    "intervalSeconds": "--interval",
    "kubeconfig": "SYNCSVC_K6_KUBECONFIG",
    "labels": "--label",
    "name": "NAME",
    "namespace": "--namespace",
    "step": "--step",
    "steps": "TESTRUN",
    "test_run": "TESTRUN",
}
CONTEXTS = ": contexts: expected"  # of a kubeconfig, which begins the message
_FIELD = re.compile(
    r"(?P<step>steps\[\d+\]\.)?(?P<name>\w+)(?:\.[^:]*)?(?=: expected)|step(?=: | of ')"
)


def code_of(steps: Collection[Step]) -> int:
    """Give the exit code for what came of steps; that they are not over counts as unknown."""
    results = {step.result for step in steps}
    if Result.FAILED in results:
        return FAILED
    return OK if results == {Result.SUCCEEDED} else UNKNOWN


@contextmanager
def one_line(trouble: int = FAILED) -> Iterator[None]:
    """Turn an error of ours into one line on stderr and an exit code: `trouble`, or 2 for usage."""
    try:
        yield
    except SyncsvcError as error:
        typer.echo(f"syncsvc: {spelt(str(error))}", err=True)
        raise typer.Exit(USAGE if isinstance(error, Rejected) else trouble) from error


def spelt(text: str) -> str:
    """Name a field that a message begins with as its option is spelt."""
    found = _FIELD.match(text)
    if found is None:
        return text.replace(CONTEXTS, f" (SYNCSVC_K6_CONTEXTS){CONTEXTS}", 1)
    name = found["name"] or "step"
    option = "the step's name of TESTRUN" if found["step"] and name == "name" else SPELT.get(name)
    return (option or found[0]) + text[found.end() :]
