"""How load tests are written for a person: what is wrong with them is said in words."""

from datetime import timedelta

import pytest

from syncsvc.cli.loadtests import listing, showing, summaries, wording
from syncsvc.cli.loadtests.codes import code_of
from syncsvc.cli.loadtests.telling import Lines
from syncsvc.loadtests.comparing import Compared, Difference
from syncsvc.loadtests.merging import merged
from syncsvc.loadtests.model import (
    LogsState,
    Phase,
    Reason,
    Result,
    Runner,
    RunnerState,
    Stale,
    Status,
)
from syncsvc.loadtests.ports import Cycle, CycleReport, StepError, Which
from syncsvc.loadtests.showing import Shown
from syncsvc.loadtests.summary_rows import (
    BYTES,
    BYTES_PER_SECOND,
    MS,
    PER_SECOND,
    PLAIN,
    RATE,
    Row,
)
from tests.support.builders import MINUTE, NOON
from tests.support.load_tests import a_failed_step, a_step, a_test, an_ended_step

AWAY = Stale(NOON, 3, "cluster 'main' did not answer")
ENDED = RunnerState.ENDED


def runners(*codes: int) -> dict[int, Runner]:
    return {n: Runner(n, ENDED, f"pod-{n}", code) for n, code in enumerate(codes, 1)}


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (None, "-"),
        (timedelta(seconds=9.46), "9.5 s"),
        (timedelta(seconds=725), "12 min 5 s"),
        (timedelta(hours=2, minutes=3, seconds=40), "2 h 3 min"),
    ],
)
def test_spans_have_two_places(length, told):
    assert wording.span(length) == told


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (None, MS, "-"),
        (0.25, MS, "250.0 µs"),
        (12.345, MS, "12.35 ms"),
        (1500.0, MS, "1.50 s"),
        (0.9987, RATE, "99.87%"),
        (41_000.0, BYTES, "41.0 kB"),
        (402.0, BYTES_PER_SECOND, "402 B/s"),
        (4.1234567, PER_SECOND, "4.123/s"),
        (1020.0, PLAIN, "1020"),
        (12345678.0, PLAIN, "12345678"),
    ],
)
def test_numbers_have_their_unit(value, unit, told):
    assert wording.number(value, unit) == told


def test_runners_are_told_by_what_they_are_at_and_those_that_were_not_seen_are_counted():
    lost = Runner(3, RunnerState.LOST)
    step = a_step(expected=5, runners={**runners(0, 0), 3: lost, 4: Runner(4, ENDED, exit_code=99)})

    assert wording.runners(step) == "2 x exit 0, 1 x lost, 1 x exit 99, 1 x not seen"


def test_a_step_that_could_not_be_looked_at_says_since_when_how_often_and_why():
    (line,) = showing.troubles(a_step(name="checkout", stale=AWAY))

    assert line == (
        "checkout: stale since 2026-01-01 12:00:00 UTC (tried 3 times): what is shown is older; "
        "last error: cluster 'main' did not answer"
    )


def test_a_step_that_does_not_get_on_says_where_since_when_and_why():
    step = a_step(name="checkout", phase=Phase.STARTING, stalled="ImagePullBackOff")

    (line,) = showing.troubles(step)

    assert line == "checkout: stalled in STARTING since 2026-01-01 12:00:00 UTC: ImagePullBackOff"


def test_what_is_over_is_not_stalled_any_more_and_lost_logs_are_told():
    step = a_failed_step(name="checkout", stalled="was slow", logs=LogsState.LOST)

    assert list(showing.troubles(step)) == [
        "checkout: FAILED, THRESHOLDS: runner 2",
        "checkout: logs are lost: nothing was read",
    ]


def test_one_load_test_is_shown_in_all_its_parts(capsys):
    test = a_test(status=Status.RUNNING, started_at=NOON, labels={"team": "shop"})
    steps = [an_ended_step("warm", runners=runners(0)), a_step("go", order=2, stale=AWAY)]

    showing.details(Shown(test, steps), [], NOON + 2 * MINUTE, as_json=False)

    out = capsys.readouterr().out
    assert out.startswith("load test Checkout (test): RUNNING, 1 of 2 steps over\n")
    assert "began 2026-01-01 12:00:00 UTC, took 2 min 0 s; watched since" in out
    assert "in namespace load of cluster main\n" in out
    assert "Step go: stale since" in out
    assert "Step warm  1       ended  0          -       -            pod-1" in out


def test_steps_of_several_places_say_where_each_is(capsys):
    showing.steps([a_step("a"), a_step("b", namespace="other")], NOON)

    out = capsys.readouterr().out
    assert "main/load/a" in out
    assert "main/other/b" in out


def test_a_list_says_in_a_word_why_a_load_test_did_not_go_well(capsys):
    test = a_test(status=Status.FAILED, started_at=NOON, completed_at=NOON + MINUTE)
    steps = [a_failed_step("a"), a_failed_step("b"), a_step("c", stale=AWAY)]

    listing.tests([Shown(test, steps)], Which(), NOON, as_json=False)

    row = capsys.readouterr().out.splitlines()[1]
    assert row.rstrip().endswith("2/3    2026-01-01 12:00  1 min 0 s  THRESHOLDS, stale")


def test_a_list_is_as_wide_as_a_terminal(capsys):
    test = a_test("01a1feb4de9b94e9a38f1f1ebb3ba21f", name="nightly", started_at=NOON)

    listing.tests([Shown(test, [a_step()])], Which(), NOON, as_json=False)

    assert all(len(line.rstrip()) <= 80 for line in capsys.readouterr().out.splitlines())


def test_a_cycle_shows_its_cost_and_names_steps_with_errors(capsys):
    errors = [StepError("s", "checkout", "cluster 'main' did not answer")]
    report = CycleReport(7, 5, 2, 4, 17, 41_000, timedelta(seconds=0.3), errors)

    listing.cycles([Cycle(3, NOON, report), Cycle(2, NOON)], as_json=False)

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[3:] == ["7", "5", "2", "4", "17", "41.0", "kB", "0.3", "s"]
    assert lines[2].rstrip().endswith("runs, or its process died")
    assert lines[3:] == [
        "cycle 3: checkout: cluster 'main' did not answer",
        "cycle 3: and 1 more that are not kept",
    ]


def test_a_difference_that_cannot_be_told_is_a_dash_and_rates_differ_in_points(capsys):
    found = [
        Difference("checks", "", "rate", None, RATE, 0.9, 1.0),
        Difference("orders", "", "count", None, PLAIN, 0.0, 5.0),
        Difference("http_reqs", "", "count", "count>1", PLAIN, None, None, ok_before=True),
    ]

    summaries._show_differences(Compared("go", a_step(), a_step(), found))

    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert lines == [
        ["checks", "rate", "90.00%", "100.00%", "+10.00", "points"],
        ["orders", "count", "0", "5", "-"],
        ["http_reqs", "count>1", "ok", "-", "changed"],
    ]


def test_a_threshold_that_was_crossed_names_the_runners(capsys):
    rows = {n: [Row("checks", "rate", None, threshold="rate>1", ok=n == 2)] for n in (1, 2, 3)}

    summaries._show_thresholds(merged(rows))

    assert capsys.readouterr().out.splitlines()[2].split() == [
        *("rate>1", "checks", "CROSSED"),
        *("runner", "1,", "runner", "3"),
    ]


def test_news_of_a_step_are_told_once(capsys):
    lines, step = Lines(), a_step(name="go", phase=Phase.RUNNING, started_at=NOON)
    stale = a_step(name="go", phase=Phase.RUNNING, stale=AWAY)

    for each in (step, step, stale, stale):
        lines.tell([each])

    assert capsys.readouterr().err.splitlines() == [
        "go: RUNNING",
        "go: RUNNING; stale: cluster 'main' did not answer",
    ]


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([Result.SUCCEEDED], 0),
        ([Result.SUCCEEDED, Result.CANCELLED, Result.FAILED], 1),
        ([Result.SUCCEEDED, Result.CANCELLED], 3),
        ([Result.UNKNOWN], 3),
        ([Result.SUCCEEDED, None], 3),
    ],
)
def test_the_exit_code_tells_what_came_of_all_steps(results, code):
    steps = [an_ended_step(result=result, reason=Reason.UNKNOWN) for result in results]

    assert code_of(steps) == code
