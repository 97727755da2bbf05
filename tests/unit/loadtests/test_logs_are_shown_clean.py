"""What a person sees of a log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsvc.loadtests.clean import Entry, cleaned, entry, is_progress, line, shown


def test_colours_and_nul_are_taken_out():
    assert cleaned(b"\x1b[32m\xe2\x9c\x93\x1b[0m ok\x00 \x1b]8;;http://x\x07link") == "✓ ok link"


def test_a_bar_that_rewrote_itself_shows_its_last_state():
    assert cleaned(b"\rdefault [  5% ]\rdefault [ 10% ]\r\n") == "default [ 10% ]"


def test_bytes_that_are_no_text_are_replaced():
    assert cleaned(b"a\xffb\n") == "a�b"


@pytest.mark.parametrize(
    "text",
    [
        "running (0m01.0s), 1/1 VUs, 0 complete and 0 interrupted iterations",
        "running (1h02m03.4s), 010/100 VUs, 12 complete and 0 interrupted iterations",
        "default   [  10% ] 1 VUs  0m01.0s/10s",
        "ramp_up ✓ [======================================] 2 VUs  3s",
        "soak-1   [==>-----------------------------------] 1 VUs  00.3s/10s",
    ],
)
def test_progress_is_known(text):
    assert is_progress(text)


@pytest.mark.parametrize(
    "text",
    [
        "✓ status 200",
        'time="2026-11-21T02:52:19Z" level=info msg="running (0m01.0s), 1/1 VUs" source=console',
        "default: 2 looping VUs for 3s",
        "prices [ 10, 20 ]",
        "list []",
        "list [   ]",
        "running tests",
    ],
)
def test_what_is_no_progress_stays(text):
    assert not is_progress(text)


def test_pairs_are_read_with_their_quotes_undone():
    said = 'msg="bad \\"quoted\\"\\tthing\\u00e9 a=b"'
    text = f'time="2026-11-21T02:52:20Z" level=warn {said} source=cart'

    assert entry(text) == Entry(
        'bad "quoted"\tthingé a=b', "warning", "2026-11-21T02:52:20Z", "cart"
    )


def test_a_message_that_was_cut_still_has_its_level():
    assert entry('time="2026-11-21T02:52:20Z" level=error msg="cut he') == Entry(
        "", "error", "2026-11-21T02:52:20Z"
    )


def test_json_logs_are_read_too():
    assert entry('{"level":"info","msg":"hello","source":"console"}') == Entry(
        "hello", "info", None, "console"
    )


@pytest.mark.parametrize("text", ["", "hello", '{"metrics":{}}', '{"', "level"])
def test_other_lines_are_no_entries(text):
    assert entry(text) is None


def test_a_stored_line_is_shown_with_its_moment():
    one = line(b"2026-01-01T12:00:00.000000007Z hello\n")

    assert one.text == "hello"
    assert one.nanoseconds == 1_767_268_800_000_000_007


@given(st.binary(max_size=200))
def test_any_bytes_can_be_shown(log):
    assert all("\0" not in each.text and "\n" not in each.text for each in shown(log))
