"""What became of a run of the suite: in Test IT, in syncsvc, and in the adapter's own words."""

from collections import defaultdict
from typing import Any

from tests.clients.adapter import ROWS, Session
from tests.support.stack import Stack
from tests.support.waiting import until

TESTS_FAILED = 1  # pytest's exit code: the suite has a test that fails
TEARDOWN_LIMIT = 15  # seconds
PATIENCE = 60  # seconds for what has to happen, on a machine that is busy
COMPLAINTS = ("Traceback", "ERROR", "WARNING")


def closed(stack: Stack, run_id: str) -> dict[str, Any]:
    """Give a run of the sandbox once it is closed and syncsvc has settled what it held."""
    stack.closed(run_id)
    until(lambda: not _unsettled(stack, run_id), "every held result is settled", PATIENCE)
    return stack.run_state(run_id)


def entries(stack: Stack, run_id: str) -> list[dict[str, Any]]:
    """Give what syncsvc held of a run."""
    page = stack.call("GET", f"{stack.api}/api/v1/results", params={"run": run_id})
    return list(page["results"])


def assert_closed_once_after_the_last_result(run: dict[str, Any]) -> None:
    (completion,) = run["completions"]
    assert completion["results"] == len(run["results"])
    assert completion["time"] >= max(result["created"] for result in run["results"])
    assert run["late_results"] == 0


def assert_nothing_is_lost(run: dict[str, Any]) -> None:
    """Every test has its rows, final once; the first test's row has all that it reported."""
    statuses = defaultdict(list)
    for result in run["results"]:
        statuses[result["external_id"]].append(result["status"])
    assert dict(statuses) == ROWS
    assert {result["finalised"] for result in run["results"]} == {1}
    (first,) = [result for result in run["results"] if result["external_id"] == "shop-open"]
    assert (first["message"], first["steps"], first["attachments"]) == ("welcome", 1, 1)


def assert_held_results_became_final(stack: Stack, run: dict[str, Any], at_most: int) -> None:
    """Some results were shown in progress by the adapter, and just these made final by syncsvc."""
    held = entries(stack, run["id"])
    assert 1 <= len(held) <= at_most
    assert {(entry["state"], entry["reason"]) for entry in held} == {("delivered", None)}
    waited = [result for result in run["results"] if len(result["history"]) > 1]
    assert sorted(each["external_id"] for each in waited) == sorted(
        entry["external_id"] for entry in held
    )
    for each in waited:
        shown, final = each["history"]
        assert (shown["to"], shown["by"]) == ("InProgress", "POST")
        assert (final["from"], final["by"]) == ("InProgress", "PUT")


def assert_content(session: Session) -> None:
    """The adapter ran to its end, soon after its last test, and complained of nothing."""
    assert session.exit_code == TESTS_FAILED, session.output
    assert session.teardown_seconds < TEARDOWN_LIMIT
    complaints = [
        line for line in session.output.splitlines() if any(word in line for word in COMPLAINTS)
    ]
    assert not complaints, session.output


def _unsettled(stack: Stack, run_id: str) -> list[dict[str, Any]]:
    return [each for each in entries(stack, run_id) if each["state"] in ("held", "pending")]
