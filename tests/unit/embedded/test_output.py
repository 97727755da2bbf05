"""What many processes say becomes whole lines, each with its speaker."""

import os

import pytest

from syncsvc.embedded.console import CAPACITY, Console
from syncsvc.embedded.life import LONGEST_LINE, Lines


@pytest.fixture
def heard():
    return []


@pytest.fixture
def lines(heard):
    return Lines(heard.append)


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader:
        yield reader, writing


def test_a_line_that_comes_in_pieces_is_one_line(lines, heard):
    lines.data_received(b"sn\xc3")
    lines.data_received(b"\xb6\r\nand")
    lines.data_received(b" more\n")

    assert heard == ["snö", "and more"]


def test_a_last_line_without_an_end_is_heard(lines, heard):
    lines.data_received(b"last words")

    lines.connection_lost(None)

    assert heard == ["last words"]
    assert lines.ended.is_set()


def test_a_line_without_end_is_cut(lines, heard):
    lines.data_received(b"x" * (LONGEST_LINE + 1))

    assert len(heard) == 1


def test_bytes_that_are_no_text_are_shown_as_such(lines, heard):
    lines.data_received(b"\xff\n")

    assert heard == ["\ufffd"]


def test_lines_carry_the_name_of_their_speaker(pipe):
    reader, writing = pipe
    with Console(writing) as console:
        console.line("worker", "hello")
        console.say("two\nlines")
    os.close(writing)

    assert reader.read() == b"worker    | hello\nup        | two\nup        | lines\n"


def test_speakers_are_told_apart_by_colour_on_a_terminal(pipe):
    reader, writing = pipe
    with Console(writing, coloured=True) as console:
        console.line("worker", "a")
        console.line("beat", "b")
        console.line("worker", "c")
    os.close(writing)

    first, second, third = (line.split(b"m")[0] for line in reader.read().splitlines())
    assert first == third != second


def test_lines_that_nobody_reads_are_counted(tmp_path):
    with (tmp_path / "said").open("w") as stream:
        console = Console.on(stream)  # it does not write yet
        for _ in range(CAPACITY + 3):
            console.line("worker", "")

        with console:
            pass

    last = (tmp_path / "said").read_text().splitlines()[-1]
    assert last == "up        | 3 lines are missing here: nobody read this output"


def test_a_reader_that_has_gone_is_no_failure():
    reading, writing = os.pipe()
    os.close(reading)

    with Console(writing) as console:
        console.line("worker", "hello")

    os.close(writing)
