"""A sandbox keeps a bounded number of results and forgets whole runs, the oldest first."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID
from syncsvc.sandbox.replies import Refusal
from syncsvc.sandbox.testit.library import Attachment, Library
from syncsvc.sandbox.testit.requests import CreateRun, NewResult, WriteAutotest
from syncsvc.sandbox.testit.runs import Runs
from syncsvc.sandbox.testit.statuses import StatusType


def noon() -> datetime:
    return datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_book(most_results: int) -> Runs:
    library = Library(noon, uuid4)
    names = "abc"
    library.create([WriteAutotest(project_id=PROJECT_ID, external_id=n, name=n) for n in names])
    return Runs(library, noon, uuid4, most_results=most_results)


def reports(names: str) -> list[NewResult]:
    return [
        NewResult(
            configuration_id=CONFIGURATION_ID,
            auto_test_external_id=name,
            status_type=StatusType.SUCCEEDED,
        )
        for name in names
    ]


def test_the_oldest_run_makes_room():
    runs = a_book(most_results=4)
    first, second, third = (runs.create(CreateRun(project_id=PROJECT_ID)) for _ in range(3))
    runs.send(first.id, reports("ab"))
    [kept, _] = runs.send(second.id, reports("ab"))

    runs.send(third.id, reports("a"))

    assert [run.id for run in runs] == [second.id, third.id]
    assert runs.result(kept).run_id == second.id


def test_the_run_that_is_written_is_never_forgotten():
    runs = a_book(most_results=2)
    run = runs.create(CreateRun(project_id=PROJECT_ID))
    runs.send(run.id, reports("ab"))

    with pytest.raises(Refusal, match="no more than 2 results"):
        runs.send(run.id, reports("c"))

    assert len(runs.results(run.id)) == 2


def test_the_oldest_run_makes_room_for_a_run_too():
    runs = a_book(most_results=4)
    runs.most_runs = 2

    made = [runs.create(CreateRun(project_id=PROJECT_ID)).id for _ in range(3)]

    assert [run.id for run in runs] == made[1:]


def test_the_oldest_content_makes_room_and_its_description_stays():
    library = Library(noon, uuid4, most_content=10)
    files = [Attachment(uuid4(), "f", "text/plain", 4, "digest", noon()) for _ in range(3)]

    for each in files:
        library.keep(each, b"1234")

    assert list(library.contents) == [each.id for each in files[1:]]
    assert list(library.attachments) == [each.id for each in files]


def test_a_run_that_is_forgotten_is_searched_no_more():
    runs = a_book(most_results=2)
    first, second = (runs.create(CreateRun(project_id=PROJECT_ID)) for _ in range(2))
    [test] = [each.id for each in runs.library.autotests.values() if each.written.name == "a"]
    runs.send(first.id, reports("ab"))

    runs.send(second.id, reports("ab"))

    found = list(runs.results_of_tests([first.id, second.id], [test]))
    assert [each.run_id for each in found] == [second.id]
