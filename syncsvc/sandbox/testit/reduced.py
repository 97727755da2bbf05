"""What /adapters answers: the same objects with fewer fields.

The published Python models reject every field they do not know, so a shape lists exactly
theirs. `name:Shape` says what stands inside a field.
"""

from collections.abc import Mapping
from typing import Any

from syncsvc.sandbox.testit.parts import Json

Shape = Mapping[str, str]


def _shape(fields: str) -> Shape:
    pairs = (field.partition(":") for field in fields.split())
    return {name: shape for name, _, shape in pairs}


SHAPES: Mapping[str, Shape] = {
    "Project": _shape(
        "id name isFavorite isDeleted globalId workflowId workflow:Workflow"
        " attributesScheme description"
    ),
    "Workflow": _shape("id statuses:Status"),
    "Status": _shape("id type code"),
    "Run": _shape(
        "id name projectId stateName status:Status attachments:Attachment links:Link tags"
        " description launchSource"
    ),
    "Result": _shape(
        "id failureClassIds configurationId testPointId testRunId stepComments outcome"
        " status:Status comment links:Link stepResults attachments:Attachment autoTestId"
        " durationInMs traces failureType message autoTest:AutotestOfResult"
        " autoTestStepResults:Step setupResults:Step teardownResults:Step parameters properties"
    ),
    "ShortResult": _shape(
        "id name autotestGlobalId autoTestTags testRunId configurationId configurationName"
        " status:Status resultReasons links:Link attachments:Attachment rerunCompletedCount"
        " autotestExternalId outcome comment duration"
    ),
    "Autotest": _shape(
        "id projectId name isFlaky globalId externalId namespace classname steps setup teardown"
        " title description externalKey links:Link labels tags"
    ),
    "AutotestOfResult": _shape(
        "externalId projectId name globalId id links:Link namespace classname steps setup"
        " teardown title description labels:Label isFlaky externalKey"
    ),
    "WorkItem": _shape(
        "id globalId projectId sectionId name entityTypeName duration state priority isAutomated"
        " attributes tags sectionPreconditionSteps sectionPostconditionSteps preconditionSteps"
        " steps postconditionSteps iterations autoTests attachments links parameters isDeleted"
        " description"
    ),
    "Step": _shape(
        "title description info startedOn completedOn duration outcome stepResults:Step"
        " attachments:Attachment parameters"
    ),
    "Attachment": _shape("id fileId type size name"),
    "Link": _shape("id url type title description"),
    "Label": _shape("name"),
}


def reduced(name: str, content: Json) -> Json:
    """Keep of an object what its shape lists."""
    shape = SHAPES[name]
    return {key: _inner(shape[key], value) for key, value in content.items() if key in shape}


def _inner(name: str, value: Any) -> Any:
    if not name or value is None:
        return value
    if isinstance(value, list):
        return [reduced(name, each) for each in value]
    return reduced(name, value)
