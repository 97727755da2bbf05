import pytest

from syncsvc.durations import parse_duration


@pytest.mark.parametrize("text", ["99999999999d", "1" + "0" * 400, "9999999999999999999h"])
def test_a_span_beyond_all_calendars_is_refused_in_words(text):
    with pytest.raises(ValueError, match="expected less than a million years, not"):
        parse_duration(text)
