"""How a lease stands and who is there, in words."""

from collections.abc import Sequence

from syncsvc.cli.coordination.asking import shown
from syncsvc.client.locks import LeaseStatus
from syncsvc.client.presence import Present


def standing(name: str, found: LeaseStatus) -> str:
    """Say who holds it, and how many wait."""
    by = ", ".join(
        each.worker if each.mode is None else f"{each.worker} ({each.mode})"
        for each in found.holders
    )
    return f"{name}: {f'held by {by}' if by else 'free'}, {found.waiting} waiting"


def roll(workers: Sequence[Present]) -> str:
    """Name those who are present, a line each, with what they say about themselves."""
    lines = [
        each.worker if each.about is None else f"{each.worker}  {shown(each.about)}"
        for each in workers
    ]
    return "\n".join(lines) or "nobody"
