"""Somebody pushes whole results to a run, says when there are no more, and asks how far it is."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from msgspec.structs import replace as with_fields

from syncsvc.errors import Rejected, SyncsvcError, Unknown
from syncsvc.results.held.model import EntryState
from syncsvc.results.held.ports import Filter
from syncsvc.results.pushed.model import (
    DEEPEST_STEP,
    MOST_RESULTS,
    AttachmentRef,
    Entry,
    Phase,
    Push,
    Result,
    Step,
    canonical,
    is_id,
)
from syncsvc.results.pushed.ports import (
    Accepted,
    Files,
    NewRun,
    PushBoard,
    PushNudge,
    PushOutbox,
    RunFile,
    Upload,
)
from syncsvc.runs.model import Destination, Run
from syncsvc.runs.ports import Runs
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

NUL = "\x00"  # PostgreSQL keeps no text that has one
NO_SERVER = "no Test IT server is known for it: set SYNCSVC_TESTIT_URL and SYNCSVC_TESTIT_TOKEN"
NO_PROJECT = "project_id: expected the id of a project, found none: name it, or set "
NO_CONFIGURATION = "expected the id of a configuration, found none: name it, or set "


class Destinations(Protocol):
    """Decides which Test IT server a run belongs to."""

    def named(self, base_url: str | None, token: str | None) -> Destination | None:
        """Give what somebody names; None when nothing is named.

        Raises Rejected when it cannot be used.
        """
        ...

    def default(self) -> Destination | None:
        """Give the configured one, if there is one."""
        ...


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for a push that does not say it."""

    project_id: str | None = None
    configuration_id: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the pushed results of a run are."""

    push: Push
    counts: Mapping[EntryState, int]
    oldest_pending: Entry | None
    newest_dead: Entry | None
    files: Sequence[RunFile] = ()  # of the run itself

    @property
    def last_error(self) -> str | None:
        """Why something waits or is dead, if anything is."""
        entries = (self.oldest_pending, self.newest_dead)
        reasons = [self.push.reason, *(entry.reason for entry in entries if entry is not None)]
        reasons += [
            f"attachment {file.name!r}: {file.reason}" for file in self.files if file.reason
        ]
        return next((reason for reason in reasons if reason), None)


@dataclass(frozen=True)
class PushService:
    """What those who push results may ask.

    All raise Rejected for what cannot be, Unknown for a run that is nowhere, and Unavailable when
    it could not be stored: then nothing was, and it may be repeated as it is.
    """

    outbox: PushOutbox
    files: Files
    runs: Runs
    board: PushBoard
    destinations: Destinations
    nudge: PushNudge
    defaults: Defaults
    clock: Callable[[], datetime]

    async def create_run(
        self, new: NewRun, base_url: str | None = None, token: str | None = None
    ) -> str:
        """Create a run in Test IT and give its id.

        Raises Uncertain when Test IT gave no answer: perhaps there is a run then.
        """
        new = replace(new, project_id=self._project(new.project_id))
        destination = self.destinations.named(base_url, token) or self._default_destination()
        run_id = canonical(await self.board.create_run(destination, new))
        run = Run(run_id, destination, self.clock())
        await self.runs.put(run)
        await self._open(run_id, new.project_id)
        await self._start(run)
        return run_id

    async def _start(self, run: Run) -> None:
        """Start a run that we created; no plan has made results for it."""
        try:
            await self.board.start_run(run)
        except SyncsvcError as error:
            log.warning("run created but not started, its first batch starts it", reason=str(error))
        else:
            await self.outbox.looked(run.id, planned=False)

    async def accept(
        self,
        run_id: str,
        results: Sequence[Result],
        project_id: str | None = None,
        configuration_id: str | None = None,
    ) -> Accepted:
        """Keep results until Test IT has them; once this returns they are committed."""
        check_results(results)
        run_id = check_uuid("run", run_id)
        push = await self._pushed(run_id, project_id)
        results = _configured(results, configuration_id, push.configuration_id)
        accepted = await self.outbox.accept(run_id, results, self.clock())
        if accepted.new:
            await self.nudge.push()
        return accepted

    async def complete(self, run_id: str) -> Progress:
        """Note that no more results come: the run ends once all it has are delivered."""
        run_id = check_uuid("run", run_id)
        if await self.outbox.push(run_id) is None:
            await self._adopt(run_id)
        await self.outbox.ask_complete(run_id, self.clock())
        await self.nudge.push()
        return await self.progress(run_id)

    async def progress(self, run_id: str) -> Progress:
        """Say how far a run is. Raises Unknown when nothing was pushed to it."""
        found = await self.progress_if_any(run_id)
        if found is None:
            raise Unknown(f"run: expected one that results are pushed to, found {run_id[:80]!r}")
        return found

    async def progress_if_any(self, run_id: str) -> Progress | None:
        """Say how far a run is; None when nothing was pushed to it."""
        run_id = canonical(run_id)
        push = await self.outbox.push(run_id)
        if push is None:
            return None
        counts = await self.outbox.counts(run_id)
        return Progress(
            push,
            counts,
            await self.outbox.oldest_pending(run_id) if counts.get(EntryState.PENDING) else None,
            await self._newest_dead(run_id) if counts.get(EntryState.DEAD) else None,
            await self.files.of_run(run_id),
        )

    async def keep_file(
        self,
        run_id: str,
        digest: str,
        content: AsyncIterator[bytes],
        project_id: str | None = None,
    ) -> Upload:
        """Keep a file that results of the run, or the run itself, will name by its digest.

        Raises TooLarge when it is over the limit of a file, or of all files.
        """
        check_digest(digest)
        run_id = check_uuid("run", run_id)
        await self._pushed(run_id, project_id)
        return await self.files.keep(run_id, digest, content, self.clock())

    async def file(self, run_id: str, digest: str) -> Upload:
        """Give a file that the run has. Raises Unknown."""
        check_digest(digest)
        found = await self.files.find(canonical(run_id), [digest])
        if digest not in found:
            raise Unknown(f"digest: expected that of a file of this run, found {digest}")
        return found[digest]

    async def attach(self, run_id: str, files: Sequence[AttachmentRef]) -> Sequence[RunFile]:
        """Note that files belong to the run itself, attached when it ends; gives all of them.

        Raises Rejected when the run does not have one of them: then none is noted.
        """
        if not 1 <= len(files) <= MOST_RESULTS:
            raise Rejected(f"files: expected 1 to {MOST_RESULTS} files, found {len(files)}")
        for index, file in enumerate(files):
            if NUL in file.name:
                raise Rejected(f"files[{index}].name: expected text without NUL, found one")
        run_id = check_uuid("run", run_id)
        await self._pushed(run_id, None)
        if await self.files.attach(run_id, files, self.clock()):
            await self.nudge.push()
        return await self.files.of_run(run_id)

    async def run_files(self, run_id: str) -> Sequence[RunFile]:
        """Give the files of the run itself. Raises Unknown when nothing was pushed to it."""
        return (await self.progress(run_id)).files

    async def _newest_dead(self, run_id: str) -> Entry | None:
        found = await self.outbox.entries(Filter(EntryState.DEAD, run_id, 1))
        return found[0] if found else None

    async def _pushed(self, run_id: str, project_id: str | None) -> Push:
        """Give the run's push, opened if it has none; a project that is named becomes its own."""
        if project_id is not None:
            project_id = check_uuid("project_id", project_id)
        push = await self.outbox.push(run_id)
        if push is not None and project_id in (None, push.project_id):
            return push
        known = project_id or self.defaults.project_id
        if known is None:
            return await self._adopt(run_id)
        if push is None:
            await self._know(await self._run(run_id))
        return await self._open(run_id, self._project(known))

    async def _adopt(self, run_id: str) -> Push:
        """Open a push for a run that Test IT has, with the project that it has there."""
        run = await self._run(run_id)
        info = await self.board.run_info(run)
        await self._know(run)
        return await self._open(run_id, info.project_id)

    async def _run(self, run_id: str) -> Run:
        """Give a run; one that nobody told us of belongs to the configured server."""
        known = await self.runs.get(run_id)
        return known or Run(run_id, self._default_destination(), self.clock())

    async def _know(self, run: Run) -> None:
        if await self.runs.get(run.id) is None:  # else somebody has said where it belongs
            await self.runs.put(run)

    async def _open(self, run_id: str, project_id: str) -> Push:
        configuration_id = self.defaults.configuration_id
        if configuration_id is not None:
            configuration_id = check_uuid("SYNCSVC_TESTIT_CONFIGURATION_ID", configuration_id)
        return await self.outbox.open(
            Push(run_id, project_id, configuration_id, Phase.NEW, self.clock())
        )

    def _project(self, named: str | None) -> str:
        if named:
            return check_uuid("project_id", named)
        if self.defaults.project_id is None:
            raise Rejected(NO_PROJECT + "SYNCSVC_TESTIT_PROJECT_ID")
        return check_uuid("SYNCSVC_TESTIT_PROJECT_ID", self.defaults.project_id)

    def _default_destination(self) -> Destination:
        found = self.destinations.default()
        if found is None:
            raise Rejected(f"run: {NO_SERVER}")
        return found


def check_uuid(field: str, found: str) -> str:
    """Give an id of Test IT's as it spells it, in lower case. Raises Rejected when it is none."""
    if not is_id(canonical(found)):
        raise Rejected(f"{field}: expected an id of Test IT's, a UUID, found {found[:80]!r}")
    return canonical(found)


def check_digest(found: str) -> None:
    """Raises Rejected when it is no SHA-256."""
    if len(found) != 64 or not set(found) <= set("0123456789abcdef"):
        raise Rejected(
            f"digest: expected SHA-256 as 64 of the characters 0-9a-f, found {found[:80]!r}"
        )


def check_results(results: Sequence[Result]) -> None:
    """Raises Rejected for what their shape does not tell, with the field's path."""
    if not 1 <= len(results) <= MOST_RESULTS:
        raise Rejected(f"results: expected 1 to {MOST_RESULTS} results, found {len(results)}")
    for index, result in enumerate(results):
        if NUL in result.external_id or (result.key and NUL in result.key):
            field = "external_id" if NUL in result.external_id else "key"
            raise Rejected(f"results[{index}].{field}: expected text without NUL, found one")
        if result.steps:
            _check_depth(f"results[{index}].steps", result.steps, 1)
        _check_moment(f"results[{index}].started_at", result.started_at)
        _check_moment(f"results[{index}].finished_at", result.finished_at)


def _check_depth(path: str, steps: Sequence[Step], depth: int) -> None:
    if depth > DEEPEST_STEP:
        raise Rejected(f"{path}: expected at most {DEEPEST_STEP} levels of steps, found more")
    for index, step in enumerate(steps):
        if step.steps:
            _check_depth(f"{path}[{index}].steps", step.steps, depth + 1)


def _check_moment(path: str, found: datetime | None) -> None:
    try:
        if found is not None:
            found.astimezone(UTC)
    except OverflowError as error:
        expected = "expected a moment of the years 1 to 9999 in UTC"
        raise Rejected(f"{path}: {expected}, found {found}") from error


def _configured(
    results: Sequence[Result], named: str | None, default: str | None
) -> Sequence[Result]:
    """Write a request's configuration onto its results, since a run may have several at a time.

    Raises Rejected for the first result that is left without one.
    """
    if named is not None:
        named = check_uuid("configuration_id", named)
    for found in Counter(result.configuration_id for result in results):
        if found is not None:
            _check_configuration(results, found)
        elif named is None and default is None:
            index = next(i for i, each in enumerate(results) if each.configuration_id is None)
            remedy = NO_CONFIGURATION + "SYNCSVC_TESTIT_CONFIGURATION_ID"
            raise Rejected(f"results[{index}].configuration_id: {remedy}")
    return [_with_configuration(each, each.configuration_id or named) for each in results]


def _with_configuration(result: Result, wanted: str | None) -> Result:
    wanted = canonical(wanted) if wanted else None
    if result.configuration_id == wanted:
        return result
    return with_fields(result, configuration_id=wanted)


def _check_configuration(results: Sequence[Result], found: str) -> None:
    index = next(i for i, each in enumerate(results) if each.configuration_id == found)
    check_uuid(f"results[{index}].configuration_id", found)
