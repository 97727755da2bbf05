"""Two load tests side by side: which step goes with which, and what has changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsvc.errors import Unknown
from syncsvc.loadtests.comparing import differences, paired
from syncsvc.loadtests.merging import merged
from syncsvc.loadtests.registering import WishedStep
from syncsvc.loadtests.summary_rows import MS, RATE, Row
from tests.support.load_tests import a_step
from tests.unit.loadtests.watch import Watch


def steps(*names: str):
    return [a_step(f"{name}-{order}", name=name, order=order) for order, name in enumerate(names)]


def named(pairs) -> list[tuple[str | None, str | None]]:
    return [tuple(step and step.name for step in pair) for pair in pairs]


def test_steps_of_one_name_go_together_wherever_they_are():
    assert named(paired(steps("a", "b"), steps("b", "a"))) == [("a", "a"), ("b", "b")]


def test_what_is_left_goes_together_in_its_order():
    before, after = steps("a", "old", "older"), steps("new", "a", "newer")

    assert named(paired(before, after)) == [("a", "a"), ("old", "new"), ("older", "newer")]


def test_a_step_that_only_one_of_them_has_stands_alone():
    assert named(paired(steps("a", "b"), steps("a"))) == [("a", "a"), ("b", None)]
    assert named(paired(steps("a"), steps("a", "b"))) == [("a", "a"), (None, "b")]
    assert named(paired([], steps("a"))) == [(None, "a")]


def test_steps_of_one_name_are_told_apart_by_their_order():
    before, after = steps("a", "a"), steps("a", "a", "a")

    pairs = paired(before, after)

    assert [(one and one.order, other and other.order) for one, other in pairs] == [
        (0, 0),
        (1, 1),
        (None, 2),
    ]


NAMES = st.lists(st.sampled_from("abc"), max_size=5)


@given(NAMES, NAMES)
def test_each_step_is_in_one_pair(one, other):
    before, after = steps(*one), steps(*other)

    pairs = paired(before, after)

    assert sorted(step.id for step, _ in pairs if step) == sorted(step.id for step in before)
    assert sorted(step.id for _, step in pairs if step) == sorted(step.id for step in after)
    assert len(pairs) == max(len(before), len(after))


def difference(before: Row | None, after: Row | None):
    one, other = ([merged({1: [row]})[0]] if row else [] for row in (before, after))
    [found] = differences(one, other)
    return found


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [(200, 150, -0.25), (100, 300, 2.0), (-4, -2, 0.5), (5, 5, 0.0), (0, 5, None), (0, 0, None)],
)
def test_a_change_is_told_in_parts_of_what_was_before(before, after, change):
    rows = [Row("http_req_duration", "avg", value, MS) for value in (before, after)]

    assert difference(*rows).change == change


@pytest.mark.parametrize(("before", "after", "change"), [(0.5, 0.75, 0.25), (0, 0.5, 0.5)])
def test_a_change_of_a_rate_is_told_in_points(before, after, change):
    rows = [Row("checks", "rate", value, RATE) for value in (before, after)]

    assert difference(*rows).change == change


def test_what_only_one_of_them_measured_has_not_changed():
    row = Row("http_reqs", "count", 7)

    new, gone = difference(None, row), difference(row, None)

    assert (new.before, new.after, new.change) == (None, 7, None)
    assert (gone.before, gone.after, gone.change) == (7, None, None)


def test_a_threshold_says_whether_it_was_kept_before_and_now():
    rows = [
        Row("checks", "rate", value, RATE, threshold="rate>0.9", ok=value > 0.9)
        for value in (0.95, 0.5)
    ]

    found = difference(*rows)

    assert (found.threshold, found.ok_before, found.ok_after) == ("rate>0.9", True, False)


def test_rows_come_in_the_order_of_the_newer_and_what_is_gone_comes_last():
    before = merged({1: [Row(name, "count", 1) for name in ("gone", "b", "a")]})
    after = merged({1: [Row(name, "count", 1) for name in ("a", "new", "b")]})

    assert [each.metric for each in differences(before, after)] == ["a", "new", "b", "gone"]


async def test_two_load_tests_are_compared_step_by_step():
    watch = Watch()
    for name, value in (("old", 10), ("new", 20)):
        wished = [WishedStep(f"{name}-{step}", step) for step in ("warm-up", "peak")]
        found = await watch.registering.watch(name, wished)
        fence = await watch.cycles.begin(watch.clock())
        for step in found.steps:
            rows = {1: [Row("http_reqs", "count", value)]}
            await watch.logs.keep_summaries(fence, step.id, rows)

    compared = await watch.showing.compared("old", "new")

    assert [each.name for each in compared] == ["warm-up", "peak"]
    assert [each.differences[0].change for each in compared] == [1.0, 1.0]


async def test_what_is_not_there_is_not_compared():
    watch = Watch()
    await watch.watched("a")

    with pytest.raises(Unknown, match="'b'"):
        await watch.showing.compared("a", "b")
