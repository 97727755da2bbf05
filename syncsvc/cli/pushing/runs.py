"""Runs over the API: creating one, completing it, and what is shown of it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from syncsvc.cli.pushing.gateway import Gateway
from syncsvc.results.pushed.model import RunLink


class NewRun(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run to create; what is None the gateway knows."""

    project_id: str | None = None
    name: str | None = None
    description: str | None = None
    tags: Sequence[str] = ()
    links: Sequence[RunLink] = ()


def create(gateway: Gateway, new: NewRun) -> str:
    """Create a run and give its id; it is tried once, since a second one would stay empty."""
    body = msgspec.json.encode(new)
    return str(gateway.call("POST", "/api/v1/runs", lambda: body, once=True)["id"])


def complete(gateway: Gateway, run_id: str) -> Any:
    """Say that no more results come; gives how far its pushed results are."""
    return gateway.call("POST", f"/api/v1/runs/{quote(run_id, safe='')}/complete")


def show(gateway: Gateway, run_id: str) -> Any:
    return gateway.call("GET", f"/api/v1/runs/{quote(run_id, safe='')}")


def newest(gateway: Gateway, limit: int) -> Any:
    return gateway.call("GET", f"/api/v1/runs?limit={limit}")["runs"]


def lines(run: dict[str, Any]) -> list[str]:
    """Say what is known of a run, a line each."""
    pushed = run["pushed"]
    told = {
        "run": run["id"],
        "server": run["base_url"],
        "created": run["created_at"],
        "workers": "-" if run["workers"] is None else len(run["workers"]),
        "held": _counts(run["results"]),
    }
    if pushed is not None:
        told |= {
            "pushed": _counts(pushed["results"]),
            "phase": pushed["phase"],
            "files": _counts(pushed["files"]),
            "waiting since": pushed["oldest_pending_at"] or "-",
            "last error": pushed["last_error"] or "-",
        }
    return [f"{name:<14} {value}" for name, value in told.items()]


def line(run: dict[str, Any]) -> str:
    """Say it in one line, as a list does."""
    pushed = run["pushed"]
    how = f"pushed: {_counts(pushed['results'])}, {pushed['phase']}" if pushed else "pushed: none"
    return f"{run['id']}  {run['created_at'][:19]}  held: {_counts(run['results'])}; {how}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items()) or "none"
