"""What /api/v2 answers: runs and results, in full, as the vendor's OpenAPI file has them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from syncsvc.sandbox.identities import NOTHING, USER_ID
from syncsvc.sandbox.testit import catalogue_wire, model, statuses
from syncsvc.sandbox.testit.catalogue_wire import EVERYTHING
from syncsvc.sandbox.testit.library import Autotest, Library
from syncsvc.sandbox.testit.model import Content, Result, Run
from syncsvc.sandbox.testit.parts import Json, attachment, authorship, links, status, utc
from syncsvc.sandbox.testit.values import Reference, Step


@dataclass(frozen=True)
class Wire:
    """Knows the library, because replies spell out what results only refer to."""

    library: Library

    def run(self, run: Run) -> Json:
        return {
            "id": run.id,
            "name": run.name,
            "description": run.description,
            "launchSource": run.launch_source,
            "startedOn": run.started,
            "completedOn": run.completed,
            "stateName": run.state,
            "status": status(statuses.of_type(model.status_type_of(run))),
            "projectId": run.project_id,
            "testPlanId": None,
            "testResults": None,
            **authorship(run.created, run.modified),
            "createdByUserName": "sandbox",
            "attachments": self.attachments(run.attachments),
            "links": links(run.links),
            "customParameters": None,
            "webhooks": [],
            "runCount": 1,
            "tags": run.tags,
        }

    def result(self, result: Result) -> Json:
        autotest = self.library.autotests[result.autotest_id]
        return {
            "id": result.id,
            **authorship(result.created, result.modified),
            "status": status(result.status),
            "outcome": statuses.outcome_of(result.status),
            "configurationId": result.configuration_id,
            "autoTestId": result.autotest_id,
            "testPointId": result.test_point_id or NOTHING,
            "testRunId": result.run_id,
            "workItemVersionId": NOTHING,
            "workItemVersionNumber": None,
            "autoTest": _autotest_of_result(autotest),
            "testPoint": None,
            **self._told(result.content),
        }

    def short_result(self, result: Result) -> Json:
        autotest = self.library.autotests[result.autotest_id]
        content = result.content
        return {
            "id": result.id,
            "name": autotest.written.name,
            "autotestGlobalId": autotest.global_id,
            "autotestExternalId": result.external_id,
            "autoTestTags": autotest.written.tags or [],
            "testRunId": result.run_id,
            "configurationId": result.configuration_id,
            "configurationName": self.library.configuration(result.configuration_id).name,
            "outcome": statuses.outcome_of(result.status),
            "status": status(result.status),
            "resultReasons": [],
            "comment": content.comment,
            "date": result.modified,
            "createdDate": result.created,
            "modifiedDate": result.modified,
            "startedOn": utc(content.started_on),
            "completedOn": utc(content.completed_on),
            "duration": content.duration,
            "links": links(content.links),
            "attachments": self.attachments(content.attachments),
            "rerunCompletedCount": 0,
        }

    def test_points(self, results: Iterable[Result]) -> list[Json]:
        """Show the results of a run that stand on a test point."""
        return [self._test_point(each) for each in results if each.test_point_id]

    def attachments(self, references: Sequence[Reference]) -> list[Json]:
        """Spell attachments out; those that were forgotten to save space are left out."""
        known = self.library.attachments
        return [attachment(known[each.id]) for each in references if each.id in known]

    def _told(self, content: Content) -> Json:
        return {
            "comment": content.comment,
            "message": content.message,
            "traces": content.traces,
            "failureType": None,
            "failureClassIds": content.failure_class_ids,
            "startedOn": utc(content.started_on),
            "completedOn": utc(content.completed_on),
            "durationInMs": content.duration,
            "parameters": content.parameters,
            "properties": content.properties,
            "links": links(content.links),
            "attachments": self.attachments(content.attachments),
            "stepResults": content.step_references,
            "stepComments": [],
            "autoTestStepResults": self._steps(content.steps),
            "setupResults": self._steps(content.setup),
            "teardownResults": self._steps(content.teardown),
            "runByUserId": USER_ID,
            "stoppedByUserId": None,
        }

    def _test_point(self, result: Result) -> Json:
        autotest = self.library.autotests[result.autotest_id]
        shown = {
            "id": result.id,
            "outcome": statuses.outcome_of(result.status),
            "status": status(result.status),
            "traces": result.content.traces,
            "message": result.content.message,
            "createdDate": result.created,
            "attachments": self.attachments(result.content.attachments),
        }
        return {
            "testPointId": result.test_point_id,
            "aggregatedOutcome": statuses.outcome_of(result.status),
            "aggregatedStatus": status(result.status),
            "workItemName": autotest.written.name,
            "configurationName": self.library.configuration(result.configuration_id).name,
            "testResults": [shown],
        }

    def _steps(self, steps: Sequence[Step]) -> list[Json]:
        return [self._step(each) for each in steps]

    def _step(self, step: Step) -> Json:
        return {
            "title": step.title,
            "description": step.description,
            "info": step.info,
            "startedOn": utc(step.started_on),
            "completedOn": utc(step.completed_on),
            "duration": step.duration,
            "outcome": step.outcome or "Passed",
            "stepResults": self._steps(step.step_results or ()),
            "attachments": self.attachments(step.attachments or ()),
            "parameters": step.parameters,
        }


def _autotest_of_result(test: Autotest) -> Json:
    shown = catalogue_wire.autotest(test, EVERYTHING)
    del shown["tags"]
    return shown
