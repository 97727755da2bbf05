"""How a cut becomes the status of a result, and which result it belongs to."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsvc.results.held.model import (
    LONGEST_PAUSE,
    NO_TEST_POINT,
    FinalStatus,
    StatusType,
    final_status,
    final_type,
    match,
    next_pause,
)
from tests.support.builders import NOON, SECOND, cut, entry, result


@pytest.mark.parametrize(
    ("code", "kind", "expected"),
    [
        ("passed", "Succeeded", StatusType.SUCCEEDED),
        ("Failed", "failed", StatusType.FAILED),  # Swift writes lower case
        ("Skipped", "incomplete", StatusType.INCOMPLETE),
        ("passed", "", StatusType.SUCCEEDED),
        ("xfailed", "nonsense", StatusType.FAILED),
        ("NotFound", "", StatusType.INCOMPLETE),
        ("InProgress", "InProgress", StatusType.INCOMPLETE),  # a final status is never that
    ],
)
def test_the_final_type_is_read_from_any_clients_words(code, kind, expected):
    assert final_type(code, kind) is expected


def test_a_code_is_sent_in_the_workflows_own_spelling():
    status = final_status(cut(code="passed"), ["Failed", "Passed"])

    assert status == FinalStatus(StatusType.SUCCEEDED, "Passed")


def test_a_code_that_the_workflow_lacks_is_not_sent():
    assert final_status(cut(code="xfailed", kind="Failed"), ["Passed"]).code is None


def test_the_newest_result_in_progress_belongs_to_the_cut():
    old = result("old", created_at="2026-01-01T11:00:00Z")
    new = result("new", created_at="2026-01-01T12:00:00Z")

    assert match([entry()], [new, old]) == {"entry": new}


def test_a_result_bound_to_a_test_point_comes_first():
    bound = result("bound", created_at="2026-01-01T10:00:00Z", test_point_id="point")
    free = result("free", test_point_id=NO_TEST_POINT)

    assert match([entry()], [free, bound]) == {"entry": bound}


def test_several_cuts_of_one_test_get_their_results_in_the_order_they_were_held():
    first, second = entry("first"), entry("second", held_at=NOON + SECOND)
    foreign = result("foreign", created_at="2026-01-01T11:00:00Z")
    one = result("one", created_at="2026-01-01T12:00:00Z")
    two = result("two", created_at="2026-01-01T12:00:01Z")

    assert match([second, first], [two, foreign, one]) == {"first": one, "second": two}


def test_a_failure_gets_the_result_that_tells_of_one_whatever_the_order():
    passed = entry("passed")
    failed = entry("failed", held_at=NOON + SECOND, kind="Failed")
    with_traces = result("with traces", created_at="1", has_traces=True)
    without = result("without", created_at="2")

    assert match([passed, failed], [with_traces, without]) == {
        "passed": without,
        "failed": with_traces,
    }


def test_more_failures_than_traces_still_all_get_a_result():
    entries = [entry(f"e{n}", held_at=NOON + n * SECOND, kind="Failed") for n in range(2)]
    results = [result("without", created_at="1"), result("with", created_at="2", has_traces=True)]

    matched = match(entries, results)

    assert {entry_id: found.id for entry_id, found in matched.items()} == {
        "e0": "with",
        "e1": "without",
    }


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))
def test_no_result_is_given_to_two_cuts(cuts, bound, free):
    entries = [entry(f"e{i}", held_at=NOON + i * SECOND) for i in range(cuts)]
    results = [result(f"b{i}", test_point_id="point") for i in range(bound)]
    results += [result(f"f{i}", created_at=f"{i}") for i in range(free)]

    matched = match(entries, results)

    assert len({r.id for r in matched.values()}) == len(matched) == min(cuts, bound + free)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_nothing_and_never_longer_than_the_longest(attempt, chance):
    assert timedelta(0) < next_pause(attempt, chance) <= LONGEST_PAUSE
