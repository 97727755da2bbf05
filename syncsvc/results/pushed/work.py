"""One claimed batch while it is delivered: what of it is not settled yet, and where it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from syncsvc.errors import Conflict
from syncsvc.results.held.model import EntryState
from syncsvc.results.pushed.model import Entry, Push
from syncsvc.results.pushed.ports import Post
from syncsvc.runs.model import Run


class ClaimLost(Conflict):
    """The claim has ended, and somebody else may have the entries: nothing may be done to them."""


@dataclass
class Work:
    """The entries of a batch that are not settled, by id, and the run they go to."""

    run: Run
    push: Push
    left: dict[str, Entry]
    opens: bool  # nobody else posts to the run
    more: bool  # further results of the run wait, or may come
    is_open: bool  # a result of ours in progress keeps the run open
    is_checked: bool = False  # after a refusal the run was looked at
    has_put_off: bool = False  # an entry of it is tried again later
    settled: int = 0

    def configuration(self, entry: Entry) -> str | None:
        return entry.result.configuration_id or self.push.configuration_id

    def post(self, entry: Entry, files: Mapping[str, str], *, provisional: bool) -> Post:
        """Say how an entry is to be shown; `files` gives attachments' ids by digest."""
        return Post(
            entry.id,
            entry.result,
            self.configuration(entry) or "",
            tuple(files[each.digest] for each in entry.result.attachments),
            provisional,
        )

    def looked(self, *, planned: bool) -> None:
        """Note that the run was looked at, so that what is tried again soon does not do so."""
        self.push = replace(self.push, planned=planned)

    def aimed(self, entry_id: str, target_id: str) -> None:
        self.left[entry_id] = replace(self.left[entry_id], target_id=target_id)

    def sent(self, entries: Sequence[Entry], at: datetime | None) -> None:
        """Note that entries may be there, or (None) that they are not."""
        for entry in entries:
            self.left[entry.id] = replace(self.left[entry.id], sent_at=at)

    def alone(self, entry: Entry) -> "Work":
        """Give one of its entries as a batch of its own."""
        return replace(
            self, left={entry.id: entry}, more=self.more or len(self.left) > 1, settled=0
        )

    def rejoin(self, entry: Entry, alone: "Work") -> None:
        """Take over what has become of an entry alone; one that was put off waits."""
        del self.left[entry.id]
        self.left.update(alone.left)
        self.settled += alone.settled
        self.more = self.more or alone.has_put_off
        self.is_open, self.is_checked = alone.is_open, alone.is_checked

    def done(self, targets: Mapping[str, str | None], state: EntryState, count: int) -> None:
        """Note that entries are settled: `count` of them by us."""
        for entry_id in targets:
            self.left.pop(entry_id, None)
        self.settled += count
        self.is_open = self.is_open or state is EntryState.HELD
