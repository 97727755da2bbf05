"""The story of `results push`: read, send, complete, wait, and say how it ended."""

import logging
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import structlog
import typer

from syncsvc.cli.pushing.gateway import reached
from syncsvc.cli.pushing.runs import NewRun, complete, create
from syncsvc.cli.pushing.sending import Sender, Target
from syncsvc.cli.pushing.telling import Standing, Teller, teller
from syncsvc.cli.pushing.verdict import Verdict
from syncsvc.cli.pushing.waiting import Listing, wait
from syncsvc.errors import SyncsvcError
from syncsvc.results.reports import Naming, read_reports

FAILED, INTERRUPTED = 1, 130
SILENT = logging.CRITICAL  # what is odd is told as a warning


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to push, and how."""

    paths: Sequence[Path]
    naming: Naming
    attachments: Sequence[Path]  # files of the run itself
    run_id: str | None  # None: a new one, which is completed
    new: NewRun
    configuration_id: str | None
    complete: bool
    wait: bool
    timeout: timedelta
    as_json: bool

    @property
    def completes(self) -> bool:
        return self.complete or self.run_id is None


def rehearse(wish: Wish) -> None:
    """Read everything and send nothing. Raises BadReport."""
    counts, files = _survey(wish)
    attachments = [str(file) for file in wish.attachments]
    if wish.as_json:
        told = {"results": counts, "files": files, "attachments": attachments}
        typer.echo(msgspec.json.encode(told).decode())
        return
    by_status = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    more = [f"{files} files of results" if files else "", *attachments]
    typer.echo(f"{counts.total()} results ({by_status}); nothing was sent")
    for line in filter(None, more):
        typer.echo(f"  with {line}")


def push(wish: Wish, api: str) -> int:
    """Push, and give the exit code.

    A report is read whole before anything is sent, so one that is broken leaves nothing behind:
    raises BadReport, and what the gateway raises.
    """
    with reached(api, wish.timeout) as gateway:
        counts, _ = _survey(wish)
        _say_what_is_unused(wish)
        run_id = wish.run_id or create(gateway, wish.new)
        target = Target(run_id, wish.new.project_id, wish.configuration_id)
        with teller(quiet=wish.as_json) as telling:
            sender = Sender(gateway, target, _tells(telling, counts.total()))
            sender.keys = None if wish.run_id is None else set()
            try:
                verdict = _pushed(wish, sender, telling, counts.total())
            except KeyboardInterrupt:
                stopped = "interrupted"
            except SyncsvcError:
                _say_what_was_sent(sender, "stopped")
                raise
            else:
                stopped = ""
        if stopped:
            return _interrupted(wish, sender)
        return _told(wish, sender, verdict)


def _survey(wish: Wish) -> tuple[Counter[str], int]:
    """Count results by their status, and their files; what is odd is said once, on stderr."""
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.stderr))
    counts: Counter[str] = Counter()
    files: set[Path] = set()
    for found in read_reports(wish.paths, wish.naming):
        counts[found.result.status] += 1
        files.update(found.files)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(SILENT))
    return counts, len(files)


def _say_what_is_unused(wish: Wish) -> None:
    if wish.run_id is not None and (wish.new.name or wish.new.tags or wish.new.links):
        typer.echo(
            f"syncsvc: name, tags and links are for a new run; run {wish.run_id} keeps its own",
            err=True,
        )


def _tells(telling: Teller, expected: int) -> Any:
    return lambda sent: telling.tell(Standing(sent.accepted, expected=expected))


def _pushed(wish: Wish, sender: Sender, telling: Teller, expected: int) -> Verdict | None:
    gateway, run_id = sender.gateway, sender.target.run_id
    telling.tell(Standing(0, expected=expected))
    sender.send(read_reports(wish.paths, wish.naming))
    sender.attach(wish.attachments)
    if wish.completes:
        complete(gateway, run_id)
    if not wish.wait:
        return None
    return _judged(wish, sender, telling, expected)


def _judged(wish: Wish, sender: Sender, telling: Teller, expected: int) -> Verdict:
    listing = Listing(sender.gateway, sender.target.run_id, sender.keys)
    outcome = wait(listing, telling, complete=wish.completes, expected=expected)
    return Verdict.of(listing, outcome)


def _interrupted(wish: Wish, sender: Sender) -> int:
    _say_what_was_sent(sender, "interrupted")
    if wish.as_json:
        typer.echo(msgspec.json.encode({**_report(sender), "ok": False}).decode())
    return INTERRUPTED


def _say_what_was_sent(sender: Sender, how: str) -> None:
    accepted, run_id = sender.accepted, sender.target.run_id
    typer.echo(
        f"{how}: {accepted} results are accepted and will be delivered anyway; "
        f"the same command with --run {run_id} sends the rest and none of them twice",
        err=True,
    )


def _report(sender: Sender) -> dict[str, Any]:
    return {
        "run": sender.target.run_id,
        "new": sender.new,
        "known": sender.known,
        "uploaded": sender.files,
    }


def _told(wish: Wish, sender: Sender, verdict: Verdict | None) -> int:
    ok = verdict is None or verdict.ok
    if wish.as_json:
        judged = {"ok": True} if verdict is None else verdict.as_json()
        typer.echo(msgspec.json.encode({**_report(sender), **judged}).decode())
    elif verdict is None:
        run_id = sender.target.run_id
        known = f" ({sender.known} were known)" if sender.known else ""
        typer.echo(
            f"run {run_id}: {sender.accepted} accepted{known}\nlook:  syncsvc run show {run_id}"
        )
    else:
        known = f"\n{sender.known} of them were known from an earlier push" if sender.known else ""
        typer.echo(verdict.told + known, err=not ok)
    return 0 if ok else FAILED
