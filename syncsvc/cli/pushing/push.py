"""The story of `results push`: read, send, complete, wait, and say how it ended."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from pathlib import Path

import msgspec
import typer

from syncsvc.cli.pushing.gateway import Gateway, reached
from syncsvc.cli.pushing.runs import NewRun, complete, create
from syncsvc.cli.pushing.sending import Sender, Target
from syncsvc.cli.pushing.telling import Standing, Teller, teller
from syncsvc.cli.pushing.waiting import Outcome, wait
from syncsvc.errors import Rejected, SyncsvcError
from syncsvc.results.reports import Naming, read_reports

FAILED, INTERRUPTED = 1, 130


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to push, and how."""

    paths: Sequence[Path]
    naming: Naming
    run_id: str | None  # None: a new one, which is completed
    new: NewRun
    configuration_id: str | None
    complete: bool
    wait: bool
    timeout: timedelta
    as_json: bool


class Report(msgspec.Struct):
    """What was done, as JSON; `results` are the run's, by state, when we last looked."""

    run: str
    new: int
    known: int
    files: int
    ok: bool
    phase: str | None = None
    results: dict[str, int] = {}
    last_error: str | None = None


def rehearse(wish: Wish) -> None:
    """Read everything and send nothing. Raises BadReport."""
    counts = Counter(found.result.status for found in read_reports(wish.paths, wish.naming))
    if wish.as_json:
        typer.echo(msgspec.json.encode(dict(counts)).decode())
        return
    by_status = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    typer.echo(f"{counts.total()} results ({by_status}); nothing was sent")


def push(wish: Wish, api: str) -> int:
    """Push, and give the exit code. Raises what the gateway raises before anything was sent."""
    with reached(api, wish.timeout) as gateway:
        found = iter(read_reports(wish.paths, wish.naming))
        first = next(found, None)  # a report that cannot be read leaves no run behind
        if first is None:
            raise Rejected("expected at least one result in the reports, found none")
        run_id = wish.run_id or create(gateway, wish.new)
        target = Target(run_id, wish.new.project_id, wish.configuration_id)
        with teller(quiet=wish.as_json) as telling:
            sender = Sender(gateway, target, lambda sent: telling.tell(Standing(sent.accepted)))
            try:
                sender.send(chain([first], found))
                outcome = _ended(wish, gateway, run_id, telling)
            except KeyboardInterrupt:
                _say_what_was_sent(sender, "interrupted")
                return INTERRUPTED
            except SyncsvcError:
                _say_what_was_sent(sender, "stopped")
                raise
        return _told(wish, sender, outcome)


def _ended(wish: Wish, gateway: Gateway, run_id: str, telling: Teller) -> Outcome | None:
    is_complete = wish.complete or wish.run_id is None
    if is_complete:
        complete(gateway, run_id)
    return wait(gateway, run_id, telling, complete=is_complete) if wish.wait else None


def _say_what_was_sent(sender: Sender, how: str) -> None:
    accepted, run_id = sender.accepted, sender.target.run_id
    typer.echo(
        f"{how}: {accepted} results are accepted and will be delivered anyway; "
        f"the same command with --run {run_id} sends the rest and none of them twice",
        err=True,
    )


def _told(wish: Wish, sender: Sender, outcome: Outcome | None) -> int:
    run_id, ok = sender.target.run_id, outcome is None or outcome.ok
    if wish.as_json:
        report = Report(run_id, sender.new, sender.known, sender.files, ok)
        if outcome is not None:
            report.phase = outcome.pushed["phase"]
            report.results = outcome.pushed["results"]
            report.last_error = outcome.pushed["last_error"]
        typer.echo(msgspec.json.encode(report).decode())
        return 0 if ok else FAILED
    known = f" ({sender.known} were known)" if sender.known else ""
    if outcome is None:
        typer.echo(
            f"run {run_id}: {sender.accepted} accepted{known}; see: syncsvc run show {run_id}"
        )
    else:
        typer.echo(outcome.told + known, err=not ok)
    return 0 if ok else FAILED
