"""Each line of a log begins with its moment, and what does not is text."""

import pytest

from syncsvc.loadtests.stamps import parted, split


@pytest.mark.parametrize(
    ("log", "lines"),
    [
        (b"", []),
        (b"\n", [b"\n"]),
        (b"a", [b"a"]),
        (b"a\nb\n", [b"a\n", b"b\n"]),
        (b"\na\r", [b"\n", b"a\r"]),
    ],
)
def test_a_log_is_split_after_newlines_only(log, lines):
    assert split(log) == lines


NOON_NS = 1_767_268_800 * 1_000_000_000


@pytest.mark.parametrize(
    ("line", "moment", "text"),
    [
        (b"2026-01-01T12:00:00Z x", NOON_NS, b"x"),
        (b"2026-01-01T12:00:00.1Z  x ", NOON_NS + 100_000_000, b" x "),
        (b"2026-01-01T12:00:00.000000001Z ", NOON_NS + 1, b""),
        (b"2026-01-01T12:00:00.123456789Z", NOON_NS + 123_456_789, b""),
        (b"2026-01-01T15:00:00.5+03:00 x", NOON_NS + 500_000_000, b"x"),
    ],
)
def test_a_moment_is_read_to_the_nanosecond(line, moment, text):
    assert parted(line) == (moment, text)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"more of it",
        b"2026-02-30T12:00:00Z x",
        b"2026-01-01T12:00:00Zx",
        b"2026-01-01 12:00:00Z x",
    ],
)
def test_a_line_without_a_moment_is_all_text(line):
    assert parted(line) == (None, line)
