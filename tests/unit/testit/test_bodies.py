"""Statuses, bodies and definitions as pure functions."""

from datetime import datetime, timedelta, timezone

import pytest

from syncsvc.adapters.testit.bodies import filling, new_result, status_of
from syncsvc.adapters.testit.definitions import created, digest, updated
from syncsvc.adapters.testit.memory import Memory
from syncsvc.errors import Rejected
from syncsvc.results.held.model import FinalStatus, StatusType
from syncsvc.results.pushed.model import Result
from syncsvc.results.pushed.ports import Post

WORKFLOW = {"passed": "Succeeded", "Broken": "Failed", "Muted": "Failed", "Odd": ""}
FAILED = FinalStatus(StatusType.FAILED, None)


def post(*, provisional: bool = False, **fields: object) -> Post:
    result = Result(**{"external_id": "t", "status": "passed", **fields})
    return Post("e", result, "c", (), provisional)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("passed", None, "passed"),
        ("passed", "odd", "Odd"),
        ("broken", None, "Broken"),
        ("failed", None, None),
        ("failed", "MUTED", "Muted"),
        ("passed", "Muted", "passed"),
        ("skipped", None, None),
    ],
)
def test_a_code_is_sent_as_the_workflow_spells_it_or_not_at_all(status, code, expected):
    assert status_of(post(status=status, status_code=code), WORKFLOW).code == expected


def test_a_provisional_result_is_in_progress_whatever_its_status():
    held = status_of(post(status="failed", provisional=True), {"inprogress": "InProgress"})

    assert held == FinalStatus(StatusType.IN_PROGRESS, "inprogress")


def test_what_is_not_told_is_left_out():
    assert new_result(post(), FAILED) == {
        "configurationId": "c",
        "autoTestExternalId": "t",
        "statusType": "Failed",
        "properties": {"syncsvc": "e"},
    }


def test_a_duration_of_nothing_is_told():
    assert new_result(post(duration_ms=0), FAILED)["duration"] == 0
    assert filling(post(duration_ms=0), FAILED)["duration"] == 0


@pytest.mark.parametrize(
    ("field", "moment"),
    [
        ("started_at", datetime.min.replace(tzinfo=timezone(timedelta(hours=10)))),
        ("finished_at", datetime.max.replace(tzinfo=timezone(timedelta(hours=-10)))),
    ],
)
def test_a_moment_that_has_no_year_in_utc_is_refused_by_its_field(field, moment):
    with pytest.raises(
        Rejected, match=f"{field}: expected .* found {moment.isoformat()}".replace("+", r"\+")
    ):
        new_result(post(**{field: moment}), FAILED)


def test_the_mark_is_ours_whatever_a_result_says():
    assert new_result(post(properties={"syncsvc": "x"}), FAILED)["properties"] == {"syncsvc": "e"}


def test_a_duration_that_an_update_takes_needs_no_remark():
    assert filling(post(duration_ms=86_400_000), FAILED) == {
        "statusType": "Failed",
        "duration": 86_400_000,
    }


def result(**fields: object) -> Result:
    return Result(**{"external_id": "t", "status": "passed", **fields})


def found(**fields: object) -> dict:
    return {"id": "i", "globalId": 1, "externalId": "t", "projectId": "p", "name": "N", **fields}


@pytest.mark.parametrize(
    "same",
    [
        result(),
        result(name="N"),
        result(status="failed", message="m", labels=["a"]),
        result(labels=["b", "a"]),
    ],
)
def test_what_a_result_does_not_say_is_no_change(same):
    assert updated(found(title="T", labels=[{"name": "b"}, {"name": "a"}]), same, "p") is None


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"name": "M"}, {"name": "M"}),
        ({"classname": "C"}, {"classname": "C", "name": "N"}),
        ({"layer": "api"}, {"labels": [{"name": "x"}, {"name": "layer::api"}]}),
        ({"labels": ["y"]}, {"labels": [{"name": "x"}, {"name": "layer::unit"}, {"name": "y"}]}),
    ],
)
def test_a_change_is_written_over_what_there_is(changed, expected):
    there = found(labels=[{"name": "x"}, {"name": "layer::unit"}])

    body = updated(there, result(**changed), "p")

    assert body is not None
    assert {name: body[name] for name in expected} == expected
    assert (body["id"], body["steps"], body["setup"], body["teardown"]) == ("i", [], [], [])


def test_an_autotest_without_a_name_is_called_by_its_external_id():
    assert created(result(), "p")["name"] == "t"
    assert created(result(name="N", labels=["a", "a"]), "p")["labels"] == [{"name": "a"}]


def test_definitions_are_told_apart_and_outcomes_are_not():
    assert digest(result(message="a")) == digest(result(status="failed"))
    fields = ("name", "namespace", "classname", "title", "description", "layer")
    several = {digest(result(**{name: "x"})) for name in fields}
    assert len(several | {digest(result()), digest(result(labels=["x"]))}) == 8


def test_a_memory_forgets_what_was_not_used_for_longest():
    memory = Memory[str, int](2)
    memory.keep("a", 1)
    memory.keep("b", 2)
    memory.get("a")
    memory.keep("c", 3)

    assert (memory.get("a"), memory.get("b"), memory.get("c")) == (1, None, 3)
    memory.forget("a")
    memory.forget("a")
    assert memory.get("a") is None
