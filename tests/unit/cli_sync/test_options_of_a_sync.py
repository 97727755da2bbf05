"""What the options of `syncsvc sync` say, and what is refused: option, expected, found."""

from datetime import UTC, datetime, timedelta

import pytest

from syncsvc.cli.plain import shortened
from syncsvc.cli.syncing import reading
from syncsvc.errors import Rejected

NIGHT = "01a1feb4de9b94e9a38f1f1ebb3ba21f"
SAME_MOMENT = "01a1feb4de9b04e9a38f1f1ebb3ba21f"


def test_product_ids_are_numbers_with_commas_between():
    assert reading.scope("12, 34", None, None).product_ids == (12, 34)


@pytest.mark.parametrize("text", ["", "x", "1,,2", "0", "-5", "1_0", "1.5", "٣", str(2**63)])
def test_other_product_ids_are_refused_and_the_option_is_named(text):
    with pytest.raises(Rejected, match=r"^--product-ids: expected positive numbers .* found '"):
        reading.scope(text, None, None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T10:00", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("2026-11-01T10:00+02:00", datetime(2026, 11, 1, 8, tzinfo=UTC)),
    ],
)
def test_since_is_in_utc_unless_it_says_otherwise(text, moment):
    assert reading.scope(None, text, None).since_date == moment


def test_since_may_be_so_long_ago():
    found = reading.scope(None, "30d", None).since_date

    assert abs(datetime.now(UTC) - timedelta(days=30) - found) < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["", "yesterday", "30", "30D", "99999999d", "999999999999d"])
def test_another_since_is_refused_and_says_what_is_expected(text):
    with pytest.raises(Rejected, match=r"^--since: expected a date such as .* found '"):
        reading.scope(None, text, None)


@pytest.mark.parametrize("text", ["", "x", "-1s", "99999999999d"])
def test_a_wait_that_is_none_is_refused(text):
    with pytest.raises(Rejected, match=r"^--lock-timeout: expected a duration such as"):
        reading.span("--lock-timeout", text)


def test_a_wrong_word_is_refused_with_the_right_ones():
    with pytest.raises(Rejected, match=r"^--phases: expected one of products, features, new_tests"):
        reading.words("--phases", "features,tests", reading.PHASES)


@pytest.mark.parametrize("other", ["nuke", "force"])
def test_what_excludes_each_other_is_refused_before_anybody_is_asked(other):
    chosen = {"force": False, "nuke": False, "allow_vanishing": False, other: True}

    with pytest.raises(Rejected, match=rf"^--{other}: expected without --incremental-only"):
        reading.options(incremental_only=True, **chosen)


def test_ids_are_shown_as_far_as_they_differ():
    short = shortened([NIGHT, SAME_MOMENT])

    assert short == {NIGHT: NIGHT[:13], SAME_MOMENT: SAME_MOMENT[:13]}
    assert shortened([NIGHT]) == {NIGHT: NIGHT[:12]}
    assert shortened([]) == {}
