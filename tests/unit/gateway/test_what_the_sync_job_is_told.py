"""What the sync job may be told: an action, and whole seconds in range."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from syncsvc.errors import Rejected
from syncsvc.gateway.dashboard_views import JobAction, action_in, interval_in, timestamp


@pytest.mark.parametrize("word", ["start", "restart", "stop"])
def test_an_action_is_one_of_three(word):
    assert action_in({"action": word}) == JobAction(word)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, "no such field"),
        ({"action": None}, "null"),
        ({"action": "pause"}, '"pause"'),
        ({"action": "START"}, '"START"'),
        ({"action": ["start"]}, '["start"]'),
        ({"action": True}, "true"),
    ],
)
def test_a_wrong_action_is_named(body, found):
    with pytest.raises(Rejected) as raised:
        action_in(body)

    assert str(raised.value) == f"action: expected one of start, restart, stop, found {found}"


@pytest.mark.parametrize("seconds", [5, 20, 300])
def test_an_interval_is_whole_seconds_in_range(seconds):
    assert interval_in({"intervalSeconds": seconds}) == timedelta(seconds=seconds)


@pytest.mark.parametrize("body", [{}, {"intervalSeconds": None}])
def test_an_interval_need_not_be_told(body):
    assert interval_in(body) is None


@pytest.mark.parametrize(
    ("interval", "found"),
    [
        (4, "4"),
        (301, "301"),
        (0, "0"),
        (-20, "-20"),
        (15.9, "15.9"),
        (15.0, "15.0"),
        (True, "true"),
        ("15abc", '"15abc"'),
        ("15", '"15"'),
        ([15], "[15]"),
        ({}, "{}"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_an_interval_that_is_none_is_named_with_its_range(interval, found):
    with pytest.raises(Rejected) as raised:
        interval_in({"intervalSeconds": interval})

    message = "intervalSeconds: expected a whole number from 5 to 300, found "
    assert str(raised.value) == message + found


def test_a_moment_is_told_in_milliseconds_of_utc():
    at = datetime(2026, 1, 2, 3, 4, 5, 6789, tzinfo=timezone(timedelta(hours=2)))

    assert timestamp(at) == "2026-01-02T01:04:05.006Z"
    assert timestamp(at.astimezone(UTC)) == "2026-01-02T01:04:05.006Z"
