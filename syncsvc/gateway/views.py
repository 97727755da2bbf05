"""What the API shows of runs and results; moments are ISO 8601 in UTC."""

from collections import Counter
from datetime import datetime

import msgspec

from syncsvc.results.held.model import Entry as HeldEntry
from syncsvc.results.ledger import AnyEntry, Kind
from syncsvc.results.pushed.model import TYPES
from syncsvc.results.pushed.model import Entry as PushedEntry
from syncsvc.results.pushed.service import Progress
from syncsvc.runs.model import Roster


class ResultView(msgspec.Struct):
    """A result that is held, or that was pushed; `held_at` is when we got it."""

    id: str
    run: str
    external_id: str
    status_type: str
    status_code: str
    state: str
    attempt: int
    reason: str | None
    held_at: datetime
    due_at: datetime | None
    settled_at: datetime | None
    kind: str
    target_id: str | None  # the result in Test IT, once it is known
    key: str | None = None  # of a pushed one

    @classmethod
    def of(cls, entry: AnyEntry) -> "ResultView":
        return _held(entry) if isinstance(entry, HeldEntry) else _pushed(entry)


class WorkerView(msgspec.Struct):
    name: str
    status: str
    seen_at: datetime
    is_master: bool


class PushedView(msgspec.Struct):
    """How far the pushed results of a run are; `phase` is completed once all are delivered.

    `files` counts those of the run itself by their state: waiting, attached or refused.
    """

    phase: str
    project_id: str
    configuration_id: str | None
    results: dict[str, int]
    accepted_at: datetime
    complete_asked_at: datetime | None
    completed_at: datetime | None
    oldest_pending_at: datetime | None
    last_error: str | None
    files: dict[str, int]

    @classmethod
    def of(cls, progress: Progress) -> "PushedView":
        push, oldest = progress.push, progress.oldest_pending
        return cls(
            phase=push.phase,
            project_id=push.project_id,
            configuration_id=push.configuration_id,
            results={str(state): count for state, count in progress.counts.items()},
            accepted_at=push.accepted_at,
            complete_asked_at=push.complete_asked_at,
            completed_at=push.completed_at,
            oldest_pending_at=None if oldest is None else oldest.accepted_at,
            last_error=progress.last_error,
            files=dict(Counter(str(file.state) for file in progress.files)),
        )


class RunView(msgspec.Struct):
    """A run; `workers` is null when nobody knows them any more, `results` counts held ones.

    `master_token` is the fencing token of the last mastership: it grows with each new one.
    `closed_early_at` is when we saw that Test IT had closed it before everything was there.
    `pushed` is null when no results were pushed to it.
    """

    id: str
    base_url: str
    created_at: datetime
    closed_early_at: datetime | None
    results: dict[str, int]
    workers: list[WorkerView] | None
    master_token: int | None
    pushed: PushedView | None


class ResultPage(msgspec.Struct):
    results: list[ResultView]
    next: str | None  # give it as `before` to get the page after this one


class RunPage(msgspec.Struct):
    runs: list[RunView]


class Retried(msgspec.Struct):
    retried: int


class Dropped(msgspec.Struct):
    dropped: int


def workers(roster: Roster) -> list[WorkerView]:
    return [
        WorkerView(worker.name, worker.status, worker.seen_at, worker.name == roster.master)
        for worker in roster.workers
    ]


def _held(entry: HeldEntry) -> ResultView:
    return ResultView(
        id=entry.id,
        run=entry.cut.run_id,
        external_id=entry.cut.external_id,
        status_type=entry.cut.status_type,
        status_code=entry.cut.status_code,
        state=entry.state,
        attempt=entry.attempt,
        reason=entry.reason,
        held_at=entry.held_at,
        due_at=entry.due_at,
        settled_at=entry.settled_at,
        kind=Kind.HELD,
        target_id=entry.target_id,
    )


def _pushed(entry: PushedEntry) -> ResultView:
    return ResultView(
        id=entry.id,
        run=entry.run_id,
        external_id=entry.result.external_id,
        status_type=TYPES[entry.result.status],
        status_code=entry.result.status_code or entry.result.status,
        state=entry.state,
        attempt=entry.attempt,
        reason=entry.reason,
        held_at=entry.accepted_at,
        due_at=entry.due_at,
        settled_at=entry.settled_at,
        kind=Kind.PUSHED,
        target_id=entry.target_id,
        key=entry.result.key,
    )
