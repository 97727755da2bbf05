"""What a query asks of load tests and of their logs: read, or refused with its name."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from starlette.requests import Request

from syncsvc.errors import Rejected
from syncsvc.gateway.k6_reading import in_path, required, which_tests, which_text
from syncsvc.loadtests.model import Status
from syncsvc.loadtests.seen import Role
from syncsvc.loadtests.showing import WhichLogs
from tests.support.builders import NOON


def asking(accept: str = "*/*", step: str = "x", **query: str) -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/",
            "path_params": {"step": step},
            "query_string": urlencode(query).encode(),
            "headers": [(b"accept", accept.encode())],
        }
    )


def test_without_a_query_every_line_but_progress_is_given_as_text():
    which = which_text(asking(), NOON)

    assert which.logs == WhichLogs()
    assert (which.lines.since, which.lines.with_progress) == (None, False)
    assert (which.grep, which.raw, which.follow, which.as_json) == (None, False, False, False)


def test_containers_are_chosen_by_name_role_and_runner():
    which = which_text(asking(container="k6", role="runner", runner="2"), NOON)

    assert which.logs == WhichLogs("k6", Role.RUNNER, 2)
    assert which.is_of_one


def test_what_is_raw_has_its_progress_too():
    assert which_text(asking(raw="true"), NOON).lines.with_progress


def test_lines_may_be_asked_for_as_json():
    assert which_text(asking(accept="text/html, application/x-ndjson;q=0.9"), NOON).as_json


@pytest.mark.parametrize(
    ("word", "since"),
    [
        ("10m", NOON - timedelta(minutes=10)),
        ("1.5s", NOON - timedelta(seconds=1.5)),
        ("2026-01-01T10:00:00Z", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("2026-01-01T10:00:00", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("2026-01-01T10:00:00+02:00", datetime(2026, 1, 1, 8, tzinfo=UTC)),
        ("2026-01-01T10:00:00 02:00", datetime(2026, 1, 1, 8, tzinfo=UTC)),
        ("2026-01-01 10:00", datetime(2026, 1, 1, 10, tzinfo=UTC)),
    ],
)
def test_since_is_a_moment_or_how_long_ago(word, since):
    assert which_text(asking(since=word), NOON).lines.since == since


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"since": "yesterday"}, "since: expected a moment such as"),
        ({"since": "90"}, "since: expected a moment such as"),
        ({"since": ""}, "since: expected a moment such as"),
        ({"since": "9999999999d"}, "since: expected a moment such as"),
        ({"since": "900000d"}, "since: expected a moment such as"),
        ({"since": "0001-01-01T00:00:00+12:00"}, "since: expected a moment such as"),
        ({"role": "cook"}, "role: expected one of initializer, starter, runner"),
        ({"runner": "one"}, "runner: expected a number from 1"),
        ({"follow": "maybe"}, "follow: expected one of true, 1, "),
        ({"container": "a\0"}, "container: expected 1 to 200 printable"),
        ({"grep": "("}, "grep: expected a regular expression"),
    ],
)
def test_a_wrong_word_about_logs_is_named(query, message):
    with pytest.raises(Rejected) as raised:
        which_text(asking(**query), NOON)

    assert str(raised.value).startswith(message)


def test_load_tests_are_chosen_by_status_place_and_text():
    which = which_tests(asking(status="FAILED", cluster="main", namespace="load", text="shop"))

    assert (which.status, which.cluster, which.namespace) == (Status.FAILED, "main", "load")
    assert (which.text, which.limit, which.before) == ("shop", 100, None)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"status": "WAITING"}, "status: expected one of PENDING, RUNNING, "),
        ({"status": "DELETED"}, "status: expected one of PENDING, RUNNING, "),
        ({"limit": "0"}, "limit: expected 1 to 1000"),
        ({"before": "no!"}, "before: expected the id of a load test"),
        ({"text": "\0"}, "text: expected 1 to 200 printable"),
        ({"cluster": ""}, "cluster: expected 1 to 200 printable"),
    ],
)
def test_a_wrong_word_about_load_tests_is_named(query, message):
    with pytest.raises(Rejected) as raised:
        which_tests(asking(**query))

    assert str(raised.value).startswith(message)


def test_what_is_needed_is_asked_for_by_name():
    with pytest.raises(Rejected, match=r"^after: expected the id or the name of a load test"):
        required({"before": "x"}, "after")


def test_a_name_in_a_path_is_printable():
    with pytest.raises(Rejected, match=r"^step: expected 1 to 200 printable"):
        in_path(asking(step="a\0"), "step")
