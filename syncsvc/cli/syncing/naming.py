"""Ids as a person writes them: the beginning is enough, where only one begins so."""

from collections.abc import Sequence

from syncsvc.catalogue.ports import RunFilter
from syncsvc.catalogue.service import SyncService
from syncsvc.cli.syncing.reading import run_id
from syncsvc.errors import Rejected, Unknown

WHOLE = 32  # signs of an id
AFTER_ALL = "g"  # sorts after every sign of an id


async def run_meant(syncs: SyncService, text: str) -> str:
    """Give the id of the run that begins so. Raises Unknown, or Rejected where several do."""
    start = run_id("RUN", text) or ""
    if len(start) == WHOLE:
        return start
    newest = await syncs.history(RunFilter(limit=2, before=start + AFTER_ALL))
    return _only("RUN", "sync", start, [run.id for run in newest])


async def place_meant(syncs: SyncService, text: str) -> str:
    """Give the id of the quarantined place that begins so. Raises Unknown, Rejected."""
    places = await syncs.quarantined()
    return _only("ID", "quarantined place", text.lower(), [each.id for each in places])


def _only(option: str, what: str, start: str, ids: Sequence[str]) -> str:
    found = [each for each in ids if each.startswith(start)]
    if not found:
        raise Unknown(f"{option}: expected the id of a {what}, or how it begins, found {start!r}")
    if len(found) > 1:
        raise Rejected(f"{option}: expected how one {what} begins, found several: {start!r}")
    return found[0]
