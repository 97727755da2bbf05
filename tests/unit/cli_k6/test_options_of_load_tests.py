"""What the options of `syncsvc k6` say, and what is refused: option, expected, found."""

from datetime import UTC, datetime, timedelta

import pytest

from syncsvc.cli.loadtests import reading
from syncsvc.cli.loadtests.codes import spelt
from syncsvc.errors import Rejected
from syncsvc.loadtests.model import Status
from syncsvc.loadtests.registering import WishedStep
from tests.support.builders import NOON


def test_a_step_has_a_name_of_its_own_or_that_of_its_test_run():
    steps = reading.wished_steps(["a=b=shop-load", "search"], "team", None)

    assert steps == [
        WishedStep("shop-load", "a=b", "team"),
        WishedStep("search", None, "team"),
    ]


def test_labels_are_keys_and_values():
    assert reading.labels(["team=shop", "query=a=b", "empty="]) == {
        "team": "shop",
        "query": "a=b",
        "empty": "",
    }


@pytest.mark.parametrize(
    ("texts", "expected"), [(["team"], "key=value"), (["a=1", "a=2"], "each key once")]
)
def test_another_label_is_refused(texts, expected):
    with pytest.raises(Rejected, match=rf"^--label: expected {expected}, found '"):
        reading.labels(texts)


def test_a_status_may_be_in_small_letters():
    assert reading.status("failed") is Status.FAILED
    assert reading.status(None) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T10:00+02:00", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("10m", NOON - timedelta(minutes=10)),
    ],
)
def test_since_is_a_moment_in_utc_or_how_long_ago(text, moment):
    assert reading.since(text, NOON) == moment


@pytest.mark.parametrize(
    "text", ["", "30", "soon", "99999999d", "0001-01-01T00:00+14:00", "9999999999999999d"]
)
def test_another_since_is_refused_and_says_what_is_expected(text):
    with pytest.raises(Rejected, match=r"^--since: expected a moment such as .* found '"):
        reading.since(text, NOON)


@pytest.mark.parametrize("text", ["", "15abc", "15.9", "-5", "٣", "true", "99999999999"])
def test_an_interval_that_is_no_whole_number_is_refused_with_the_range(text):
    with pytest.raises(Rejected, match=r"^--interval: expected a whole number from 5 to 300"):
        reading.interval(text)


@pytest.mark.parametrize("text", ["(", "[z-a]", "(?=x)", "x{2000}"])
def test_a_pattern_that_is_none_is_refused(text):
    with pytest.raises(Rejected, match=r"^--grep: expected a regular expression .*, found '"):
        reading.pattern(text)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("name: expected 1", "NAME: expected 1"),
        ("steps: expected 1 to 500", "TESTRUN: expected 1 to 500"),
        ("steps[2].test_run: expected a", "TESTRUN: expected a"),
        ("steps[2].name: expected a", "the step's name of TESTRUN: expected a"),
        ("steps[2].namespace: expected a", "--namespace: expected a"),
        ("labels.team: expected a", "--label: expected a"),
        ("intervalSeconds: expected a", "--interval: expected a"),
        ("step: load test 'x' has several", "--step: load test 'x' has several"),
        ("step of 'x': expected one", "--step of 'x': expected one"),
        ("stepping stones are expected", "stepping stones are expected"),
        ("cluster 'x' answered 403", "cluster 'x' answered 403"),
    ],
)
def test_a_field_is_named_as_its_option_is_spelt(message, told):
    assert spelt(message) == told
