"""However a log is cut into reads, each line is kept once."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncsvc.loadtests.seam import Cursor, joined
from syncsvc.loadtests.stamps import BILLION, EPOCH, parted, split

NOON_NS = int(datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()) * BILLION


def line(ns: int, text: bytes = b"hello") -> bytes:
    second = EPOCH + timedelta(seconds=ns // BILLION)
    return second.strftime("%Y-%m-%dT%H:%M:%S").encode() + b".%09dZ " % (ns % BILLION) + text


def at(seconds: float, text: bytes = b"hello") -> bytes:
    return line(NOON_NS + int(seconds * BILLION), text) + b"\n"


def served(log: bytes, since: datetime | None) -> bytes:
    """Serve a log as a kubelet does: each line that is not older than a second."""
    if since is None:
        return log
    start = int(since.timestamp()) * BILLION
    return b"".join(each for each in split(log) if (parted(each + b" ")[0] or 0) >= start)


class Reader:
    """Keeps what reads of a log bring."""

    def __init__(self) -> None:
        self.cursor, self.kept = Cursor(), b""
        self.gaps = self.replaced = 0

    def read(self, log: bytes, limit: int | None = None) -> None:
        read = served(log, self.cursor.since)[:limit]
        was_cut = limit is not None and len(read) == limit
        self.take(joined(self.cursor, read, was_cut=was_cut))

    def end(self, log: bytes) -> None:
        self.take(joined(self.cursor, log, is_whole=True, is_last=True))

    def take(self, news) -> None:
        self.kept = news.fresh if news.replaces else self.kept + news.fresh
        self.cursor = news.cursor
        self.gaps += news.gap
        self.replaced += news.replaces


texts = st.sampled_from([b"a", b"a", b"b", b"", b"\r 10%\r 20%", b"x" * 40, b"\xff\x00"])
forward = st.sampled_from([0, 0, 1, 400_000_000, BILLION, 7 * BILLION])
anyhow = st.one_of(forward, st.sampled_from([-1, -500_000_000, -3 * BILLION]))


def logs(steps):
    return st.lists(st.tuples(steps, texts), max_size=30).map(written)


def written(entries) -> bytes:
    moment, log = NOON_NS, b""
    for step, text in entries:
        moment += step
        log += line(moment, text) + b"\n"
    return log


def reads(data, reader: Reader, log: bytes) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(log)), max_size=8).map(sorted))
    for size in cuts:
        reader.read(log[:size], data.draw(st.one_of(st.none(), st.integers(0, 400))))


@settings(max_examples=150, deadline=None)
@given(logs(forward), st.data())
def test_any_reads_of_a_log_keep_a_beginning_of_it_and_the_last_one_all(log, data):
    reader = Reader()

    reads(data, reader, log)

    assert log.startswith(reader.kept)
    reader.end(log)
    assert reader.kept == log
    assert (reader.gaps, reader.replaced) == (0, 0)


@settings(max_examples=150, deadline=None)
@given(logs(anyhow), st.booleans(), st.data())
def test_a_clock_that_goes_back_loses_and_doubles_nothing_in_the_end(log, ends_open, data):
    log = log[:-1] if ends_open else log
    reader = Reader()

    reads(data, reader, log)
    reader.end(log)

    assert reader.kept == log
    assert reader.gaps == 0


@given(logs(forward), st.data())
def test_a_stream_in_any_pieces_is_kept_whole(log, data):
    reader, held, rest = Reader(), b"", log
    for size in data.draw(st.lists(st.integers(1, 90), max_size=40)):
        news = joined(reader.cursor, held + rest[:size])
        reader.take(news)
        held, rest = news.held, rest[size:]

    reader.take(joined(reader.cursor, held + rest, is_last=True))

    assert reader.kept == log


def test_equal_lines_of_one_nanosecond_are_as_many_as_were_written():
    reader = Reader()
    log = at(1) * 5

    reader.read(log[: len(at(1)) * 2])
    reader.read(log)

    assert reader.kept == log


def test_a_line_that_is_half_there_waits_for_its_end():
    reader = Reader()
    log = at(1, b"one") + at(1, b"two")

    reader.read(log[:-2])

    assert reader.kept == at(1, b"one")
    reader.read(log)
    assert reader.kept == log


def test_a_second_that_is_larger_than_the_limit_asks_for_more_bytes():
    reader = Reader()
    log = at(1) * 20
    reader.read(log[: len(at(1)) * 10])

    news = joined(reader.cursor, log[:100], was_cut=True)

    assert (news.blocked, news.fresh) == (True, b"")
    assert reader.cursor.window_bytes == len(at(1)) * 10


def test_a_log_that_was_rotated_goes_on_after_the_last_line_that_is_kept():
    reader = Reader()
    log = at(1) + at(2) + at(3)
    reader.read(log)

    reader.read(at(3) + at(4))

    assert reader.kept == log + at(4)
    assert reader.gaps == 0


def test_a_log_that_was_rotated_beyond_what_is_kept_has_a_gap():
    reader = Reader()
    reader.read(at(1))

    reader.read(at(9))

    assert reader.kept == at(1) + at(9)
    assert reader.gaps == 1


def test_lines_that_a_clock_hid_come_with_the_whole_log():
    reader = Reader()
    log = at(10) + at(3) + at(12)
    reader.read(at(10))
    reader.read(log)
    before = reader.kept

    reader.end(log)

    assert (before, reader.kept) == (at(10) + at(12), log)
    assert reader.replaced == 1


def test_a_read_of_nothing_changes_nothing():
    reader = Reader()
    reader.read(at(1))
    before = reader.cursor

    reader.read(b"")

    assert (reader.cursor, reader.kept) == (before, at(1))


def test_what_is_not_a_log_is_not_kept():
    news = joined(Cursor(), b"unable to retrieve container logs for containerd://abc\n")

    assert news.fresh == b""
    assert news.odd == "unable to retrieve container logs for containerd://abc"


def test_a_read_asks_for_no_more_than_the_last_two_seconds_again():
    reader = Reader()

    reader.read(at(1) + at(5.5) + at(7.9))

    assert reader.cursor.since == datetime(2026, 1, 1, 12, 0, 6, tzinfo=UTC)
    assert reader.cursor.window_lines == 1


@pytest.mark.parametrize(
    ("stamp", "nanoseconds"),
    [
        (b"2026-01-01T12:00:00Z x", 0),
        (b"2026-01-01T12:00:00.5Z x", 500_000_000),
        (b"2026-01-01T15:00:00.000000001+03:00 x", 1),
    ],
)
def test_moments_are_read_to_the_nanosecond_in_any_zone(stamp, nanoseconds):
    assert parted(stamp) == (NOON_NS + nanoseconds, b"x")
