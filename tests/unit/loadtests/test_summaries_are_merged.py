"""One summary out of many runners'."""

import pytest

from syncsvc.loadtests.merging import How, merged
from syncsvc.loadtests.summary_rows import Row


def over(*rows: Row, others: list[Row] | None = None):
    """Merge one row of each runner, and whatever else the first have."""
    summaries = {number: [row] for number, row in enumerate(rows, start=1)}
    for number, row in enumerate(others or [], start=1):
        summaries[number].append(row)
    return merged(summaries)[0]


def a_row(value, stat="count", metric="http_reqs", unit="", **known) -> Row:
    return Row(metric, stat, value, unit, **known)


@pytest.mark.parametrize(
    ("stat", "unit", "value", "how"),
    [
        ("count", "", 40, How.SUM),
        ("rate", "1/s", 40, How.SUM),
        ("rate", "bytes/s", 40, How.SUM),
        ("min", "ms", 10, How.MIN),
        ("max", "ms", 30, How.MAX),
        ("p(95)", "ms", 30, How.WORST),
        ("med", "ms", 30, How.WORST),
    ],
)
def test_each_stat_is_merged_in_its_own_way(stat, unit, value, how):
    one = over(a_row(10, stat, unit=unit), a_row(30, stat, unit=unit))

    assert (one.row.value, one.how, one.runners) == (value, how, 2)


def test_rates_are_weighted_by_their_counts():
    rows = {
        number: [
            a_row(rate, "rate", "checks", "rate"),
            a_row(passes, "passes", "checks"),
            a_row(fails, "fails", "checks"),
        ]
        for number, (rate, passes, fails) in enumerate([(1.0, 10, 0), (0.5, 45, 45)], start=1)
    }

    assert merged(rows)[0].row.value == pytest.approx(0.55)
    assert merged(rows)[0].how is How.WEIGHTED


def test_an_average_is_weighted_where_its_number_of_values_is_known():
    averages = [a_row(10, "avg", "http_req_duration", "ms"), a_row(30, "avg", "http_req_duration")]

    weighted = over(*averages, others=[a_row(30), a_row(10)])

    assert (weighted.row.value, weighted.how) == (15, How.WEIGHTED)
    assert over(*averages).how is How.MEAN


def test_users_of_runners_add_up():
    assert over(a_row(2, "max", "vus"), a_row(3, "max", "vus")).row.value == 5


def test_a_threshold_that_one_runner_crossed_is_crossed_and_says_by_whom():
    kept, crossed = (
        a_row(value, "p(95)", unit="ms", threshold="p(95)<10", ok=ok)
        for value, ok in ((9, True), (11, False))
    )

    one = over(kept, crossed, kept)

    assert (one.row.ok, one.crossed_by, one.how) == (False, [2], How.ALL)


def test_a_single_runner_is_shown_as_it_is():
    assert over(a_row(7, "p(95)")).how is How.ONLY
