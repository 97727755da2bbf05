"""What pushed results need from outside: an outbox, a store of files, and Test IT."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from syncsvc.results.held.model import EntryState, FinalStatus
from syncsvc.results.held.ports import Filter
from syncsvc.results.pushed.model import (
    AttachmentRef,
    Batch,
    Entry,
    FileState,
    Push,
    Result,
    RunLink,
)
from syncsvc.runs.model import Destination, Run


@dataclass(frozen=True, slots=True)
class Accepted:
    """How many results of one request are new, and how many were known by their key."""

    new: int
    known: int


class PushOutbox(Protocol):
    """Keeps pushed results and how far their runs are; each call is one transaction.

    All raise Unavailable when the place cannot be reached.
    """

    async def open(self, push: Push) -> Push:
        """Store a push, or give the one that the run has.

        Project and configuration are those of the newer one, where it names them.
        """
        ...

    async def push(self, run_id: str) -> Push | None:
        """Give how far a run's pushed results are."""
        ...

    async def accept(self, run_id: str, results: Sequence[Result], now: datetime) -> Accepted:
        """Store results, pending and due now; a completed push is NEW again, not asked to end.

        Raises Unknown when the run has no push, Rejected when a result names an attachment that
        the run does not have, or has an external id that is too long to be found again.
        """
        ...

    async def ask_complete(self, run_id: str, now: datetime) -> Push | None:
        """Note that no more results come; None when the run has no push."""
        ...

    async def claim(self, now: datetime, term: timedelta, limit: int) -> Batch | None:
        """Claim due entries of one run, at most `limit` and of each external id one.

        Nobody else has them before the term ends. While a run is NEW only one batch of it is out.
        Runs take turns: the one whose entries were claimed longest ago comes first.
        """
        ...

    async def sending(self, entries: Sequence[Entry], now: datetime) -> bool:
        """Note that they are being posted now, before they are; False when a claim was lost."""
        ...

    async def looked(self, run_id: str, *, planned: bool) -> None:
        """Note that the run was looked at before its first post, and whether a plan made it.

        That is `planned` of its push; it is unknown again as soon as the push is NEW again.
        """
        ...

    async def aim(self, run_id: str, targets: Mapping[str, str]) -> set[str]:
        """Note which waiting result each entry (by id) will be written into, before it is.

        Gives the entries that have theirs now: none gets a result that is another entry's.
        """
        ...

    async def opened(self, run_id: str) -> None:
        """Note that Test IT shows the first result: other batches may go out."""
        ...

    async def settle(
        self,
        entries: Mapping[str, str | None],
        state: EntryState,
        now: datetime,
        reason: str | None,
    ) -> int:
        """End entries as delivered or dead, or make them held; gives how many were settled.

        Each comes with its result in Test IT (None: the one it had). One that is delivered or
        dead stays so; a held one may be delivered later.
        """
        ...

    async def retry_later(
        self, entries: Sequence[Entry], due_at: datetime, reason: str, *, count: bool
    ) -> None:
        """Give up a claim until then; `count` says whether it was an attempt of theirs.

        Entries keep `sent_at`: it is cleared only by `not_sent`.
        """
        ...

    async def not_sent(self, entries: Sequence[Entry]) -> None:
        """Note that Test IT does not have them although they were posted."""
        ...

    async def claim_ending(
        self, now: datetime, term: timedelta, idle_before: datetime
    ) -> tuple[Push, Sequence[Entry]] | None:
        """Claim a run to end it, with its held entries.

        Nothing of it is pending, and somebody asked to complete it or its newest result came
        before `idle_before`.
        """
        ...

    async def ended(self, run_id: str, accepted_at: datetime, now: datetime) -> bool:
        """Note that it is completed; False when a newer result or file came: then it is NEW."""
        ...

    async def end_later(self, run_id: str, due_at: datetime, reason: str) -> None:
        """Count a failed attempt to end a run."""
        ...

    async def targets(self, run_id: str, external_ids: Collection[str]) -> set[str]:
        """Give the results in Test IT that are known to be entries of this run, of these tests."""
        ...

    async def contested(self, run_id: str, external_ids: Collection[str]) -> set[str]:
        """Give those of these tests of which several entries were posted and have no target."""
        ...

    async def lost(self, entries: Sequence[Entry], now: datetime) -> None:
        """Make entries pending and due now, as if never posted: Test IT has lost their results.

        It is for held ones, and for pending ones that have a target; claims on them end.
        """
        ...

    async def entries(self, which: Filter) -> Sequence[Entry]:
        """Give entries, newest first."""
        ...

    async def get(self, entry_id: str) -> Entry | None:
        """Give one entry."""
        ...

    async def oldest_pending(self, run_id: str) -> Entry | None:
        """Give the entry of a run that has been pending for longest."""
        ...

    async def counts(self, run_id: str | None = None) -> dict[EntryState, int]:
        """Count the entries (of a run) by state."""
        ...

    async def revive(self, entry_id: str | None, run_id: str | None, now: datetime) -> int:
        """Make dead entries (one, a run's, or all) pending and due now, and count them.

        Their time begins anew, at `revived_at`, and no attempt is counted.
        """
        ...

    async def drop(self, entry_id: str | None, run_id: str | None) -> int:
        """Remove dead entries (one, a run's, or all) for good, and count them."""
        ...

    async def forget(self, before: datetime) -> int:
        """Remove what was delivered before, and files and pushes that nothing needs any more."""
        ...


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a run, kept until the results that name it are delivered."""

    run_id: str
    digest: str
    size: int  # bytes
    attachment_id: str | None = None  # in Test IT, once it is there


@dataclass(frozen=True, slots=True)
class RunFile:
    """A file that belongs to a run itself; `reason`: why Test IT does not take it."""

    digest: str
    name: str
    state: FileState = FileState.WAITING
    reason: str | None = None


class Files(Protocol):
    """Keeps attachments, in pieces, so that none is ever whole in memory.

    All raise Unavailable when the place cannot be reached.
    """

    async def keep(
        self, run_id: str, digest: str, content: AsyncIterator[bytes], now: datetime
    ) -> Upload:
        """Store a file; one that the run has is not stored again.

        Raises Unknown for a run without a push, Rejected when the content has another digest,
        TooLarge when it is over the limit of a file or of all files.
        """
        ...

    async def find(self, run_id: str, digests: Collection[str]) -> Mapping[str, Upload]:
        """Give those that the run has, by digest."""
        ...

    def content(self, run_id: str, digest: str) -> AsyncIterator[bytes]:
        """Give a file's content piece by piece."""
        ...

    async def uploaded(self, run_id: str, digest: str, attachment_id: str) -> None:
        """Note its id in Test IT; its content is needed no more."""
        ...

    async def attach(self, run_id: str, files: Sequence[AttachmentRef], now: datetime) -> int:
        """Note that files belong to the run itself, and count those that wait because of it.

        One that waits or is attached stays as it is, a refused one waits again; all keep the name
        they have. A completed push is NEW again and asked to end. Raises Unknown for a run
        without a push, Rejected when it does not have one of the files: then none is noted.
        """
        ...

    async def of_run(self, run_id: str) -> Sequence[RunFile]:
        """Give the files that belong to the run itself, by their digests' order."""
        ...

    async def settled(
        self, run_id: str, digests: Collection[str], state: FileState, reason: str | None
    ) -> None:
        """Note what became of files of the run itself that wait."""
        ...


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run as somebody asks for it."""

    project_id: str
    name: str | None = None
    description: str | None = None
    tags: Sequence[str] = ()
    links: Sequence[RunLink] = ()


@dataclass(frozen=True, slots=True)
class RunInfo:
    project_id: str
    state: str  # NotStarted, InProgress, Stopped or Completed


@dataclass(frozen=True, slots=True)
class Post:
    """One result as it is to be shown; `provisional`: in progress, whatever its status."""

    entry_id: str  # goes along as the property `syncsvc`, by which it is known again
    result: Result
    configuration_id: str
    attachment_ids: Sequence[str]
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """One result of a run as Test IT's search shows it."""

    id: str
    external_id: str
    status_type: str
    duration_ms: int | None
    started_at: datetime | None
    configuration_id: str
    is_bound: bool | None = None  # made for a test point before the test ran; None: not told


class PushBoard(Protocol):
    """Test IT, as pushed results need it.

    All raise Rejected when it refuses for good (Unknown: something named does not exist; Denied:
    it does not take our token), Unavailable when it may be asked again, and Uncertain, which is
    an Unavailable, when it may have done what it was asked to.
    """

    async def create_run(self, destination: Destination, new: NewRun) -> str:
        """Create a run and give its id."""
        ...

    async def run_info(self, run: Run) -> RunInfo:
        """Give a run's project and state."""
        ...

    async def start_run(self, run: Run) -> None:
        """Start a run; one that is started or over is left as it is."""
        ...

    async def complete_run(self, run: Run) -> None:
        """Complete a run; one that is over is left as it is."""
        ...

    async def ensure_autotests(self, run: Run, project_id: str, results: Sequence[Result]) -> None:
        """See that each result's test exists as described: search, create and update, in bulk."""
        ...

    async def post(self, run: Run, project_id: str, posts: Sequence[Post]) -> Sequence[str]:
        """Add results, at most LARGEST_BATCH, each external id once; gives their ids in order.

        It is tried once: who is left Uncertain must look before asking again.
        """
        ...

    async def shown(self, run: Run, project_id: str, results: Sequence[Result]) -> Sequence[Shown]:
        """Give what the run has of these results' tests, in few requests."""
        ...

    async def mark_of(self, run: Run, result_id: str) -> str | None:
        """Give the entry id that a result carries; None when it was not posted by us."""
        ...

    async def waiting(self, run: Run) -> Sequence[Shown]:
        """Give the run's results in progress, and whether each is bound to a test point."""
        ...

    async def fill(self, run: Run, result_id: str, project_id: str, post: Post) -> None:
        """Write a whole result into one that waits for it, and see that it is kept."""
        ...

    async def finalise(self, run: Run, result_id: str, status: FinalStatus) -> None:
        """Write the status, and nothing else, and see that it is kept."""
        ...

    async def upload(self, run: Run, name: str, size: int, content: AsyncIterator[bytes]) -> str:
        """Store a file in Test IT, streamed, and give its id."""
        ...

    async def attach(self, run: Run, attachment_ids: Collection[str]) -> None:
        """Attach files to the run itself beside those it has; one that is attached stays so."""
        ...

    async def status_codes(self, run: Run, project_id: str | None) -> Sequence[str]:
        """Give the codes of the project's workflow; none when the project is not known."""
        ...


class PushNudge(Protocol):
    """Asks for work that would otherwise wait for the next tick; losing it costs a tick."""

    async def push(self) -> None:
        """Ask for pushed results to be delivered now; says nothing when nobody can be reached."""
        ...
