"""What /api/v2 answers about a project: its workflow, configurations, autotests, work items."""

from datetime import UTC, datetime

from syncsvc.sandbox.identities import PROJECT_ID, SECTION_ID, WORKFLOW_ID
from syncsvc.sandbox.testit import statuses
from syncsvc.sandbox.testit.library import Autotest, Configuration, Library
from syncsvc.sandbox.testit.parts import Json, authorship, labels, links, planned, status
from syncsvc.sandbox.testit.requests import AutotestIncludes

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)  # when the project was made; no reply depends on it
EVERYTHING = AutotestIncludes(include_steps=True, include_links=True, include_labels=True)
LISTS_OF_A_WORK_ITEM = (
    "tags",
    "sectionPreconditionSteps",
    "sectionPostconditionSteps",
    "preconditionSteps",
    "steps",
    "postconditionSteps",
    "iterations",
    "autoTests",
    "attachments",
    "links",
    "externalIssues",
    "parameters",
)


def project(autotests: int) -> Json:
    return {
        "id": PROJECT_ID,
        "globalId": 1,
        "name": "Sandbox",
        "description": "A project of syncsvc's sandbox",
        "isFavorite": False,
        "isDeleted": False,
        "type": "Regular",
        "workflowId": WORKFLOW_ID,
        "workItemsCount": 0,
        "testCasesCount": 0,
        "sharedStepsCount": 0,
        "checkListsCount": 0,
        "autoTestsCount": autotests,
        "attributesScheme": [],
        "testPlansAttributesScheme": [],
        **authorship(EPOCH, EPOCH),
    }


def workflow() -> Json:
    return {
        "id": WORKFLOW_ID,
        "name": "Sandbox",
        "isSystem": True,
        "isDefault": True,
        **authorship(EPOCH, EPOCH),
        "statuses": [
            {**status(each), "priority": number}
            for number, each in enumerate(statuses.WORKFLOW, start=1)
        ],
        "projects": [{"id": PROJECT_ID}],
    }


def configuration(of: Configuration) -> Json:
    return {
        "id": of.id,
        "globalId": of.global_id,
        "name": of.name,
        "description": None,
        "parameters": {},
        "projectId": PROJECT_ID,
        "isDefault": of.global_id == 1,
        "isDeleted": False,
        **authorship(of.created, of.created),
    }


def autotest(autotest: Autotest, includes: AutotestIncludes) -> Json:
    test = autotest.written
    with_steps = includes.include_steps
    return {
        "id": autotest.id,
        "globalId": autotest.global_id,
        "projectId": test.project_id,
        "externalId": test.external_id,
        "externalKey": test.external_key,
        "name": test.name,
        "namespace": test.namespace,
        "classname": test.classname,
        "title": test.title,
        "description": test.description,
        "isFlaky": bool(test.is_flaky),
        "isDeleted": False,
        "mustBeApproved": False,
        **authorship(autotest.created, autotest.modified),
        "steps": planned(test.steps) if with_steps else None,
        "setup": planned(test.setup) if with_steps else None,
        "teardown": planned(test.teardown) if with_steps else None,
        "links": links(test.links or ()) if includes.include_links else None,
        "labels": labels(test.labels or ()) if includes.include_labels else None,
        "tags": test.tags or [],
    }


def work_item_ids(library: Library, autotest: Autotest) -> list[Json]:
    known = library.work_items
    return [{"id": known[number], "globalId": number} for number in autotest.work_items]


def work_item(library: Library, number: int) -> Json:
    return {
        "id": library.work_items[number],
        "versionId": library.work_items[number],
        "versionNumber": 1,
        "globalId": number,
        "projectId": PROJECT_ID,
        "sectionId": SECTION_ID,
        "name": f"Work item {number}",
        "description": None,
        "sourceType": "Manual",
        "entityTypeName": "TestCases",
        "duration": 0,
        "medianDuration": 0,
        "state": "Ready",
        "priority": "Medium",
        "isAutomated": True,
        "isDeleted": False,
        "attributes": {},
        **{name: [] for name in LISTS_OF_A_WORK_ITEM},
        **authorship(EPOCH, EPOCH),
    }
