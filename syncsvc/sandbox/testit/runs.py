"""Runs and their results, kept in memory and bounded.

When more results are kept than the limit allows, whole runs are forgotten, the oldest first
and never the one that is being written.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from syncsvc.sandbox.identities import PROJECT_ID
from syncsvc.sandbox.replies import Missing, Refusal
from syncsvc.sandbox.testit import edits, model
from syncsvc.sandbox.testit.library import Library, check_project, repeated
from syncsvc.sandbox.testit.model import BoundPost, LateResult, Result, Run
from syncsvc.sandbox.testit.requests import (
    CreateRun,
    EditResults,
    NewResult,
    UpdateResult,
    UpdateRun,
)
from syncsvc.sandbox.testit.statuses import Status
from syncsvc.sandbox.testit.values import Reference

MOST_RESULTS = 100_000
MOST_RUNS = 10_000


@dataclass(frozen=True)
class Planned:
    """A result that a test plan expects, bound to a test point of its own."""

    external_id: str
    configuration_id: UUID
    parameters: Mapping[str, str] | None = None


@dataclass
class Runs:
    library: Library
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    late: LateResult = LateResult.ACCEPT
    bound: BoundPost = BoundPost.ORPHAN
    most_results: int = MOST_RESULTS
    most_runs: int = MOST_RUNS
    _runs: dict[UUID, Run] = field(default_factory=dict)
    _results: dict[UUID, dict[UUID, Result]] = field(default_factory=dict)
    _run_of: dict[UUID, UUID] = field(default_factory=dict)
    _of_test: dict[tuple[UUID, UUID], list[UUID]] = field(default_factory=dict)  # run and autotest

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs.values())

    def create(self, wanted: CreateRun) -> Run:
        check_project(wanted.project_id)
        run = self._new_run(wanted.name)
        run = replace(
            run,
            description=wanted.description,
            launch_source=wanted.launch_source,
            tags=wanted.tags or (),
            links=wanted.links or (),
            attachments=self._known(wanted.attachments or ()),
        )
        return self._add(run)

    def plan(self, name: str | None, planned: Sequence[Planned]) -> Run:
        """Create a run from a plan: it is in progress and knows its results beforehand."""
        run = model.started(replace(self._new_run(name), planned=True), self.clock())
        results = [self._expected(run, each) for each in planned]
        self._add(run)
        for result in results:
            self._keep(result, None)
        return self.run(run.id)

    def run(self, run_id: UUID) -> Run:
        if run_id not in self._runs:
            raise Missing("TestRun", run_id)
        return self._runs[run_id]

    def update(self, wanted: UpdateRun) -> None:
        """Replace what an update may replace, which is everything but the state."""
        self._runs[wanted.id] = replace(
            self.run(wanted.id),
            name=wanted.name,
            description=wanted.description,
            launch_source=wanted.launch_source,
            tags=wanted.tags or (),
            links=wanted.links or (),
            attachments=self._known(wanted.attachments or ()),
            modified=self.clock(),
        )

    def turn(self, run_id: UUID, rule: Callable[[Run, datetime], Run]) -> None:
        """Start, stop or complete a run."""
        self._runs[run_id] = rule(self.run(run_id), self.clock())

    def send(self, run_id: UUID, reports: Sequence[NewResult]) -> list[UUID]:
        """Take results in, all or none of them, in one instant."""
        run = self.run(run_id)
        again = repeated(each.auto_test_external_id for each in reports)
        if again:
            text = f"found autotest {again[0]} more than once, expected each at most once"
            raise Refusal(400, text, "autoTestExternalId")
        results = [self._reported(run, each) for each in reports]
        self._make_room(run_id, len(results))
        run = model.receiving(self.run(run_id), len(results), self.late, self.clock())
        self._runs[run_id] = run
        for result in results:
            self._keep(result, self._status_of(result))
        self._settle(run_id)
        return [result.id for result in results]

    def results(self, run_id: UUID) -> list[Result]:
        self.run(run_id)
        return list(self._results[run_id].values())

    def all_results(self, run_ids: Iterable[UUID]) -> Iterator[Result]:
        """Go through the results of these runs; a run that is unknown has none."""
        for run_id in dict.fromkeys(run_ids):
            yield from self._results.get(run_id, {}).values()

    def results_of_tests(
        self, run_ids: Iterable[UUID], autotest_ids: Iterable[UUID]
    ) -> Iterator[Result]:
        """Go through the results of these runs that these autotests gave."""
        autotests = list(autotest_ids)
        for run_id in dict.fromkeys(run_ids):
            for autotest_id in autotests:
                for result_id in self._of_test.get((run_id, autotest_id), ()):
                    yield self._results[run_id][result_id]

    def result(self, result_id: UUID) -> Result:
        run_id = self._run_of.get(result_id)
        if run_id is None:
            raise Missing("Test result", result_id)
        return self._results[run_id][result_id]

    def change(self, result_id: UUID, update: UpdateResult, by: str) -> None:
        """Edit a result and close its run if this was what it waited for."""
        known = self.result(result_id)
        self._known(edits.references_of(update))
        changed = edits.changed(known, update, self.clock(), by)
        self._keep(changed, known.status)
        self._settle(changed.run_id)

    def edit(self, results: Sequence[Result], edit: EditResults) -> None:
        """Give many results the same links, comment and attachments."""
        update = edits.update_of(edit)
        self._known(edits.references_of(update))
        for known in results:
            self._keep(edits.changed(known, update, self.clock(), "PUT"), known.status)

    def _new_run(self, name: str | None) -> Run:
        now = self.clock()
        title = name or f"TestRun_{now:%Y-%m-%dT%H:%M:%S}"
        return Run(self.new_id(), PROJECT_ID, title, now, now)

    def _add(self, run: Run) -> Run:
        self._runs[run.id] = run
        self._results[run.id] = {}
        if len(self._runs) > self.most_runs:
            self._forget(next(iter(self._runs)))
        return run

    def _expected(self, run: Run, planned: Planned) -> Result:
        configuration = self.library.configuration(planned.configuration_id)
        autotest = self.library.by_external_id(planned.external_id)
        return edits.expected(
            edits.Place(self.new_id(), run.id, autotest, configuration.id),
            self.new_id(),
            planned.parameters,
            self.clock(),
        )

    def _reported(self, run: Run, report: NewResult) -> Result:
        configuration = self.library.configuration(report.configuration_id, status=422)
        autotest = self.library.by_external_id(report.auto_test_external_id)
        self._known(edits.references_of(report))
        place = edits.Place(self.new_id(), run.id, autotest, configuration.id)
        bound = self._bound(place, report) if self.bound is BoundPost.FILL else None
        return edits.reported(place, report, bound, self.clock())

    def _bound(self, place: edits.Place, report: NewResult) -> Result | None:
        """Find the planned result that a report answers, the one with its parameters first."""
        waiting = [
            each
            for each in self.results_of_tests([place.run_id], [place.autotest.id])
            if each.test_point_id is not None
            and each.configuration_id == place.configuration_id
            and not each.status.is_final
        ]
        waiting.sort(key=lambda each: each.content.parameters != report.parameters)
        return waiting[0] if waiting else None

    def _known(self, attachments: Sequence[Reference]) -> Sequence[Reference]:
        self.library.check_attachments(each.id for each in attachments)
        return attachments

    def _status_of(self, result: Result) -> Status | None:
        known = self._results[result.run_id].get(result.id)
        return known.status if known else None

    def _keep(self, result: Result, before: Status | None) -> None:
        run = self._runs[result.run_id]
        self._runs[run.id] = model.counted(run, before, result.status)
        if result.id not in self._run_of:
            self._run_of[result.id] = run.id
            self._of_test.setdefault((run.id, result.autotest_id), []).append(result.id)
        self._results[run.id][result.id] = result

    def _settle(self, run_id: UUID) -> None:
        self._runs[run_id] = model.settled(self._runs[run_id], self.clock())

    def _make_room(self, writing: UUID, wanted: int) -> None:
        others = (run_id for run_id in list(self._runs) if run_id != writing)
        while len(self._run_of) + wanted > self.most_results:
            oldest = next(others, None)
            if oldest is None:
                raise Refusal(422, f"a sandbox keeps no more than {self.most_results} results")
            self._forget(oldest)

    def _forget(self, run_id: UUID) -> None:
        del self._runs[run_id]
        for result in self._results.pop(run_id).values():
            del self._run_of[result.id]
            self._of_test.pop((run_id, result.autotest_id), None)
